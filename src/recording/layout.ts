import { CLOSE, DIRECTION, FLAG, KIND, RECORD, ROLE } from '../model/record.gen.ts';

/** How records are laid out, by name: what a recording says of itself, so that later versions can read it. */
export interface RecordLayout {
  readonly align: number;
  readonly head: Fields;
  /** By record: offsets of its fields, its kinds' numbers, and its length without payload. */
  readonly records: Readonly<Record<string, { readonly size: number; readonly fields: Fields }>>;
  readonly kinds: Readonly<Record<string, number>>;
  readonly values: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

type Fields = Readonly<Record<string, number>>;

/** Which record a kind is, where they are not named the same. */
const RECORD_OF_KIND: Readonly<Record<string, string>> = { close: 'totals' };

/** Numbers that mean the same in every version, or the recording cannot be read. */
const VALUES = { direction: DIRECTION, flag: FLAG, role: ROLE, close: CLOSE } as const;

/** The layout of this build, generated from the BTF of its BPF object. */
export function currentLayout(): RecordLayout {
  const { align, head, size, max: _max, ...records } = RECORD;
  return {
    align,
    head,
    records: Object.fromEntries(
      Object.entries(records).map(([name, fields]) => [name, { size: size[name as keyof typeof size], fields }]),
    ),
    kinds: KIND,
    values: VALUES,
  };
}

/** Copies records of another layout into this build's, field by field, by name. */
export interface Translation {
  /** True if there is nothing to do. */
  readonly same: boolean;
  /** Kinds of records that this build does not know; they are left out. */
  readonly unknownKinds: readonly string[];
  /** @returns the records in this build's layout; `unknown` counts what was left out; null if they are malformed */
  translate(source: Uint8Array): { readonly bytes: Uint8Array; readonly unknown: number } | null;
}

interface Move {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

interface KindPlan {
  readonly kind: number;
  readonly sourceSize: number;
  readonly targetSize: number;
  readonly moves: readonly Move[];
}

const MAX_NAMES = 256;
const MAX_OFFSET = 4096;

/** Reads the layout of a recording's header. @throws LayoutError if it cannot be read by this build */
export function planTranslation(value: unknown, target: RecordLayout = currentLayout()): Translation {
  const source = readLayout(value);
  for (const [group, names] of Object.entries(target.values)) {
    for (const [name, number] of Object.entries(source.values[group] ?? {})) {
      if (names[name] !== undefined && names[name] !== number) {
        throw new LayoutError(`${group} ${name} is ${number} there and ${names[name]} in this version`);
      }
    }
  }
  for (const name of Object.keys(target.head)) {
    if (source.head[name] === undefined) throw new LayoutError(`its records have no ${name}`);
  }
  const plans = new Map<number, KindPlan>();
  const unknownKinds: string[] = [];
  let same = source.align === target.align && sameFields(source.head, target.head);
  for (const [name, kind] of Object.entries(source.kinds)) {
    const record = RECORD_OF_KIND[name] ?? name;
    const from = source.records[record];
    const to = target.records[record];
    const number = target.kinds[name];
    if (from === undefined) throw new LayoutError(`it does not say how a ${name} record is laid out`);
    if (to === undefined || number === undefined) {
      unknownKinds.push(name);
      same = false;
      continue;
    }
    if (number !== kind || from.size !== to.size || !isSubset(from.fields, to.fields)) same = false;
    plans.set(kind, {
      kind: number,
      sourceSize: from.size,
      targetSize: to.size,
      moves: [
        ...moves(source.head, headEnd(source), target.head, headEnd(target)),
        ...moves(from.fields, from.size, to.fields, to.size),
      ],
    });
  }
  return {
    same,
    unknownKinds,
    translate: (bytes) => translate(bytes, source, target, plans),
  };
}

/** Why a recording's layout cannot be read; the message is for people. */
export class LayoutError extends Error {}

function translate(
  bytes: Uint8Array,
  source: RecordLayout,
  target: RecordLayout,
  plans: ReadonlyMap<number, KindPlan>,
): { bytes: Uint8Array; unknown: number } | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: Uint8Array[] = [];
  let unknown = 0;
  let total = 0;
  for (let offset = 0; offset < bytes.length; ) {
    if (bytes.length - offset < headEnd(source)) return null;
    const length = view.getUint32(offset + source.head['length'], true);
    if (length < headEnd(source) || length > bytes.length - offset) return null;
    const plan = plans.get(bytes[offset + source.head['kind']]);
    const captured = view.getUint16(offset + source.head['captured'], true);
    if (plan === undefined || plan.sourceSize + captured > length) {
      unknown++;
    } else {
      const size = (plan.targetSize + captured + target.align - 1) & ~(target.align - 1);
      const record = new Uint8Array(size);
      for (const { from, to, length: count } of plan.moves) {
        record.set(bytes.subarray(offset + from, offset + from + count), to);
      }
      const payload = offset + plan.sourceSize;
      record.set(bytes.subarray(payload, payload + captured), plan.targetSize);
      new DataView(record.buffer).setUint32(target.head['length'], size, true);
      record[target.head['kind']] = plan.kind;
      out.push(record);
      total += size;
    }
    offset += length;
  }
  const joined = new Uint8Array(total);
  let at = 0;
  for (const record of out) {
    joined.set(record, at);
    at += record.length;
  }
  return { bytes: joined, unknown };
}

/** A field reaches to the next one: what lies between is padding, which is 0. */
function moves(from: Fields, fromEnd: number, to: Fields, toEnd: number): Move[] {
  const widthFrom = widths(from, fromEnd);
  const widthTo = widths(to, toEnd);
  return Object.keys(from)
    .filter((name) => to[name] !== undefined)
    .map((name) => ({
      from: from[name],
      to: to[name],
      length: Math.min(widthFrom.get(name) ?? 0, widthTo.get(name) ?? 0),
    }));
}

function widths(fields: Fields, end: number): Map<string, number> {
  const inOrder = Object.entries(fields).toSorted(([, one], [, other]) => one - other);
  return new Map(inOrder.map(([name, offset], i) => [name, (inOrder[i + 1]?.[1] ?? end) - offset]));
}

/** The head ends where its time does, which is its last field: 64 bits. */
function headEnd({ head }: RecordLayout): number {
  return Math.max(...Object.values(head)) + 8;
}

function sameFields(one: Fields, other: Fields): boolean {
  return isSubset(one, other) && isSubset(other, one);
}

/** What is new lies where an older version had padding, which is 0 and means "not known". */
function isSubset(one: Fields, other: Fields): boolean {
  return Object.entries(one).every(([name, offset]) => other[name] === offset);
}

function readLayout(value: unknown): RecordLayout {
  const layout = asObject(value, 'layout');
  const align = asNumber(layout['align'], 'align');
  const head = asFields(layout['head'], 'head');
  if (align < 4 || (align & (align - 1)) !== 0) throw new LayoutError(`records cannot be aligned to ${align} bytes`);
  for (const name of ['length', 'kind', 'captured']) {
    if (head[name] === undefined) throw new LayoutError(`its records have no ${name}`);
  }
  const records: Record<string, { size: number; fields: Fields }> = {};
  for (const [name, record] of Object.entries(asObject(layout['records'], 'records'))) {
    const { size, fields } = asObject(record, name);
    const bytes = asNumber(size, `${name}.size`);
    const offsets = asFields(fields, name);
    if (Object.values(offsets).some((offset) => offset >= bytes)) {
      throw new LayoutError(`a field of its ${name} record lies outside of it`);
    }
    records[name] = { size: bytes, fields: offsets };
  }
  const values: Record<string, Fields> = {};
  for (const [name, group] of Object.entries(asObject(layout['values'], 'values')))
    values[name] = asFields(group, name, 2 ** 32);
  return { align, head, records, kinds: asFields(layout['kinds'], 'kinds'), values };
}

function asObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LayoutError(`its layout has no ${what}`);
  }
  if (Object.keys(value).length > MAX_NAMES) throw new LayoutError(`its layout has over ${MAX_NAMES} names in ${what}`);
  return value as Record<string, unknown>;
}

function asFields(value: unknown, what: string, max = MAX_OFFSET): Fields {
  const fields = asObject(value, what);
  for (const [name, number] of Object.entries(fields)) asNumber(number, `${what}.${name}`, max);
  return fields as Fields;
}

function asNumber(value: unknown, what: string, max = MAX_OFFSET): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw new LayoutError(`${what} of its layout is no number from 0 to ${max}`);
  }
  return value;
}

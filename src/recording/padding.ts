import { KIND, PADDING, RECORD } from '../model/record.gen.ts';

const { head, size: sizes, align } = RECORD;

/** All that is known of a record of an unknown kind is its head, which ends behind the time. */
const HEAD_BYTES = head.time + 8;

interface Plan {
  /** Where the fixed part ends and the payload begins. */
  readonly size: number;
  /** Runs of [from, to) that no field covers. */
  readonly gaps: readonly (readonly [number, number])[];
}

const UNKNOWN: Plan = { size: HEAD_BYTES, gaps: [] };

const plans: readonly Plan[] = Array.from({ length: 256 }, (_, kind) => {
  const name = Object.entries(KIND).find(([, number]) => number === kind)?.[0] as keyof typeof KIND | undefined;
  if (name === undefined) return UNKNOWN;
  const record = name === 'close' ? 'totals' : name;
  return { size: sizes[record], gaps: PADDING[record] };
});

/**
 * Zeroes, in place, what no field of a record covers and no payload: the kernel does not write it, so that it holds
 * what was in the ring before, pieces of other connections' messages among it.
 *
 * @param records back to back; what is no record is left as it is
 */
export function zeroPadding(records: Uint8Array): void {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  for (let offset = 0; records.length - offset >= align; ) {
    const length = view.getUint32(offset + head.length, true);
    if (length < align || length > records.length - offset) return;
    const kind = records[offset + head.kind];
    const { size, gaps } = plans[kind];
    for (const [from, to] of gaps) {
      records.fill(0, offset + Math.min(from, length), offset + Math.min(to, length));
    }
    const captured = plans[kind] === UNKNOWN ? 0 : view.getUint16(offset + head.captured, true);
    if (size + captured < length) records.fill(0, offset + size + captured, offset + length);
    offset += length;
  }
}

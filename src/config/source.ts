import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { KeyPath, Problem } from './problem.ts';

/** A configuration file is refused beyond this size. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Enough for any honest use of anchors, too few for an expansion bomb. */
const MAX_ALIASES = 32;
const MAX_ERRORS = 20;

/** The parser needs quadratic time for brackets in brackets; no honest file comes near this. */
const MAX_DEPTH = 200;

/** A parsed file: its values, and where each of them stands. */
export interface YamlSource {
  readonly values: Readonly<Record<string, unknown>>;
  /** `file:line:column` of the value at a path, or of its key; of the nearest parent if there is none. */
  locate(path: KeyPath, part?: 'key' | 'value'): string;
}

export type YamlResult =
  | { readonly ok: true; readonly source: YamlSource }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Reads YAML 1.2. Never throws: what is wrong comes back with line and column. `name` is how the file is called. */
export function parseYaml(text: string, name: string): YamlResult {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    return failed(name, 'larger than 1 MiB', 'a file of at most 1 MiB');
  }
  if (bracketDepth(text) > MAX_DEPTH) {
    return failed(name, 'nested too deeply');
  }
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      maxAliasCount: MAX_ALIASES,
    } as never);
    const place = (offset: number): string => {
      const { line, col } = lines.linePos(offset);
      return `${name}:${line}:${col}`;
    };
    if (document.errors.some((error) => /call stack/i.test(error.message))) {
      return failed(name, 'nested too deeply');
    }
    if (document.errors.length > 0) {
      return {
        ok: false,
        problems: document.errors.slice(0, MAX_ERRORS).map((error) => ({
          where: place(error.pos[0]),
          key: '',
          wrong: `not valid YAML: ${plain(error.code, error.message)}`,
        })),
      };
    }
    const values: unknown = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {};
    if (typeof values !== 'object' || Array.isArray(values)) {
      return failed(
        place(document.contents?.range?.[0] ?? 0),
        'not a mapping of keys to values',
        'lines such as `log:`',
      );
    }
    return {
      ok: true,
      source: {
        values: values as Record<string, unknown>,
        locate: (path, part = 'value') => place(offsetOf(document, path, part)),
      },
    };
  } catch (error) {
    if (error instanceof RangeError) {
      return failed(name, 'nested too deeply');
    }
    if (error instanceof ReferenceError) {
      return failed(name, `aliases refused: ${error.message}`, `at most ${MAX_ALIASES} expanded aliases`);
    }
    throw error;
  }
}

/** How many brackets are open at most; those in strings and comments count too. */
function bracketDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth = bracket === '[' || bracket === '{' ? depth + 1 : Math.max(0, depth - 1);
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

function failed(where: string, wrong: string, allowed?: string): YamlResult {
  return { ok: false, problems: [{ where, key: '', wrong, ...(allowed === undefined ? {} : { allowed }) }] };
}

function plain(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') {
    return 'more than one document in the file';
  }
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\s+/g, ' ');
}

function offsetOf(document: Document, path: KeyPath, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [depth, wanted] of path.entries()) {
    const last = depth === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && keyText(item.key) === String(wanted));
      if (pair === undefined) {
        return offset;
      }
      const keyStart = startOf(pair.key);
      node = pair.value;
      offset = (last && part === 'key' ? keyStart : startOf(node)) ?? keyStart ?? offset;
    } else if (isSeq(node) && typeof wanted === 'number') {
      node = node.items[wanted];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function startOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0];
}

/** How a value reads in a message: short, on one line, safe for any value. */
export function showValue(value: unknown): string {
  if (value === undefined) {
    return 'nothing';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  if (typeof value === 'object' && value !== null) {
    return 'a mapping';
  }
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return shown.length > 60 ? `${shown.slice(0, 57)}…` : shown;
}

/** The value at a path of plain data. */
export function valueAt(values: unknown, path: KeyPath): unknown {
  let value = values;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

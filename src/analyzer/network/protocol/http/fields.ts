import { COLON, CR, isDigit, LF, listHas, SPACE, startsWithLower, TAB } from './characters.ts';
import { LineEnds } from './line-ends.ts';

/** Header fields that framing and naming need, of a request or a response. One object, filled per head. */
export class Fields {
  /** -1 absent, -2 not valid (RFC 9112 §6.3: framing is then lost). */
  contentLength = -1;
  /** Where the first digit of Content-Length stands. */
  lengthAt = 0;
  lengthDigits = 0;
  transferEncoding = false;
  /** The last transfer coding is chunked. */
  chunked = false;
  expectContinue = false;
  hostStart = 0;
  hostEnd = 0;
  agentStart = 0;
  agentEnd = 0;
  traceRank = 0;
  traceStart = 0;
  traceEnd = 0;

  reset(): void {
    this.contentLength = -1;
    this.lengthAt = 0;
    this.lengthDigits = 0;
    this.transferEncoding = false;
    this.chunked = false;
    this.expectContinue = false;
    this.hostEnd = 0;
    this.agentEnd = 0;
    this.traceRank = 0;
  }
}

/** Headers that carry a trace id; where several came, the first of this list counts. */
export const TRACE_HEADERS = [
  'traceparent',
  'b3',
  'x-b3-traceid',
  'sw8',
  'uber-trace-id',
  'apm-transactionid',
] as const;

export const INCOMPLETE = -1;

/**
 * Reads field lines from `start` up to the empty line, RFC 9112 §5. Lines that are no field are passed over.
 *
 * @param lines finds line ends; callers that read often share one
 * @returns the place behind the empty line, or INCOMPLETE; what came before the end is in `fields` either way
 */
export function readFields(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: Fields,
  lines: LineEnds = new LineEnds(),
): number {
  lines.look(bytes);
  let at = start;
  while (at < end) {
    const byte = bytes[at];
    if (byte === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      if (bytes[at + 1] === LF) return at + 2;
    } else if (byte === LF) {
      return at + 1;
    }
    const lineEnd = lines.next(at, end);
    if (lineEnd >= end) return INCOMPLETE;
    // The first letters of the names that are looked for: most lines are passed over at the price of their end.
    const names = NAMES[byte | 32];
    if (names !== undefined) {
      for (const name of names) {
        if (bytes[at + name.length] !== COLON || !startsWithLower(bytes, at, lineEnd, name)) continue;
        readField(name, bytes, at + name.length + 1, lineEnd, fields);
        break;
      }
    }
    at = lineEnd + 1;
  }
  return INCOMPLETE;
}

type FieldName =
  | 'host'
  | 'expect'
  | 'user-agent'
  | 'content-length'
  | 'transfer-encoding'
  | (typeof TRACE_HEADERS)[number];

const FIELD_NAMES: readonly FieldName[] = [
  'host',
  'expect',
  'user-agent',
  'content-length',
  'transfer-encoding',
  ...TRACE_HEADERS,
];

/** By first letter. */
const NAMES: readonly (readonly FieldName[] | undefined)[] = Array.from({ length: 256 }, (_, letter) => {
  const names = FIELD_NAMES.filter((name) => name.charCodeAt(0) === letter);
  return names.length > 0 ? names : undefined;
});

function readField(name: FieldName, bytes: Uint8Array, start: number, lineEnd: number, fields: Fields): void {
  let from = start;
  while (from < lineEnd && (bytes[from] === SPACE || bytes[from] === TAB)) from++;
  let to = lineEnd;
  while (to > from && (bytes[to - 1] === CR || bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  switch (name) {
    case 'host':
      fields.hostStart = from;
      fields.hostEnd = to;
      break;
    case 'user-agent':
      fields.agentStart = from;
      fields.agentEnd = to;
      break;
    case 'expect':
      fields.expectContinue = listHas(bytes, from, to, '100-continue');
      break;
    case 'content-length':
      readLength(bytes, from, to, fields);
      break;
    case 'transfer-encoding':
      fields.transferEncoding = true;
      fields.chunked = endsChunked(bytes, from, to);
      break;
    default: {
      const rank = TRACE_HEADERS.length - TRACE_HEADERS.indexOf(name);
      if (rank <= fields.traceRank) return;
      fields.traceRank = rank;
      fields.traceStart = from;
      fields.traceEnd = to;
    }
  }
}

function readLength(bytes: Uint8Array, from: number, to: number, fields: Fields): void {
  let value = 0;
  let at = from;
  while (at < to && isDigit(bytes[at])) {
    value = value * 10 + (bytes[at] - 48);
    at++;
  }
  let valid = at > from && value <= Number.MAX_SAFE_INTEGER;
  // "5, 5" is what a proxy makes of two equal lines.
  while (valid && at < to) {
    while (at < to && (bytes[at] === SPACE || bytes[at] === TAB || bytes[at] === 44)) at++;
    let again = 0;
    const first = at;
    while (at < to && isDigit(bytes[at])) {
      again = again * 10 + (bytes[at] - 48);
      at++;
    }
    valid = at > first && again === value;
  }
  if (!valid || (fields.contentLength !== -1 && fields.contentLength !== value)) {
    fields.contentLength = -2;
    return;
  }
  fields.contentLength = value;
  fields.lengthAt = from;
  fields.lengthDigits = to - from;
}

function endsChunked(bytes: Uint8Array, from: number, to: number): boolean {
  let last = from;
  for (let i = from; i < to; i++) if (bytes[i] === 44) last = i + 1;
  while (last < to && (bytes[last] === SPACE || bytes[last] === TAB)) last++;
  return to - last === 7 && startsWithLower(bytes, last, to, 'chunked');
}

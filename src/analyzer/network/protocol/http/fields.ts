import { COLON, CR, isDigit, LF, listHas, SPACE, startsWithLower, TAB } from './characters.ts';

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
 * @returns the place behind the empty line, or INCOMPLETE; what came before the end is in `fields` either way
 */
export function readFields(bytes: Uint8Array, start: number, end: number, fields: Fields): number {
  let at = start;
  while (at < end) {
    const byte = bytes[at];
    if (byte === CR) {
      if (at + 1 >= end) return INCOMPLETE;
      if (bytes[at + 1] === LF) return at + 2;
    } else if (byte === LF) {
      return at + 1;
    }
    let lineEnd = at;
    while (lineEnd < end && bytes[lineEnd] !== LF) lineEnd++;
    if (lineEnd >= end) return INCOMPLETE;
    // First letters of the names below: most lines are passed over at the price of finding their end.
    switch (byte | 32) {
      case 97: // a
      case 98: // b
      case 99: // c
      case 101: // e
      case 104: // h
      case 115: // s
      case 116: // t
      case 117: // u
      case 120: // x
        readField(bytes, at, lineEnd, fields);
        break;
      default:
    }
    at = lineEnd + 1;
  }
  return INCOMPLETE;
}

function readField(bytes: Uint8Array, start: number, lineEnd: number, fields: Fields): void {
  let colon = start;
  while (colon < lineEnd && bytes[colon] !== COLON) colon++;
  if (colon === lineEnd) return;
  const length = colon - start;
  let from = colon + 1;
  while (from < lineEnd && (bytes[from] === SPACE || bytes[from] === TAB)) from++;
  let to = lineEnd;
  while (to > from && (bytes[to - 1] === CR || bytes[to - 1] === SPACE || bytes[to - 1] === TAB)) to--;
  switch (length) {
    case 4:
      if (startsWithLower(bytes, start, colon, 'host')) {
        fields.hostStart = from;
        fields.hostEnd = to;
      }
      break;
    case 6:
      if (startsWithLower(bytes, start, colon, 'expect')) {
        fields.expectContinue = listHas(bytes, from, to, '100-continue');
      }
      break;
    case 10:
      if (startsWithLower(bytes, start, colon, 'user-agent')) {
        fields.agentStart = from;
        fields.agentEnd = to;
      }
      break;
    case 14:
      if (startsWithLower(bytes, start, colon, 'content-length')) readLength(bytes, from, to, fields);
      break;
    case 17:
      if (startsWithLower(bytes, start, colon, 'transfer-encoding')) {
        fields.transferEncoding = true;
        fields.chunked = endsChunked(bytes, from, to);
        return;
      }
      break;
    default:
  }
  if (length === 11 || length === 2 || length === 12 || length === 3 || length === 13 || length === 17) {
    readTrace(bytes, start, colon, from, to, fields);
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

function readTrace(bytes: Uint8Array, start: number, colon: number, from: number, to: number, fields: Fields): void {
  for (let i = 0; i < TRACE_HEADERS.length; i++) {
    const name = TRACE_HEADERS[i];
    if (name.length !== colon - start || !startsWithLower(bytes, start, colon, name)) continue;
    const rank = TRACE_HEADERS.length - i;
    if (rank > fields.traceRank) {
      fields.traceRank = rank;
      fields.traceStart = from;
      fields.traceEnd = to;
    }
    return;
  }
}

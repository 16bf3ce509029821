import type { TraceBytes } from '../../exchange.ts';
import { TRACE_HEADERS } from './fields.ts';
import type { Fields } from './fields.ts';

const DASH = 45;
const COLON = 58;
const PERCENT = 37;

/**
 * Takes the trace id out of the header that won: W3C trace context (version-traceid-parentid-flags), B3 single
 * (traceid-spanid-…) and multi, SkyWalking v3 (sample-base64(traceid)-…), Jaeger (traceid:spanid:…), and
 * HarmonyCloud's plain id.
 *
 * @returns false if the value has no trace id
 */
export function readTraceId(bytes: Uint8Array, fields: Fields, into: TraceBytes): boolean {
  const from = fields.traceStart;
  const to = fields.traceEnd;
  const name = TRACE_HEADERS[TRACE_HEADERS.length - fields.traceRank];
  switch (name) {
    case 'traceparent': {
      const end = from + 35;
      if (to < end || bytes[from + 2] !== DASH || (to > end && bytes[end] !== DASH)) return false;
      return into.setHex(bytes, from + 3, end);
    }
    case 'b3': {
      const end = find(bytes, from, to, DASH);
      // A lone "0", "1" or "d" is a sampling decision without an id.
      return end - from >= 16 && into.setHex(bytes, from, end);
    }
    case 'x-b3-traceid':
      return into.setHex(bytes, from, to);
    case 'sw8': {
      const first = find(bytes, from, to, DASH) + 1;
      const end = find(bytes, first, to, DASH);
      if (end <= first) return false;
      into.set(bytes, first, end, 'base64');
      return true;
    }
    case 'uber-trace-id': {
      const end = Math.min(find(bytes, from, to, COLON), find(bytes, from, to, PERCENT));
      return into.setHex(bytes, from, end);
    }
    case 'apm-transactionid':
      into.set(bytes, from, to, 'text');
      return to > from;
    default:
      return false;
  }
}

function find(bytes: Uint8Array, from: number, to: number, byte: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === byte) return i;
  return to;
}

import { ERROR_KINDS } from '../../model/names.ts';
import type { ErrorKind } from '../../model/names.ts';
import type { Text } from './text-table.ts';

/** What an exchange says under OpenTelemetry attribute names. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** Codes of `Exchange.error`: 0 for none, else a place in ERROR_KINDS plus 1. */
export const ERROR = {
  none: 0,
  connectFailed: ERROR_KINDS.indexOf('connect_failed') + 1,
  noResponse: ERROR_KINDS.indexOf('no_response') + 1,
  reset: ERROR_KINDS.indexOf('reset') + 1,
  closed: ERROR_KINDS.indexOf('closed') + 1,
  malformed: ERROR_KINDS.indexOf('malformed') + 1,
  status: ERROR_KINDS.indexOf('status') + 1,
} as const;

export function errorName(code: number): ErrorKind | null {
  return code === 0 ? null : ERROR_KINDS[code - 1];
}

/** The UDP peer of an exchange, whose connection may talk to many. */
export interface Peer {
  readonly address: Uint8Array;
  readonly port: number;
}

/**
 * One request and its response while they pass. The objects are used again (see ExchangePool), so whoever holds
 * one after `finish` holds another exchange. Times are ns since the origin, NaN where not known.
 */
export class Exchange {
  /** Next in its connection's queue, or in the pool. */
  next: Exchange | null = null;
  /** First and last byte of the request. */
  start = Number.NaN;
  requestEnd = Number.NaN;
  /** First and last byte of the response. */
  responseStart = Number.NaN;
  responseEnd = Number.NaN;
  /** When it last moved: timeouts count from here. */
  lastActivity = Number.NaN;
  queueNs = Number.NaN;
  connectNs = Number.NaN;
  /** When it ended without a whole response: the time waited counts to here. */
  end = Number.NaN;
  requestBytes = 0;
  responseBytes = 0;
  /** Records whose first news was this exchange: the unit of the analyzer's law. */
  messages = 0;
  requestDone = false;
  responseDone = false;
  complete = true;
  /** It is known by the turns that were counted, not by its bytes: its connection was sampled. */
  estimated = false;
  /** False if its first byte was not seen: `start` is then a bound, and no duration counts from it. */
  timed = true;
  /** It began in the first message seen of a connection that was open before: more may precede what was seen. */
  joined = false;
  /** It was yielded already (as `no_response`) and waits only to pair a late response. */
  reported = false;
  error: number = ERROR.none;
  operation: Text | null = null;
  resource: Text | null = null;
  /** The clustered resource. */
  route: Text | null = null;
  status: Text | null = null;
  trace: TraceBytes | null = null;
  peer: Peer | null = null;
  /** What the protocol module keeps beside; it stays with the object when that is used again. */
  detail: unknown = null;
  describe: ((exchange: Exchange) => Attributes) | null = null;
  /** For multiplexed protocols. */
  key = 0;

  reset(): void {
    this.next = null;
    this.start = Number.NaN;
    this.requestEnd = Number.NaN;
    this.responseStart = Number.NaN;
    this.responseEnd = Number.NaN;
    this.lastActivity = Number.NaN;
    this.queueNs = Number.NaN;
    this.connectNs = Number.NaN;
    this.end = Number.NaN;
    this.requestBytes = 0;
    this.responseBytes = 0;
    this.messages = 0;
    this.requestDone = false;
    this.responseDone = false;
    this.complete = true;
    this.estimated = false;
    this.timed = true;
    this.joined = false;
    this.reported = false;
    this.error = ERROR.none;
    this.operation = null;
    this.resource = null;
    this.route = null;
    this.status = null;
    if (this.trace !== null) this.trace.length = 0;
    this.peer = null;
    this.key = 0;
  }
}

/** A trace id as it stood on the wire; made once an Exchange object, filled where one was sent. */
export class TraceBytes {
  readonly bytes = new Uint8Array(128);
  length = 0;
  encoding: 'text' | 'base64' = 'text';

  set(source: Uint8Array, start: number, end: number, encoding: 'text' | 'base64'): void {
    const length = Math.min(end - start, this.bytes.length);
    for (let i = 0; i < length; i++) this.bytes[i] = source[start + i];
    this.length = length;
    this.encoding = encoding;
  }

  /** Takes an id of hexadecimal digits. @returns false, and has none, if it is something else */
  setHex(source: Uint8Array, start: number, end: number): boolean {
    this.length = 0;
    this.encoding = 'text';
    if (end <= start || end - start > this.bytes.length) return false;
    let zeros = true;
    for (let i = start; i < end; i++) {
      const byte = source[i];
      if (byte !== 48) zeros = false;
      const isDigit = byte >= 48 && byte <= 57;
      if (!isDigit && ((byte | 32) < 97 || (byte | 32) > 102)) return false;
      this.bytes[i - start] = byte;
    }
    // All zeros is no id: W3C trace context §3.2.2.3, and the others mean none by it.
    if (zeros) return false;
    this.length = end - start;
    return true;
  }

  toString(): string | null {
    if (this.length === 0) return null;
    const text = Buffer.from(this.bytes.buffer, 0, this.length).toString('latin1');
    return this.encoding === 'text' ? text : Buffer.from(text, 'base64').toString('latin1');
  }
}

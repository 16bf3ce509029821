import { RECORD } from '../../model/record.gen.ts';
import type { RecordViews } from '../network/record-reader.ts';

const { open, tcpEvent } = RECORD;

/** Connections that are slow to come in, at most. */
const MAX_WAITING = 1024;
/** A SYN-ACK is sent again for 63 s (tcp_synack_retries 5): what has not come about by then does not. */
const GIVEN_UP_NS = 75e9;

/** SYN-ACKs of one connection that were sent again before there was a socket. */
export interface SynAcks {
  readonly identity: Uint32Array;
  count: number;
  time: number;
}

/**
 * SYN-ACKs that were sent again. Where the connection comes about its socket counts them from its start on, so until
 * that is decided nobody may count them.
 */
export class WaitingSynAcks {
  readonly #waiting = new Map<string, SynAcks>();

  /** Events that wait. */
  get count(): number {
    let count = 0;
    for (const one of this.#waiting.values()) count += one.count;
    return count;
  }

  /** An event. @param identity the other end; copied. Returns what had to make room */
  add(views: RecordViews, offset: number, identity: Uint32Array, time: number): SynAcks | undefined {
    const key = addresses(views, offset, tcpEvent);
    const known = this.#waiting.get(key);
    if (known !== undefined) {
      known.count++;
      known.time = time;
      return undefined;
    }
    this.#waiting.set(key, { identity: identity.slice(), count: 1, time });
    return this.#waiting.size > MAX_WAITING ? this.#takeFirst() : undefined;
  }

  /** An open record: how many SYN-ACKs it took; 0 for nearly all. */
  opened(views: RecordViews, offset: number): number {
    if (this.#waiting.size === 0) return 0;
    const key = addresses(views, offset, open);
    const count = this.#waiting.get(key)?.count ?? 0;
    this.#waiting.delete(key);
    return count;
  }

  /** Takes out those whose connection will not come about any more. */
  *givenUp(now: number): Iterable<SynAcks> {
    for (const [key, one] of this.#waiting) {
      if (now - one.time < GIVEN_UP_NS) continue;
      this.#waiting.delete(key);
      yield one;
    }
  }

  #takeFirst(): SynAcks | undefined {
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    this.#waiting.delete(first[0]);
    return first[1];
  }
}

interface Addresses {
  readonly netns: number;
  readonly localPort: number;
  readonly localAddress: number;
}

/** Both ends of a record in one string. */
function addresses({ bytes, words }: RecordViews, offset: number, at: Addresses): string {
  // Both ports lie side by side in every record that has them, and so do both addresses.
  const from = offset + at.localAddress;
  const ports = offset + at.localPort;
  const netns = words[(offset + at.netns) >>> 2];
  const text = (start: number, length: number): string =>
    Buffer.from(bytes.subarray(start, start + length)).toString('hex');
  return `${netns} ${text(ports, 4)} ${text(from, 32)}`;
}

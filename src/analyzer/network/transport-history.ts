import { FLAG, RECORD, TCP_EVENT } from '../../model/record.gen.ts';
import type { Attributes } from './exchange.ts';
import { readWide } from './record-reader.ts';
import type { RecordTimes, RecordViews } from './record-reader.ts';

const { head, tcp, tcpEvent } = RECORD;

/** Happenings that are remembered of a connection, of each sort; the oldest are forgotten first. */
const MAX_REMEMBERED = 256;
const NS_PER_US = 1000;

interface Period {
  readonly from: number;
  readonly to: number;
  /** For how much of it nothing could be sent, at most `to - from`, ns: it is not known when. */
  readonly ns: number;
}

interface Reset {
  readonly time: number;
  readonly side: 'sent' | 'received';
}

/**
 * What the network did to a connection lately, so that an exchange can tell what of it fell within its time. Made
 * when the first such record comes: a connection that fares well costs nothing.
 */
export class TransportHistory {
  readonly #retransmits: number[] = [];
  readonly #zeroWindows: Period[] = [];
  /** Since when this end's window is closed, and when it was last seen so; NaN while it is open. */
  #closedSince = Number.NaN;
  #closedUntil = Number.NaN;
  #reset: Reset | null = null;
  #rttNs = 0;
  #measuredAt = Number.NaN;
  #receiverLimitedUs = Number.NaN;

  /** A tcp record: how the connection fares by now. */
  measured({ words, halves }: RecordViews, offset: number, times: RecordTimes): void {
    const time = times.read(words, offset + head.time);
    if (time < this.#measuredAt) return;
    const limited = readWide(words, offset + tcp.receiverLimitedUs);
    const isJoined = (halves[(offset + head.flags) >>> 1] & FLAG.joined) !== 0;
    // What a joined connection had waited before the first look is nobody's.
    const before = Number.isNaN(this.#receiverLimitedUs) && !isJoined ? 0 : this.#receiverLimitedUs;
    const waited = (limited - before) * NS_PER_US;
    if (waited > 0) {
      const from = Number.isNaN(this.#measuredAt) ? time - waited : Math.min(this.#measuredAt, time - waited);
      remember(this.#zeroWindows, { from, to: time, ns: waited });
    }
    this.#receiverLimitedUs = limited;
    this.#measuredAt = time;
    if (words[(offset + tcp.receiveWindow) >>> 2] === 0) this.#closedUntil = time;
    this.#rttNs = words[(offset + tcp.srttUs) >>> 2] * NS_PER_US;
  }

  /** A tcp event record of the connection. */
  happened({ words }: RecordViews, offset: number, times: RecordTimes): void {
    const time = times.read(words, offset + head.time);
    switch (words[(offset + tcpEvent.event) >>> 2]) {
      case TCP_EVENT.retransmit:
        remember(this.#retransmits, time);
        return;
      case TCP_EVENT.resetSent:
        this.#reset = { time, side: 'sent' };
        return;
      case TCP_EVENT.resetReceived:
        this.#reset = { time, side: 'received' };
        return;
      case TCP_EVENT.zeroWindow:
        this.#closedSince = time - words[(offset + tcpEvent.amount) >>> 2] * NS_PER_US;
        this.#closedUntil = time;
        return;
      case TCP_EVENT.windowOpen: {
        const ns = words[(offset + tcpEvent.amount) >>> 2] * NS_PER_US;
        // It was seen open now, and may have been so for long.
        const from = Number.isNaN(this.#closedSince) ? time - ns : this.#closedSince;
        remember(this.#zeroWindows, { from, to: from + ns, ns });
        this.#closedSince = Number.NaN;
      }
    }
  }

  /** What fell between the two times, ends included, under the names of docs/exchanges.md. */
  attributes(from: number, to: number): Attributes {
    const retransmits = this.#retransmits.filter((time) => time >= from && time <= to).length;
    let zeroWindowNs = Number.isNaN(this.#closedSince) ? 0 : overlap(this.#closedSince, this.#closedUntil, from, to);
    for (const { from: start, to: end, ns } of this.#zeroWindows)
      zeroWindowNs += Math.max(0, overlap(start, end, from, to) - (end - start - ns));
    const reset = this.#reset;
    return {
      ...(this.#rttNs === 0 ? {} : { 'net.rtt': this.#rttNs }),
      ...(retransmits === 0 ? {} : { 'net.retransmits': retransmits }),
      ...(zeroWindowNs > 0 ? { 'net.zero_window_ns': Math.round(zeroWindowNs) } : {}),
      ...(reset !== null && reset.time >= from && reset.time <= to ? { 'net.reset': reset.side } : {}),
    };
  }
}

function remember<T>(list: T[], one: T): void {
  if (list.length >= MAX_REMEMBERED) list.shift();
  list.push(one);
}

/** How long two periods share; 0 if they do not meet. */
function overlap(from: number, to: number, otherFrom: number, otherTo: number): number {
  return Math.max(0, Math.min(to, otherTo) - Math.max(from, otherFrom));
}

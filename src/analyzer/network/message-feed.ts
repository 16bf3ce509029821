import { DIRECTION, FLAG, RECORD, ROLE } from '../../model/record.gen.ts';
import type { Connection } from './connection.ts';
import type { Parser } from './protocol/protocol.ts';
import type { RecordTimes } from './record-reader.ts';
import { Segment } from './segment.ts';
import type { NetworkStatistics } from './statistics.ts';

const { head, message, totals, size: sizes } = RECORD;
const SIZE_WORD = message.size / 4;
const TX_WORD = message.tx / 4;
const RX_WORD = message.rx / 4;
const TURN_WORD = message.turn / 4;
const TGID_WORD = message.tgid / 4;
const QUEUE_WORD = message.queue / 4;

/** A counter that went back by less than this was read by two threads at once: nothing passed unseen. */
const LARGEST_STEP = 0xf0000000;

/**
 * Hands the records of a connection to its parser, in order: works out from turns and stream positions what
 * passed without a record, and says so first.
 */
export class MessageFeed {
  readonly #times: RecordTimes;
  readonly #statistics: NetworkStatistics;
  readonly #segment = new Segment();
  /** Length of the kernel's tick, for queue times in ticks. */
  tickNs = 4e6;

  constructor(times: RecordTimes, statistics: NetworkStatistics) {
    this.#times = times;
    this.#statistics = statistics;
  }

  /** @param parser of the connection, whose role is known */
  message(
    connection: Connection,
    parser: Parser,
    bytes: Uint8Array,
    words: Uint32Array,
    halves: Uint16Array,
    offset: number,
  ): void {
    const word = offset >>> 2;
    const sends = bytes[offset + head.direction] === DIRECTION.send;
    const isServer = connection.role === ROLE.server;
    const fromClient = sends !== isServer;
    const captured = halves[(offset + head.captured) >>> 1];
    const flags = halves[(offset + head.flags) >>> 1];
    const size = words[word + SIZE_WORD];
    const tx = words[word + TX_WORD];
    const rx = words[word + RX_WORD];
    const turn = words[word + TURN_WORD];
    const tgid = words[word + TGID_WORD];
    const starts = (flags & FLAG.start) !== 0;
    const segment = this.#segment;
    // Stores of pointers cost more than comparing them.
    if (segment.bytes !== bytes) segment.bytes = bytes;
    segment.start = offset + sizes.message;
    segment.end = segment.start + captured;
    segment.unseen = size > captured ? size - captured : 0;
    segment.time = this.#times.read(words, offset + head.time);
    segment.starts = starts;
    segment.queueNs = Number.NaN;
    if (isServer && fromClient && (flags & (FLAG.queueTicks | FLAG.queueUs)) !== 0) {
      segment.queueNs = words[word + QUEUE_WORD] * ((flags & FLAG.queueUs) === 0 ? this.tickNs : 1000);
    }
    if (tgid !== connection.pid && tgid !== 0) {
      connection.pid = tgid;
      connection.endpoint = null;
    }
    connection.news = 1;
    if (connection.refusal !== 'unrequested') connection.refusal = 'unrequested';

    const before = sends ? tx : rx - size;
    const ownUnseen = (before - (sends ? connection.tx : connection.rx)) >>> 0;
    const otherUnseen = ((sends ? rx : tx) - (sends ? connection.rx : connection.tx)) >>> 0;
    const step = (turn - connection.turnNumber) >>> 0;
    if (ownUnseen === 0 && otherUnseen === 0 && step <= 1) {
      if (step === 1) {
        connection.turnNumber = turn;
        parser.turn(fromClient, segment);
      }
    } else {
      this.#unseen(
        connection,
        parser,
        words,
        offset,
        fromClient,
        starts,
        step,
        positive(ownUnseen),
        positive(otherUnseen),
      );
      segment.start = offset + sizes.message;
    }
    if (sends) {
      connection.tx = (ownUnseen > LARGEST_STEP ? connection.tx + size : tx + size) >>> 0;
      if (otherUnseen <= LARGEST_STEP) connection.rx = rx;
    } else {
      connection.rx = (ownUnseen > LARGEST_STEP ? connection.rx + size : rx) >>> 0;
      if (otherUnseen <= LARGEST_STEP) connection.tx = tx;
    }
    parser.data(fromClient, segment);
    if (connection.news !== 0) this.#statistics.refused(connection.refusal, 1);
    connection.news = 0;
  }

  /**
   * A totals or close record: what passed since the last message record, and messages whose record was lost.
   *
   * @param lost message records are missing; without, turns that were not seen were not asked for (policy `count`):
   * they tell how many exchanges there were, which are told as estimated
   */
  totals(
    connection: Connection,
    parser: Parser,
    bytes: Uint8Array,
    words: Uint32Array,
    offset: number,
    lost: boolean,
  ): void {
    const word = offset >>> 2;
    const tx = words[word + totals.tx / 4];
    const rx = words[word + totals.rx / 4];
    const sent = positive((tx - connection.tx) >>> 0);
    const received = positive((rx - connection.rx) >>> 0);
    const turn = words[word + totals.turn / 4];
    const step = (turn - connection.turnNumber) >>> 0;
    const isServer = connection.role === ROLE.server;
    const time = this.#times.read(words, offset + head.time);
    const lastSend = this.#times.readOptional(words, offset + totals.lastSend);
    const lastReceive = this.#times.readOptional(words, offset + totals.lastReceive);
    connection.tx = (connection.tx + sent) >>> 0;
    connection.rx = (connection.rx + received) >>> 0;
    const sendLast = bytes[offset + totals.lastDirection] === DIRECTION.send;
    connection.missing = 0;
    if (step > 0 && step < LARGEST_STEP) {
      const lastFromClient = sendLast !== isServer;
      if (lost) this.#statistics.lostTurns += step;
      else this.#statistics.countedTurns += step;
      connection.counted = !lost;
      connection.estimating = !lost;
      connection.turnNumber = turn;
      const lastCall = Math.max(lastSend || 0, lastReceive || 0);
      parser.gap({
        lastFromClient: ((step & 1) === 1) !== lastFromClient,
        turns: step,
        nextFromClient: !lastFromClient,
        headless: false,
        clientBytes: isServer ? received : sent,
        serverBytes: isServer ? sent : received,
        time: lastCall === 0 ? time : lastCall,
      });
      connection.estimating = false;
      return;
    }
    // Bytes may move without a call that was seen (splice): by now they have.
    const sentAt = Number.isNaN(lastSend) ? time : lastSend;
    const receivedAt = Number.isNaN(lastReceive) ? time : lastReceive;
    if (!sendLast && sent > 0) parser.skip(!isServer, sent, sentAt);
    if (received > 0) parser.skip(isServer, received, receivedAt);
    if (sendLast && sent > 0) parser.skip(!isServer, sent, sentAt);
  }

  #unseen(
    connection: Connection,
    parser: Parser,
    words: Uint32Array,
    offset: number,
    fromClient: boolean,
    starts: boolean,
    step: number,
    own: number,
    other: number,
  ): void {
    const turn = words[(offset + message.turn) >>> 2];
    const segment = this.#segment;
    // Nothing was lost, so what is missing was not asked for.
    const counted = connection.counted && connection.missing === 0;
    connection.counted = false;
    connection.missing = 0;
    let time = this.#times.readOptional(words, offset + message.lastTime);
    if (Number.isNaN(time)) time = segment.time;
    if (step === 0 || step >= LARGEST_STEP) {
      if (other > 0) parser.skip(!fromClient, other, time);
      if (own > 0) parser.skip(fromClient, own, time);
      return;
    }
    connection.turnNumber = turn;
    if (step === 1) {
      if (own > 0 && starts) parser.skip(fromClient, own, time);
      if (other > 0) parser.skip(!fromClient, other, time);
      parser.turn(fromClient, segment);
      if (own > 0 && !starts) parser.skip(fromClient, own, time);
      return;
    }
    if (counted) this.#statistics.countedTurns += step - 1;
    else this.#statistics.lostTurns += step - 1;
    connection.estimating = counted;
    parser.gap({
      // Turns alternate: what was last follows from what is next.
      lastFromClient: ((step & 1) === 1) !== fromClient,
      turns: step - 1,
      nextFromClient: fromClient,
      headless: !starts,
      clientBytes: fromClient ? own : other,
      serverBytes: fromClient ? other : own,
      time,
    });
    connection.estimating = false;
    if (starts) parser.turn(fromClient, segment);
  }
}

/** Bytes that passed, of a difference modulo 2^32. */
function positive(difference: number): number {
  return difference > LARGEST_STEP ? 0 : difference;
}

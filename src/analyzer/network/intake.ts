import { DIRECTION, FLAG, KIND, RECORD, ROLE } from '../../model/record.gen.ts';
import { endConnection } from './closing.ts';
import type { Connection } from './connection.ts';
import type { Detection } from './detection.ts';
import type { MessageFeed } from './message-feed.ts';
import { recordNumber } from './record-reader.ts';
import type { RecordTimes } from './record-reader.ts';
import { RecordStore } from './record-store.ts';
import type { NetworkStatistics } from './statistics.ts';

const { head, owner, totals } = RECORD;

/** Records held on one connection for their turn, and all of them together, in bytes. */
const MAX_HELD = 256;
const MAX_HELD_BYTES = 1 << 20;
/** Records that wait, on all connections together, until it is known what they speak, in bytes. */
const MAX_UNDECIDED_BYTES = 16 << 20;

/** How long an interrupted connection waits for a request of which bytes are seen. */
const RESUME_NS = 2e9;

const HALF = 0x80000000;

export interface IntakeParts {
  readonly feed: MessageFeed;
  readonly detection: Detection;
  readonly statistics: NetworkStatistics;
  readonly times: RecordTimes;
}

/**
 * Brings the records of each connection into order by their `number`: two threads or two CPUs may deliver them
 * slightly out of it. What comes too early is held until what is missing came, a tick passed, or too much is
 * held; then it is a gap.
 */
export class Intake {
  readonly #feed: MessageFeed;
  readonly #detection: Detection;
  readonly #statistics: NetworkStatistics;
  readonly #times: RecordTimes;
  readonly #holding = new Set<Connection>();
  #heldBytes = 0;
  #undecidedBytes = 0;
  #ticks = 0;

  constructor(parts: IntakeParts) {
    this.#feed = parts.feed;
    this.#detection = parts.detection;
    this.#statistics = parts.statistics;
    this.#times = parts.times;
  }

  /** A message, owner, totals or close record of the connection. */
  record(connection: Connection, bytes: Uint8Array, words: Uint32Array, halves: Uint16Array, offset: number): void {
    const kind = bytes[offset + head.kind];
    if (kind === KIND.owner) {
      takeOwner(connection, words, offset);
      return;
    }
    const isMessage = kind === KIND.message;
    const ahead = (recordNumber(words, offset, isMessage) - connection.number) >>> 0;
    if (connection.opened && ahead === (isMessage ? 1 : 0)) {
      this.#take(connection, kind, bytes, words, halves, offset);
      if (connection.held !== null) this.#drain(connection, false);
      return;
    }
    if (connection.opened && (ahead >= HALF || ahead === 0)) {
      this.#late(connection, kind, bytes, words, halves, offset);
      return;
    }
    this.#hold(connection, bytes, words, offset);
  }

  /** An open record came for records that are held. */
  opened(connection: Connection): void {
    if (connection.held === null) connection.direct = true;
    else this.#drain(connection, false);
  }

  /** What was held over a whole tick will not get what it waits for. */
  tick(): void {
    this.#ticks++;
    for (const connection of this.#holding) {
      if (this.#ticks - connection.heldSince > 1) this.release(connection);
    }
  }

  /** Takes everything that is held, gaps or not. */
  release(connection: Connection): void {
    if (connection.held !== null) this.#drain(connection, true);
  }

  releaseAll(): void {
    for (const connection of this.#holding) this.release(connection);
  }

  /** Decides what is undecided, for good. */
  decide(connection: Connection): void {
    const records = connection.undecided;
    if (records === null) return;
    if (this.#detection.decide(connection, records, true)) this.#feedUndecided(connection, records);
  }

  /** Message records that wait for their turn or for a decision. */
  waiting(connection: Connection): number {
    return messagesIn(connection.held) + (connection.undecided?.count ?? 0);
  }

  #take(
    connection: Connection,
    kind: number,
    bytes: Uint8Array,
    words: Uint32Array,
    halves: Uint16Array,
    offset: number,
  ): void {
    if (kind === KIND.message) {
      connection.number = recordNumber(words, offset, true);
      if (connection.resumes) {
        if (connection.ignored || !this.#mayResume(connection, bytes, words, halves, offset)) {
          this.#statistics.refused('off', 1);
          return;
        }
        resume(connection, bytes, words, halves, offset);
      }
      if (
        connection.parser === null &&
        connection.undecided === null &&
        this.#detection.decideAtOnce(connection, bytes, halves, offset)
      ) {
        connection.direct = connection.held === null;
      }
      if (connection.parser !== null) {
        this.#feed.message(connection, connection.parser, bytes, words, halves, offset);
        return;
      }
      connection.undecided ??= new RecordStore();
      if (connection.undecided.count === 0) connection.undecidedSince = this.#times.read(words, offset + head.time);
      connection.undecided.add(bytes, offset, words[offset >>> 2]);
      this.#undecidedBytes += words[offset >>> 2];
      const full = this.#undecidedBytes > MAX_UNDECIDED_BYTES;
      if (full) this.#statistics.decidedEarly++;
      if (this.#detection.decide(connection, connection.undecided, full)) {
        this.#feedUndecided(connection, connection.undecided);
      }
      return;
    }
    const lost = (recordNumber(words, offset, false) - connection.number) >>> 0;
    if (kind === KIND.close && !connection.resumes) {
      this.decide(connection);
      // Everything it said was lost: the exchanges are counted all the same.
      if (connection.parser === null && connection.number + lost > 0) this.#detection.presume(connection);
    }
    if (lost < HALF) {
      this.#statistics.lostRecords += lost;
      connection.number = (connection.number + lost) >>> 0;
      if (connection.parser !== null) {
        const anyLost = lost > 0 || connection.missing > 0;
        this.#feed.totals(connection, connection.parser, bytes, words, offset, anyLost);
      }
    }
    if (kind !== KIND.close) return;
    if (connection.cookieLow === 0 && connection.cookieHigh === 0) {
      connection.cookieLow = words[(offset + totals.cookie) >>> 2];
      connection.cookieHigh = words[((offset + totals.cookie) >>> 2) + 1];
    }
    endConnection(connection, bytes[offset + totals.reason], this.#times.read(words, offset + head.time));
  }

  /**
   * Records of before may still come, without bytes or of half an exchange: it is taken up by a request. Where none is
   * seen for a while (its bytes cannot be read) anything will do.
   */
  #mayResume(
    connection: Connection,
    bytes: Uint8Array,
    words: Uint32Array,
    halves: Uint16Array,
    offset: number,
  ): boolean {
    const time = this.#times.read(words, offset + head.time);
    if (Number.isNaN(connection.resumesBy)) connection.resumesBy = time + RESUME_NS;
    return time > connection.resumesBy || beginsRequest(connection, bytes, halves, offset);
  }

  #feedUndecided(connection: Connection, records: RecordStore): void {
    this.#undecidedBytes -= records.length;
    connection.undecided = null;
    connection.undecidedSince = Number.NaN;
    for (let offset = 0; offset < records.length; offset += records.lengthAt(offset)) {
      if (connection.parser === null) return;
      this.#feed.message(connection, connection.parser, records.bytes, records.words, records.halves, offset);
    }
  }

  #late(
    connection: Connection,
    kind: number,
    bytes: Uint8Array,
    words: Uint32Array,
    halves: Uint16Array,
    offset: number,
  ): void {
    // Its place was given up as a gap, or it came twice. A late sweep says nothing new; a close always does.
    if (kind === KIND.message) this.#statistics.droppedGap++;
    else if (kind === KIND.close) this.#take(connection, kind, bytes, words, halves, offset);
  }

  #hold(connection: Connection, bytes: Uint8Array, words: Uint32Array, offset: number): void {
    const length = words[offset >>> 2];
    connection.held ??= new RecordStore();
    if (connection.held.count === 0) connection.heldSince = this.#ticks;
    connection.direct = false;
    connection.held.add(bytes, offset, length);
    this.#heldBytes += length;
    this.#holding.add(connection);
    this.#statistics.reordered++;
    if (connection.held.count > MAX_HELD) this.release(connection);
    else if (this.#heldBytes > MAX_HELD_BYTES) this.releaseAll();
  }

  /** Takes held records while they are next; `all`: the lowest number is next, whatever is missing before it. */
  #drain(connection: Connection, all: boolean): void {
    const held = connection.held;
    if (held === null) return;
    while (held.count > 0 && connection.live) {
      const offset = lowest(held, connection.number, connection.opened);
      const kind = held.bytes[offset + head.kind];
      const isMessage = kind === KIND.message;
      const number = recordNumber(held.words, offset, isMessage);
      if (!connection.opened) {
        if (!all) return;
        this.#adopt(connection, held, offset, isMessage);
      }
      const ahead = (number - connection.number) >>> 0;
      const due = isMessage ? 1 : 0;
      if (ahead !== due && ahead < HALF && ahead !== 0) {
        if (!all) return;
        if (isMessage) {
          this.#statistics.lostRecords += ahead - 1;
          connection.missing += ahead - 1;
        }
      }
      this.#heldBytes -= held.lengthAt(offset);
      if (isMessage && (ahead === 0 || ahead >= HALF)) this.#statistics.droppedGap++;
      else this.#take(connection, kind, held.bytes, held.words, held.halves, offset);
      held.remove(offset);
    }
    // Whatever follows a close is not this connection's.
    this.#statistics.droppedGap += messagesIn(held);
    this.#heldBytes -= held.length;
    connection.held = null;
    connection.direct = connection.live && connection.opened;
    this.#holding.delete(connection);
  }

  /** No open record will come: begin with what is there. */
  #adopt(connection: Connection, held: RecordStore, offset: number, isMessage: boolean): void {
    connection.opened = true;
    connection.joined = true;
    const number = recordNumber(held.words, offset, isMessage);
    connection.number = isMessage ? number - 1 : number;
    const word = offset >>> 2;
    const { message } = RECORD;
    if (!isMessage) {
      connection.turnNumber = held.words[word + totals.turn / 4];
      connection.tx = held.words[word + totals.tx / 4];
      connection.rx = held.words[word + totals.rx / 4];
      connection.joinedTurn = connection.turnNumber + 1;
      return;
    }
    const size = held.words[word + message.size / 4];
    const sends = held.bytes[offset + head.direction] === 1;
    connection.turnNumber = held.words[word + message.turn / 4] - 1;
    connection.tx = held.words[word + message.tx / 4];
    connection.rx = held.words[word + message.rx / 4] - (sends ? 0 : size);
    connection.joinedTurn = connection.turnNumber + 1;
  }
}

/** Where the record with the lowest number stands; of equals, a message comes before totals. */
function lowest(held: RecordStore, after: number, ordered: boolean): number {
  let best = 0;
  let bestRank = Infinity;
  const base = ordered ? after : 0;
  for (let offset = 0; offset < held.length; offset += held.lengthAt(offset)) {
    const kind = held.bytes[offset + head.kind];
    const isMessage = kind === KIND.message;
    // Signed, so that what is late comes first.
    const distance = (recordNumber(held.words, offset, isMessage) - base) | 0;
    let rank = distance * 4;
    if (kind === KIND.totals) rank += 1;
    else if (kind === KIND.close) rank += 2;
    if (rank < bestRank) {
      bestRank = rank;
      best = offset;
    }
  }
  return best;
}

function messagesIn(records: RecordStore | null): number {
  if (records === null) return 0;
  let count = 0;
  for (let offset = 0; offset < records.length; offset += records.lengthAt(offset)) {
    if (records.bytes[offset + head.kind] === KIND.message) count++;
  }
  return count;
}

function beginsRequest(connection: Connection, bytes: Uint8Array, halves: Uint16Array, offset: number): boolean {
  const starts = (halves[(offset + head.flags) >>> 1] & FLAG.start) !== 0;
  if (!starts || halves[(offset + head.captured) >>> 1] === 0) return false;
  const sends = bytes[offset + head.direction] === DIRECTION.send;
  return connection.role === ROLE.unknown || sends === (connection.role === ROLE.client);
}

/** The first record after a time in which messages were not asked for: what passed is none of its business. */
function resume(
  connection: Connection,
  bytes: Uint8Array,
  words: Uint32Array,
  halves: Uint16Array,
  offset: number,
): void {
  const { message } = RECORD;
  const word = offset >>> 2;
  const size = words[word + message.size / 4];
  const sends = bytes[offset + head.direction] === DIRECTION.send;
  const starts = (halves[(offset + head.flags) >>> 1] & FLAG.start) !== 0;
  connection.resumes = false;
  connection.missing = 0;
  connection.counted = false;
  connection.turnNumber = (words[word + message.turn / 4] - (starts ? 1 : 0)) >>> 0;
  connection.tx = words[word + message.tx / 4];
  connection.rx = (words[word + message.rx / 4] - (sends ? 0 : size)) >>> 0;
}

function takeOwner(connection: Connection, words: Uint32Array, offset: number): void {
  connection.pid = words[(offset + owner.tgid) >>> 2];
  for (let i = 0; i < 4; i++) connection.addresses[8 + i] = words[((offset + owner.comm) >>> 2) + i];
  connection.endpoint = null;
}

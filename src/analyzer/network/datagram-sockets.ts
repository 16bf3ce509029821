import { DIRECTION, RECORD } from '../../model/record.gen.ts';
import { endConnection, stopConnection } from './closing.ts';
import { Connection } from './connection.ts';
import type { Environment } from './connection.ts';
import { openDatagrams } from './opening.ts';
import { readPort, readWide } from './record-reader.ts';
import type { RecordTimes, RecordViews } from './record-reader.ts';
import { Segment } from './segment.ts';

const { head, datagram, totals, size: sizes } = RECORD;

/** A UDP socket that was silent for so long is forgotten. */
const IDLE_NS = 120e9;

/** UDP sockets by cookie. They have no open and close: the first datagram opens, silence closes. */
export class DatagramSockets {
  readonly #environment: Environment;
  readonly #times: RecordTimes;
  readonly #capacity: number;
  readonly #sockets = new Map<number, Connection>();
  readonly #segment = new Segment();

  constructor(environment: Environment, times: RecordTimes, capacity: number) {
    this.#environment = environment;
    this.#times = times;
    this.#capacity = capacity;
  }

  get connections(): Iterable<Connection> {
    return this.#sockets.values();
  }

  record(views: RecordViews, offset: number): void {
    const { bytes, words, halves } = views;
    const word = offset >>> 2;
    const sends = bytes[offset + head.direction] === DIRECTION.send;
    const cookie = readWide(words, offset + datagram.cookie);
    const connection = this.#sockets.get(cookie) ?? this.#open(cookie, views, offset, sends);
    if (connection === null || connection.parser === null) {
      this.#environment.statistics.droppedTableFull++;
      return;
    }
    const segment = this.#segment;
    const captured = halves[(offset + head.captured) >>> 1];
    const size = words[word + datagram.size / 4];
    segment.bytes = bytes;
    segment.start = offset + sizes.datagram;
    segment.end = segment.start + captured;
    segment.unseen = size > captured ? size - captured : 0;
    segment.time = this.#times.read(words, offset + head.time);
    segment.starts = true;
    segment.peerPort = readPort(bytes, offset + datagram.remotePort);
    segment.peerStart = offset + datagram.remoteAddress;
    segment.peerLength = bytes[offset + datagram.family] === 4 ? 4 : 16;
    connection.openedAt = segment.time;
    const pid = words[word + datagram.tgid / 4];
    if (pid !== connection.pid && pid !== 0) {
      connection.pid = pid;
      connection.endpoint = null;
    }
    connection.news = 1;
    connection.refusal = 'unrequested';
    connection.parser.data(sends !== connection.isServer, segment);
    if (connection.news !== 0) this.#environment.statistics.refused(connection.refusal, 1);
    connection.news = 0;
  }

  /** A close record of a replay, which knows when a UDP conversation is over. @returns whether it is one of these */
  close({ bytes, words }: RecordViews, offset: number): boolean {
    if (this.#sockets.size === 0) return false;
    const cookie = readWide(words, offset + totals.cookie);
    const connection = this.#sockets.get(cookie);
    if (connection === undefined) return false;
    endConnection(connection, bytes[offset + totals.reason], this.#times.read(words, offset + head.time));
    this.#sockets.delete(cookie);
    return true;
  }

  tick(now: number): void {
    for (const [cookie, connection] of this.#sockets) {
      connection.parser?.tick(now);
      if (now - connection.openedAt <= IDLE_NS) continue;
      stopConnection(connection, 'input_end', now);
      this.#sockets.delete(cookie);
    }
  }

  flush(now: number): void {
    for (const connection of this.#sockets.values()) stopConnection(connection, 'flush', now);
    this.#sockets.clear();
  }

  #open(cookie: number, views: RecordViews, offset: number, sends: boolean): Connection | null {
    if (this.#sockets.size >= this.#capacity) return null;
    const connection = new Connection(this.#environment);
    connection.begin(-1, 0);
    openDatagrams(connection, views, offset, sends);
    connection.speak(this.#environment.protocols.datagrams);
    this.#sockets.set(cookie, connection);
    return connection;
  }
}

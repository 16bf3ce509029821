import { KIND, RECORD } from '../../model/record.gen.ts';
import type { Connection } from './connection.ts';
import type { RecordTimes, RecordViews } from './record-reader.ts';
import { TransportHistory } from './transport-history.ts';

const { head } = RECORD;

/** Connections that are remembered before their open record: those that are slow to come about. */
const MAX_EARLY = 1024;

interface Early {
  readonly generation: number;
  readonly history: TransportHistory;
}

/** Gives what the network did to the connection that it did it to. */
export class TransportHistories {
  readonly #times: RecordTimes;
  /** By index: a socket that still connects may be in trouble before it has an open record. */
  readonly #early = new Map<number, Early>();

  constructor(times: RecordTimes) {
    this.#times = times;
  }

  /** A tcp or tcp event record. @param connection what is known by its index, whatever its generation */
  record(connection: Connection | null, views: RecordViews, offset: number): void {
    const generation = views.halves[(offset + head.generation) >>> 1];
    // Without a socket.
    if (generation === 0) return;
    const history = this.#historyOf(connection, views.words[(offset + head.index) >>> 2], generation);
    if (views.bytes[offset + head.kind] === KIND.tcp) history.measured(views, offset, this.#times);
    else history.happened(views, offset, this.#times);
  }

  /** The open record of a connection came. */
  opened(connection: Connection): void {
    if (this.#early.size === 0) return;
    const early = this.#early.get(connection.index);
    if (early === undefined) return;
    this.#early.delete(connection.index);
    if (early.generation === connection.generation) connection.transport ??= early.history;
  }

  #historyOf(connection: Connection | null, index: number, generation: number): TransportHistory {
    if (connection?.live === true && connection.generation === generation) {
      connection.transport ??= new TransportHistory();
      return connection.transport;
    }
    const known = this.#early.get(index);
    if (known?.generation === generation) return known.history;
    const [oldest] = this.#early.keys();
    if (oldest !== undefined && this.#early.size >= MAX_EARLY) this.#early.delete(oldest);
    const history = new TransportHistory();
    this.#early.set(index, { generation, history });
    return history;
  }
}

import type { Consumer } from '../../model/data-group.ts';
import type { EventBatch, EventConsumer, PolicySink } from '../../model/event-batch.ts';
import type { Stage } from '../../model/law.ts';
import type { NetworkCounts } from '../../model/network-counts.ts';
import { KIND, RECORD } from '../../model/record.gen.ts';
import { stopConnection } from './closing.ts';
import { ConnectionTable } from './connection-table.ts';
import type { Connection, Environment } from './connection.ts';
import { DatagramSockets } from './datagram-sockets.ts';
import { Detection } from './detection.ts';
import { ExchangeView } from './exchange-view.ts';
import type { ConnectionNames } from './exchange-view.ts';
import type { Exchange } from './exchange.ts';
import { Intake } from './intake.ts';
import type { LabelInterner } from './label-cache.ts';
import { Labeller } from './labeller.ts';
import { MessageFeed } from './message-feed.ts';
import { openConnection } from './opening.ts';
import { Protocols } from './protocols.ts';
import type { ProtocolSettings } from './protocols.ts';
import { RecordTimes } from './record-reader.ts';
import { NetworkStatistics } from './statistics.ts';
import { Texts } from './texts.ts';
import { TransportHistories } from './transport-histories.ts';

const { head, message, size: sizes } = RECORD;

/** Bytes before a record's payload, by kind; more than any record has for what is no kind. */
const FIXED = new Float64Array(256).fill(Infinity);
FIXED[KIND.message] = sizes.message;
FIXED[KIND.open] = sizes.open;
FIXED[KIND.owner] = sizes.owner;
FIXED[KIND.totals] = sizes.totals;
FIXED[KIND.close] = sizes.totals;
FIXED[KIND.datagram] = sizes.datagram;
FIXED[KIND.tcp] = sizes.tcp;
FIXED[KIND.tcpEvent] = sizes.tcpEvent;
FIXED[KIND.listener] = sizes.listener;

/** Timeouts are looked at so often, on the events' time. */
const TIMERS_NS = 1e9;
/** A connection whose first bytes do not tell what it speaks is decided after so long. */
const UNDECIDED_NS = 30e9;
/** Exchanges of which only the number is known that are yielded between two ticks: one damaged record may claim any number. */
const MAX_LOST_A_TICK = 65_536;
/** Label sets that were not used for so long are let go. */
const SWEEP_NS = 30e9;

export interface NetworkAnalyzerOptions {
  /** Size of the connection table (`analyzers.network.max_connections`). */
  readonly maxConnections: number;
  /** By protocol name (`analyzers.network.protocols`). Default: all on, with their own timeouts. */
  readonly protocols?: Readonly<Record<string, ProtocolSettings>>;
  readonly labels: LabelInterner;
  /** Takes the exchanges: views that are valid during `consume`. */
  readonly next: Consumer;
  /** Where connections are narrowed and widened. Default: nowhere. */
  readonly policy?: PolicySink;
  /** The time in records that is 0 in the pipeline, ns (`Clock.origin`). Default 0. */
  readonly origin?: bigint;
  /** Names of connections by cookie, where the source has its own. Default: the cookie. */
  readonly connectionNames?: ConnectionNames;
  /** Length of the kernel's tick. Default 4 ms; see `setTickNs`. */
  readonly tickNs?: number;
}

export interface NetworkAnalyzer extends EventConsumer {
  /** The stage `analyzer` of the law. Unit: message and datagram records, and what is no record. */
  readonly stage: Stage;
  readonly statistics: Readonly<NetworkStatistics>;
  /** Lets caches go that were not used lately. */
  forget(): void;
  /** Whether connections that are new are followed; otherwise their messages are dropped (`table_full`). */
  admit(newcomers: boolean): void;
  /** Those that are live now; good until the next record. */
  connections(): Iterable<Readonly<Connection>>;
  /** What is shown beside the law, at this moment. */
  counts(): NetworkCounts;
  /** Length of the kernel's tick in ns, which queue times come in: the receiver learns it at run time. */
  setTickNs(ns: number): void;
  /**
   * Switches a protocol. Off: connections that speak it end what is open, incomplete, and go on as whatever else
   * recognises them, `generic` in the end; records of exchanges of a protocol that is off are skipped by design. On:
   * connections that are generic are looked at again.
   */
  enableProtocol(name: string, enabled: boolean): void;
  /** Other ports and another timeout for a protocol; what is left out is its own. */
  configureProtocol(name: string, settings: ProtocolSettings): void;
  /** UDP is not captured from here on: what is open ends, incomplete. */
  endDatagrams(): void;
  /** Policy `ignore` begins (what is open ends, incomplete) or ends (it is taken up by its next request). */
  ignore(index: number, generation: number, ignored: boolean): void;
}

/** Pairs the messages of each connection into exchanges, and yields them to `next`. */
export function createNetworkAnalyzer(options: NetworkAnalyzerOptions): NetworkAnalyzer {
  return new Analyzer(options);
}

class Analyzer implements NetworkAnalyzer, Environment {
  readonly texts = new Texts();
  readonly protocols: Protocols;
  readonly statistics = new NetworkStatistics();
  readonly policy: PolicySink | null;
  readonly stage: Stage;

  readonly #next: Consumer;
  readonly #labeller: Labeller;
  readonly #view: ExchangeView;
  readonly #times: RecordTimes;
  readonly #feed: MessageFeed;
  readonly #intake: Intake;
  readonly #table: ConnectionTable;
  readonly #datagrams: DatagramSockets;
  /** Of the last tick. */
  #now = 0;
  readonly #transports: TransportHistories;
  #lostAllowed = MAX_LOST_A_TICK;
  #nextTimers = -Infinity;
  #nextSweep = -Infinity;
  #admits = true;

  constructor(options: NetworkAnalyzerOptions) {
    this.policy = options.policy ?? null;
    this.protocols = new Protocols(this.texts, options.protocols ?? {});
    this.#next = options.next;
    this.#labeller = new Labeller(options.labels);
    this.#view = new ExchangeView(this.#labeller, options.connectionNames ?? null);
    this.#times = new RecordTimes(options.origin ?? 0n);
    this.#feed = new MessageFeed(this.#times, this.statistics);
    if (options.tickNs !== undefined) this.setTickNs(options.tickNs);
    this.#intake = new Intake({
      feed: this.#feed,
      detection: new Detection(this.protocols),
      statistics: this.statistics,
      times: this.#times,
    });
    this.#table = new ConnectionTable(this, options.maxConnections);
    this.#datagrams = new DatagramSockets(this, this.#times, options.maxConnections);
    this.#transports = new TransportHistories(this.#times);
    this.stage = { name: 'analyzer', read: () => this.statistics.stage(this.#inFlight()) };
  }

  forget(): void {
    this.#labeller.sweep();
  }

  admit(newcomers: boolean): void {
    this.#admits = newcomers;
  }

  connections(): Iterable<Readonly<Connection>> {
    return this.#table.live();
  }

  setTickNs(ns: number): void {
    this.#feed.tickNs = ns;
  }

  enableProtocol(name: string, enabled: boolean): void {
    const { generic } = this.protocols;
    const affected = (connection: Connection): boolean =>
      connection.parser !== null &&
      (enabled ? connection.protocol === generic : connection.protocol.module.name === name);
    // Those of `generic` itself go on: only what comes of them changes.
    const connections = name === generic.module.name ? [] : [...this.#table.live()].filter(affected);
    for (const connection of connections) {
      this.#intake.release(connection);
      connection.interrupt(this.#now);
    }
    this.protocols.enable(name, enabled);
  }

  configureProtocol(name: string, settings: ProtocolSettings): void {
    this.protocols.configure(name, settings);
  }

  endDatagrams(): void {
    this.#datagrams.flush(this.#now);
  }

  ignore(index: number, generation: number, ignored: boolean): void {
    const connection = this.#table.at(index);
    if (connection === null || !connection.live || connection.generation !== generation) return;
    this.#intake.release(connection);
    this.#intake.decide(connection);
    connection.ignored = ignored;
    if (connection.live) connection.interrupt(this.#now);
  }

  consume(batch: EventBatch): void {
    const { bytes, words, halves, length } = batch;
    const table = this.#table;
    const feed = this.#feed;
    const statistics = this.statistics;
    let offset = 0;
    while (offset < length) {
      const word = offset >>> 2;
      const recordLength = words[word];
      if (recordLength < RECORD.align || (recordLength & 3) !== 0 || recordLength > length - offset) {
        // Where the next record begins is not known.
        statistics.produced++;
        statistics.droppedBadRecord++;
        return;
      }
      const kind = bytes[offset + head.kind];
      if (halves[(offset + head.captured) >>> 1] + FIXED[kind] > recordLength) {
        statistics.produced++;
        statistics.droppedBadRecord++;
      } else if (kind === KIND.message) {
        statistics.produced++;
        const connection = table.at(words[word + head.index / 4]);
        if (
          connection !== null &&
          connection.direct &&
          connection.generation === halves[(offset + head.generation) >>> 1] &&
          connection.parser !== null &&
          words[word + message.number / 4] === (connection.number + 1) >>> 0
        ) {
          connection.number = words[word + message.number / 4];
          feed.message(connection, connection.parser, bytes, words, halves, offset);
        } else {
          this.#rest(batch, offset, kind);
        }
      } else {
        this.#rest(batch, offset, kind);
      }
      offset += recordLength;
    }
  }

  tick(now: number): void {
    this.#now = now;
    this.#lostAllowed = MAX_LOST_A_TICK;
    this.#intake.tick();
    if (now < this.#nextTimers) return;
    this.#nextTimers = now + TIMERS_NS;
    for (const connection of this.#table.live()) {
      if (connection.first !== null) connection.parser?.tick(now);
      else if (now - connection.undecidedSince > UNDECIDED_NS) this.#intake.decide(connection);
    }
    this.#datagrams.tick(now);
    if (now < this.#nextSweep) return;
    this.#nextSweep = now + SWEEP_NS;
    this.#labeller.sweep();
  }

  flush(now: number): void {
    this.#intake.releaseAll();
    for (const connection of this.#table.live()) {
      this.#intake.decide(connection);
      stopConnection(connection, 'flush', now);
    }
    this.#datagrams.flush(now);
    this.#labeller.clear();
  }

  spendLost(count: number): number {
    const spent = Math.min(count, this.#lostAllowed);
    this.#lostAllowed -= spent;
    return spent;
  }

  finished(exchange: Exchange, connection: Connection): void {
    const statistics = this.statistics;
    if (!connection.protocol.enabled) {
      statistics.refused('off', exchange.messages);
      return;
    }
    statistics.exchanges++;
    if (!exchange.complete) statistics.incomplete++;
    statistics.delivered += exchange.messages;
    const view = this.#view;
    view.set(exchange, connection, this.#labeller.label(exchange, connection));
    this.#next.consume(view);
  }

  counts(): NetworkCounts {
    let connections = 0;
    for (const sockets of [this.#table.live(), this.#datagrams.connections]) {
      for (const { live } of sockets) if (live) connections++;
    }
    return this.statistics.counts(connections);
  }

  /** Everything but the next message of a connection that is well known. */
  #rest(batch: EventBatch, offset: number, kind: number): void {
    if (kind === KIND.datagram) {
      this.statistics.produced++;
      this.#datagrams.record(batch, offset);
      return;
    }
    if (kind === KIND.tcp || kind === KIND.tcpEvent || kind === KIND.listener) {
      if (kind !== KIND.listener) {
        this.#transports.record(this.#table.at(batch.words[(offset + head.index) >>> 2]), batch, offset);
      }
      return;
    }
    if (kind === KIND.close && this.#datagrams.close(batch, offset)) return;
    const { bytes, words, halves } = batch;
    const connection = this.#locate(batch, offset, kind);
    if (connection === null) return;
    if (kind === KIND.open || kind === KIND.owner || kind === KIND.close) this.policy?.life?.(batch, offset);
    if (kind === KIND.open) {
      const lost = openConnection(connection, batch, offset, this.#times);
      if (lost < 0) return;
      this.statistics.connectionsOpened++;
      this.#transports.opened(connection);
      if (connection.held === null) {
        connection.number = lost;
        this.statistics.lostRecords += lost;
        connection.missing += lost;
      }
      this.#intake.opened(connection);
    } else {
      this.#intake.record(connection, bytes, words, halves, offset);
    }
  }

  /** The connection of a record; a new generation ends the old one. Null if the record is of no use. */
  #locate(batch: EventBatch, offset: number, kind: number): Connection | null {
    const index = batch.words[(offset + head.index) >>> 2];
    const generation = batch.halves[(offset + head.generation) >>> 1];
    const connection = this.#table.reserve(index);
    const isMessage = kind === KIND.message;
    if (connection === null) {
      if (isMessage) this.statistics.droppedTableFull++;
      return null;
    }
    if (connection.generation === generation) {
      if (connection.live) return connection;
      if (connection.begun) {
        if (isMessage) this.statistics.droppedGap++;
        return null;
      }
    }
    // Sockets that are filtered use up generations unseen: an open record is news however far its own is.
    const isOlder = connection.begun && ((generation - connection.generation) & 0xffff) >= 0x8000;
    if (isOlder && kind !== KIND.open) {
      if (isMessage) this.statistics.droppedGap++;
      return null;
    }
    if (!this.#admits && !connection.live) {
      if (isMessage) this.statistics.droppedTableFull++;
      return null;
    }
    if (connection.live) {
      this.#intake.release(connection);
      this.#intake.decide(connection);
      if (connection.live) {
        this.statistics.connectionsLost++;
        stopConnection(connection, 'lost', this.#times.read(batch.words, offset + head.time));
      }
    }
    connection.begin(index, generation);
    return connection;
  }

  /** Records in exchanges that are open, and records that wait: counted where they are. */
  #inFlight(): number {
    let count = 0;
    for (const connections of [this.#table.live(), this.#datagrams.connections]) {
      for (const connection of connections) {
        count += this.#intake.waiting(connection);
        for (let exchange = connection.first; exchange !== null; exchange = exchange.next) count += exchange.messages;
      }
    }
    return count;
  }
}

import { CLOSE, FLAG, RECORD, ROLE } from '../../model/record.gen.ts';
import type { Labels } from '../../model/label-sets.ts';
import { CLOSE_METRIC, CONNECT_METRIC, QUALITY_METRIC, RETRANSMIT_METRIC } from '../../model/tcp.ts';
import { readPort, readWide } from '../network/record-reader.ts';
import type { RecordTimes, RecordViews } from '../network/record-reader.ts';
import { connectResult } from './connect-result.ts';
import { TcpConnection } from './connection.ts';
import { COUNTER_PLACE, CounterTable } from './counters.ts';
import type { GroupOutput } from './group-output.ts';
import type { PeerTable } from './peer-table.ts';
import { PeerIdentity } from './peer.ts';
import { RetransmitCauses } from './retransmit-causes.ts';
import type { RetransmitCause } from './retransmit-causes.ts';
import type { TcpStatistics } from './statistics.ts';

const { head, open, owner, totals, tcp } = RECORD;

const NS_PER_US = 1000;
const CONNECTING_TAKES_AT_MOST = 2 ** 50;
/** Sockets whose retransmissions are remembered before their open record: those that are slow to connect. */
const MAX_EARLY = 1024;

/** How a connection ended, by CLOSE: labels of its close. */
const ENDS: Readonly<Record<number, Labels>> = {
  [CLOSE.local]: { side: 'local', reason: 'fin' },
  [CLOSE.remote]: { side: 'remote', reason: 'fin' },
  [CLOSE.resetLocal]: { side: 'local', reason: 'reset' },
  [CLOSE.resetRemote]: { side: 'remote', reason: 'reset' },
  [CLOSE.timeout]: { reason: 'timeout' },
};
const UNKNOWN_END: Labels = { reason: 'unknown' };

export interface ConnectionsParts {
  readonly capacity: number;
  readonly peers: PeerTable;
  readonly output: GroupOutput;
  readonly statistics: TcpStatistics;
  readonly times: RecordTimes;
}

interface Connecting {
  readonly connection: TcpConnection;
  readonly generation: number;
}

interface EarlyCauses {
  readonly generation: number;
  readonly causes: RetransmitCauses;
}

/** Follows connections by the kernel's index, and yields how they came about, fared and ended. */
export class Connections {
  readonly #parts: ConnectionsParts;
  readonly #table: (TcpConnection | undefined)[] = [];
  readonly #counters = new CounterTable();
  readonly #identity = new PeerIdentity();
  readonly #early = new Map<number, EarlyCauses>();
  /** Connected, as far as is known, since this tick and the one before. */
  #connecting: Connecting[] = [];
  #connectingBefore: Connecting[] = [];

  constructor(parts: ConnectionsParts) {
    this.#parts = parts;
  }

  /** The open connection of a record; undefined if there is none. */
  at({ words, halves }: RecordViews, offset: number): TcpConnection | undefined {
    const connection = this.#table[words[(offset + head.index) >>> 2]];
    const generation = halves[(offset + head.generation) >>> 1];
    return connection?.live === true && connection.generation === generation ? connection : undefined;
  }

  open(views: RecordViews, offset: number): void {
    const { bytes, words, halves } = views;
    const { statistics, times, peers } = this.#parts;
    const index = words[(offset + head.index) >>> 2];
    const generation = halves[(offset + head.generation) >>> 1];
    if (index >= this.#parts.capacity) {
      statistics.droppedTableFull++;
      return;
    }
    const connection = (this.#table[index] ??= new TcpConnection(index));
    const isSame = connection.begun && connection.generation === generation;
    if (isSame && !connection.live) {
      statistics.skippedLate++;
      return;
    }
    statistics.delivered++;
    const time = times.read(words, offset + head.time);
    if (!isSame) {
      // Its close record was lost.
      if (connection.live) this.#end(connection, CLOSE.unknown, 0, Number.NaN, time);
      connection.begin(generation);
      this.#counters.begin(index);
      connection.openedAt = time;
      connection.joined = (halves[(offset + head.flags) >>> 1] & FLAG.joined) !== 0;
      connection.causes = this.#takeEarly(index, generation);
    }
    connection.role = bytes[offset + open.role];
    const identity = this.#identity;
    identity.setAddress(words, (offset + open.remoteAddress) >>> 2, bytes[offset + open.family]);
    identity.setRole(
      connection.role,
      readPort(bytes, offset + open.localPort),
      readPort(bytes, offset + open.remotePort),
    );
    identity.setProcess(words[(offset + open.tgid) >>> 2], words, (offset + open.comm) >>> 2);
    connection.belongTo(peers.find(identity, time));
    if (isSame || connection.joined) return;
    if (connection.role === ROLE.server) this.#accepted(connection, time);
    if (connection.role !== ROLE.client) return;
    const connectNs = readWide(words, offset + open.connectNs);
    connection.connectNs = connectNs > 0 && connectNs < CONNECTING_TAKES_AT_MOST ? connectNs : Number.NaN;
    connection.connecting = true;
    this.#connecting.push({ connection, generation });
  }

  owner(views: RecordViews, offset: number): void {
    const connection = this.at(views, offset);
    if (connection?.peer == null) {
      this.#unopened(views, offset);
      return;
    }
    this.#parts.statistics.delivered++;
    const { words } = views;
    this.#identity.copy(connection.peer);
    this.#identity.setProcess(words[(offset + owner.tgid) >>> 2], words, (offset + owner.comm) >>> 2);
    const time = this.#parts.times.read(words, offset + head.time);
    connection.belongTo(this.#parts.peers.find(this.#identity, time));
  }

  close(views: RecordViews, offset: number): void {
    const connection = this.at(views, offset);
    if (connection === undefined) {
      this.#unopened(views, offset);
      return;
    }
    this.#parts.statistics.delivered++;
    const { bytes, words, halves } = views;
    const time = this.#parts.times.read(words, offset + head.time);
    const duration = connection.joined ? Number.NaN : Math.max(0, time - connection.openedAt);
    this.#end(connection, bytes[offset + totals.reason], halves[(offset + totals.error) >>> 1], duration, time);
  }

  /** How TCP fares on a connection. */
  measure(views: RecordViews, offset: number): void {
    const connection = this.at(views, offset);
    if (connection?.peer == null) {
      this.#unopened(views, offset);
      return;
    }
    const { output, peers, statistics, times } = this.#parts;
    statistics.delivered++;
    const { words, halves } = views;
    const time = times.read(words, offset + head.time);
    const isJoined = connection.joined || (halves[(offset + head.flags) >>> 1] & FLAG.joined) !== 0;
    this.#counters.take(connection.index, words, offset, isJoined && !connection.measured);
    connection.measured = true;
    const { delta } = this.#counters;
    const word = offset >>> 2;
    connection.hold(words[word + tcp.unread / 4], words[word + tcp.unsent / 4]);

    const { metrics } = output.quality;
    const hasNews = delta[COUNTER_PLACE.delivered] > 0;
    const sample = (value: number): number => (hasNews && value > 0 ? value : Number.NaN);
    metrics[QUALITY_METRIC.rtt] = sample(words[word + tcp.srttUs / 4] * NS_PER_US);
    metrics[QUALITY_METRIC.rttVariation] = sample(words[word + tcp.rttvarUs / 4] * NS_PER_US);
    metrics[QUALITY_METRIC.minRtt] = sample(words[word + tcp.minRttUs / 4] * NS_PER_US);
    metrics[QUALITY_METRIC.deliveryRate] = sample(readWide(words, offset + tcp.deliveryRate));
    metrics[QUALITY_METRIC.sentBytes] = delta[COUNTER_PLACE.bytesSent];
    metrics[QUALITY_METRIC.retransmittedBytes] = delta[COUNTER_PLACE.bytesRetransmitted];
    metrics[QUALITY_METRIC.receivedBytes] = delta[COUNTER_PLACE.bytesReceived];
    metrics[QUALITY_METRIC.sentSegments] = delta[COUNTER_PLACE.segmentsOut];
    metrics[QUALITY_METRIC.receivedSegments] = delta[COUNTER_PLACE.segmentsIn];
    metrics[QUALITY_METRIC.spurious] = delta[COUNTER_PLACE.spurious];
    metrics[QUALITY_METRIC.lossProbes] = delta[COUNTER_PLACE.lossProbes];
    metrics[QUALITY_METRIC.outOfOrder] = delta[COUNTER_PLACE.outOfOrder];
    metrics[QUALITY_METRIC.reordered] = delta[COUNTER_PLACE.reordered];
    metrics[QUALITY_METRIC.delivered] = delta[COUNTER_PLACE.delivered];
    metrics[QUALITY_METRIC.busy] = delta[COUNTER_PLACE.busyUs] * NS_PER_US;
    metrics[QUALITY_METRIC.receiverLimited] = delta[COUNTER_PLACE.receiverLimitedUs] * NS_PER_US;
    metrics[QUALITY_METRIC.bufferLimited] = delta[COUNTER_PLACE.bufferLimitedUs] * NS_PER_US;
    metrics[QUALITY_METRIC.zeroWindow] = delta[COUNTER_PLACE.zeroWindowUs] * NS_PER_US;
    output.quality.yield(peers.labels(connection.peer), time);

    const segments = delta[COUNTER_PLACE.retransmits];
    if (segments === 0) return;
    connection.causes ??= new RetransmitCauses();
    this.#retransmitted(connection, connection.causes.share(segments, delta[COUNTER_PLACE.lossProbes]), time);
  }

  /** A segment of a socket was sent again, which may not have its open record yet. @param cause RETRANSMIT */
  retransmit(views: RecordViews, offset: number, cause: number): void {
    const connection = this.at(views, offset);
    if (connection !== undefined) {
      connection.causes ??= new RetransmitCauses();
      connection.causes.add(cause);
      return;
    }
    const index = views.words[(offset + head.index) >>> 2];
    const generation = views.halves[(offset + head.generation) >>> 1];
    let early = this.#early.get(index);
    if (early?.generation !== generation) {
      const [oldest] = this.#early.keys();
      if (this.#early.size >= MAX_EARLY) this.#early.delete(oldest);
      early = { generation, causes: new RetransmitCauses() };
      this.#early.set(index, early);
    }
    early.causes.add(cause);
  }

  /** Between batches: connects that did not fail by now have not failed. */
  tick(now: number): void {
    for (const { connection, generation } of this.#connectingBefore) {
      if (connection.generation === generation) this.#connected(connection, now);
    }
    this.#connectingBefore = this.#connecting;
    this.#connecting = [];
  }

  #takeEarly(index: number, generation: number): RetransmitCauses | null {
    if (this.#early.size === 0) return null;
    const early = this.#early.get(index);
    this.#early.delete(index);
    return early?.generation === generation ? early.causes : null;
  }

  #unopened({ words, halves }: RecordViews, offset: number): void {
    const index = words[(offset + head.index) >>> 2];
    const known = this.#table[index];
    const { statistics } = this.#parts;
    if (index >= this.#parts.capacity) statistics.droppedTableFull++;
    else if (known?.begun === true && known.generation === halves[(offset + head.generation) >>> 1]) {
      statistics.skippedLate++;
    } else statistics.droppedGap++;
  }

  #accepted(connection: TcpConnection, time: number): void {
    const { output, peers } = this.#parts;
    const { metrics } = output.connect;
    metrics[CONNECT_METRIC.duration] = Number.NaN;
    metrics[CONNECT_METRIC.connects] = 0;
    metrics[CONNECT_METRIC.accepts] = 1;
    if (connection.peer !== null) output.connect.yield(peers.labels(connection.peer), time);
  }

  #connected(connection: TcpConnection, time: number): void {
    if (connection.connecting) this.#connect(connection, 'ok', connection.connectNs, time);
  }

  #connect(connection: TcpConnection, result: string, duration: number, time: number): void {
    connection.connecting = false;
    const { output, peers } = this.#parts;
    const { metrics } = output.connect;
    metrics[CONNECT_METRIC.duration] = duration;
    metrics[CONNECT_METRIC.connects] = 1;
    metrics[CONNECT_METRIC.accepts] = 0;
    if (connection.peer === null) return;
    output.connect.yield(peers.labels(connection.peer, `connect ${result}`, { result }), time);
  }

  #retransmitted(connection: TcpConnection, shares: Iterable<[RetransmitCause, number]>, time: number): void {
    const { output, peers } = this.#parts;
    if (connection.peer === null) return;
    for (const [cause, count] of shares) {
      output.retransmit.metrics[RETRANSMIT_METRIC.segments] = count;
      output.retransmit.yield(peers.labels(connection.peer, `retransmit ${cause}`, { cause }), time);
    }
  }

  #end(connection: TcpConnection, reason: number, errno: number, duration: number, time: number): void {
    if (!connection.measured && connection.causes !== null) {
      this.#retransmitted(connection, connection.causes.rest(), time);
    }
    if (reason === CLOSE.connectFailed) {
      connection.role = ROLE.client;
      this.#connect(connection, connectResult(errno), connection.connectNs, time);
    } else {
      this.#connected(connection, time);
      if (reason !== CLOSE.switchedOff) this.#closed(connection, reason, duration, time);
    }
    connection.belongTo(null);
    connection.live = false;
    connection.causes = null;
  }

  #closed(connection: TcpConnection, reason: number, duration: number, time: number): void {
    const { output, peers } = this.#parts;
    const { metrics } = output.close;
    metrics[CLOSE_METRIC.duration] = duration;
    metrics[CLOSE_METRIC.closes] = 1;
    const ended = ENDS[reason] ?? UNKNOWN_END;
    if (connection.peer !== null) output.close.yield(peers.labels(connection.peer, `close ${reason}`, ended), time);
  }
}

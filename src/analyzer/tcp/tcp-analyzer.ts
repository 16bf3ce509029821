import type { Consumer } from '../../model/data-group.ts';
import type { EventBatch, EventConsumer } from '../../model/event-batch.ts';
import type { Stage } from '../../model/law.ts';
import { DIRECTION, KIND, RECORD, ROLE } from '../../model/record.gen.ts';
import { CONNECTION_METRIC, UDP_METRIC } from '../../model/tcp.ts';
import type { LabelInterner } from '../network/label-cache.ts';
import { readPort, RecordTimes } from '../network/record-reader.ts';
import { Connections } from './connections.ts';
import { DropTotals } from './drop-totals.ts';
import { GroupOutput } from './group-output.ts';
import { Happenings } from './happenings.ts';
import { Listeners } from './listeners.ts';
import { PeerTable } from './peer-table.ts';
import { PeerIdentity } from './peer.ts';
import type { Peer } from './peer.ts';
import type { EnumNames } from './reasons.ts';
import { TcpStatistics } from './statistics.ts';

const { head, datagram, size: sizes } = RECORD;

/** Bytes before a record's payload, by kind; 0 for what is not taken here. */
const FIXED = new Uint16Array(256);
FIXED[KIND.open] = sizes.open;
FIXED[KIND.owner] = sizes.owner;
FIXED[KIND.close] = sizes.totals;
FIXED[KIND.datagram] = sizes.datagram;
FIXED[KIND.tcp] = sizes.tcp;
FIXED[KIND.tcpEvent] = sizes.tcpEvent;
FIXED[KIND.listener] = sizes.listener;

/** Peers that are gone are looked for so often. */
const SWEEP_NS = 30e9;

const NO_DROPS: ReadonlyMap<number, number> = new Map();

export interface TcpAnalyzerOptions {
  /** Size of the connection table (`analyzers.network.max_connections`), and of that of peers. */
  readonly maxConnections: number;
  readonly labels: LabelInterner;
  /** Takes the groups: views that are valid during `consume`. */
  readonly next: Consumer;
  /** The time in records that is 0 in the pipeline, ns (`Clock.origin`). Default 0. */
  readonly origin?: bigint;
  /** What the kernel calls its reasons. Default: they stay numbers. */
  readonly enumName?: EnumNames;
  /** Packets that the kernel dropped, by the number of its reason, since the start. Default: those that events tell of. */
  readonly dropTotals?: () => ReadonlyMap<number, number>;
}

export interface TcpAnalyzer extends EventConsumer {
  /** The stage `tcp` of the law. Unit: open, owner, close, datagram, tcp, event and listener records. */
  readonly stage: Stage;
  /** Yields how things stand: open connections, what waits in queues. Call it once in each window. */
  observe(now: number): void;
}

/** Follows TCP connections, listening sockets and UDP peers, and yields what the network did to them. */
export function createTcpAnalyzer(options: TcpAnalyzerOptions): TcpAnalyzer {
  return new Analyzer(options);
}

class Analyzer implements TcpAnalyzer {
  readonly stage: Stage;
  readonly #statistics = new TcpStatistics();
  readonly #times: RecordTimes;
  readonly #output: GroupOutput;
  readonly #peers: PeerTable;
  readonly #connections: Connections;
  readonly #happenings: Happenings;
  readonly #listeners: Listeners;
  readonly #identity = new PeerIdentity();
  #nextSweep = -Infinity;
  #isOver = false;

  constructor(options: TcpAnalyzerOptions) {
    const { labels, maxConnections, enumName = () => undefined } = options;
    const statistics = this.#statistics;
    const times = new RecordTimes(options.origin ?? 0n);
    const output = new GroupOutput(options.next);
    const peers = new PeerTable(labels, maxConnections);
    this.#times = times;
    this.#output = output;
    this.#peers = peers;
    this.#connections = new Connections({ capacity: maxConnections, peers, output, statistics, times });
    this.#happenings = new Happenings({
      connections: this.#connections,
      peers,
      labels,
      output,
      statistics,
      times,
      enumName,
      dropTotals: new DropTotals(options.dropTotals ?? (() => NO_DROPS)),
    });
    this.#listeners = new Listeners({ labels, output, statistics, times });
    this.stage = { name: 'tcp', read: () => statistics.stage(this.#happenings.waiting) };
  }

  consume(batch: EventBatch): void {
    const { bytes, words, halves, length } = batch;
    const statistics = this.#statistics;
    let offset = 0;
    while (offset < length) {
      const recordLength = words[offset >>> 2];
      if (recordLength < RECORD.align || (recordLength & 3) !== 0 || recordLength > length - offset) {
        // Where the next record begins is not known.
        statistics.produced++;
        statistics.droppedBadRecord++;
        return;
      }
      const kind = bytes[offset + head.kind];
      const fixed = FIXED[kind];
      if (fixed !== 0) {
        statistics.produced++;
        if (halves[(offset + head.captured) >>> 1] + fixed > recordLength) statistics.droppedBadRecord++;
        else this.#take(kind, batch, offset);
      }
      offset += recordLength;
    }
  }

  tick(now: number): void {
    this.#connections.tick(now);
    this.#happenings.tick(now, false);
    if (now < this.#nextSweep) return;
    this.#nextSweep = now + SWEEP_NS;
    this.#peers.sweep(now);
  }

  flush(now: number): void {
    this.#happenings.tick(now, true);
    this.#isOver = true;
    // Twice, so that no connect is young any more.
    this.#connections.tick(now);
    this.#connections.tick(now);
  }

  observe(now: number): void {
    const { connection } = this.#output;
    for (const peer of this.#peers.all()) {
      if (peer.connections > 0) {
        connection.metrics[CONNECTION_METRIC.connections] = peer.connections;
        connection.metrics[CONNECTION_METRIC.unread] = peer.unread;
        connection.metrics[CONNECTION_METRIC.unsent] = peer.unsent;
        connection.yield(this.#peers.labels(peer), now);
      }
      if (peer.datagrams > 0) this.#yieldDatagrams(peer, now);
    }
    this.#listeners.observe(now);
    this.#happenings.tellUntoldDrops(now, this.#isOver);
  }

  #take(kind: number, batch: EventBatch, offset: number): void {
    switch (kind) {
      case KIND.open:
        this.#connections.open(batch, offset);
        this.#happenings.opened(batch, offset);
        return;
      case KIND.owner:
        this.#connections.owner(batch, offset);
        return;
      case KIND.close:
        this.#connections.close(batch, offset);
        return;
      case KIND.tcp:
        this.#connections.measure(batch, offset);
        return;
      case KIND.tcpEvent:
        this.#happenings.record(batch, offset);
        return;
      case KIND.listener:
        this.#listeners.record(batch, offset);
        return;
      case KIND.datagram:
        this.#datagram(batch, offset);
    }
  }

  #datagram({ bytes, words }: EventBatch, offset: number): void {
    const identity = this.#identity;
    const word = offset >>> 2;
    const local = readPort(bytes, offset + datagram.localPort);
    const remote = readPort(bytes, offset + datagram.remotePort);
    identity.setAddress(words, word + datagram.remoteAddress / 4, bytes[offset + datagram.family]);
    // Of an unknown peer there is no address either: zeros would read as 0.0.0.0.
    if (remote === 0) identity.setAddress(words, word + datagram.remoteAddress / 4, 0);
    identity.setRole(datagramRole(local, remote), local, remote);
    identity.setProcess(words[word + datagram.tgid / 4], words, word + datagram.comm / 4);
    const peer = this.#peers.find(identity, this.#times.read(words, offset + head.time));
    const size = words[word + datagram.size / 4];
    this.#statistics.delivered++;
    if (bytes[offset + head.direction] === DIRECTION.send) {
      peer.sentDatagrams++;
      peer.sentBytes += size;
    } else {
      peer.receivedDatagrams++;
      peer.receivedBytes += size;
    }
  }

  #yieldDatagrams(peer: Peer, now: number): void {
    const { udp } = this.#output;
    udp.metrics[UDP_METRIC.sentDatagrams] = peer.sentDatagrams;
    udp.metrics[UDP_METRIC.sentBytes] = peer.sentBytes;
    udp.metrics[UDP_METRIC.receivedDatagrams] = peer.receivedDatagrams;
    udp.metrics[UDP_METRIC.receivedBytes] = peer.receivedBytes;
    peer.sentDatagrams = 0;
    peer.sentBytes = 0;
    peer.receivedDatagrams = 0;
    peer.receivedBytes = 0;
    udp.yield(this.#peers.labels(peer), now);
  }
}

/** Ports from here on are picked by kernels for clients. */
const FIRST_EPHEMERAL = 32_768;

/** UDP has no roles: the end with the port that was not picked by a kernel serves. */
function datagramRole(local: number, remote: number): number {
  const isLocalServed = local < FIRST_EPHEMERAL;
  if (remote === 0) return isLocalServed ? ROLE.server : ROLE.client;
  if (isLocalServed === remote < FIRST_EPHEMERAL) return ROLE.unknown;
  return isLocalServed ? ROLE.server : ROLE.client;
}

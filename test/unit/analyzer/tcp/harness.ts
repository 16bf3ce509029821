import { createTcpAnalyzer } from '../../../../src/analyzer/tcp/tcp-analyzer.ts';
import type { TcpAnalyzer, TcpAnalyzerOptions } from '../../../../src/analyzer/tcp/tcp-analyzer.ts';
import type { Consumer, DataGroup } from '../../../../src/model/data-group.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import type { Labels } from '../../../../src/model/label-sets.ts';
import { FLAG, KIND, RECORD } from '../../../../src/model/record.gen.ts';
import { NETWORK_GROUPS } from '../../../../src/processor/aggregate/groups.ts';
import { RecordWriter, Socket } from '../records.ts';
import type { SocketOptions } from '../records.ts';

const { head, tcp, tcpEvent, listener, totals, size: sizes } = RECORD;

/** A group as plain values; what is not known is left out. */
export interface Told {
  readonly name: string;
  readonly labels: Labels;
  readonly metrics: Readonly<Record<string, number>>;
  readonly timestamp: number;
}

class Teller implements Consumer {
  readonly told: Told[] = [];
  readonly #labels: LabelSets;

  constructor(labels: LabelSets) {
    this.#labels = labels;
  }

  consume(group: DataGroup): void {
    const positions = NETWORK_GROUPS.find(({ name }) => name === group.name)?.positions ?? {};
    this.told.push({
      name: group.name,
      labels: this.#labels.labels(group.labels),
      metrics: Object.fromEntries(
        Object.entries(positions)
          .map(([name, place]) => [name, group.metrics[place]] as const)
          .filter(([, value]) => !Number.isNaN(value)),
      ),
      timestamp: group.timestamp,
    });
  }
}

export type TcpField = keyof typeof tcp;

const WIDE: ReadonlySet<string> = new Set([
  'bytesSent',
  'bytesRetransmitted',
  'bytesReceived',
  'busyUs',
  'receiverLimitedUs',
  'bufferLimitedUs',
  'deliveryRate',
]);

export interface EventOptions {
  readonly index?: number;
  readonly generation?: number;
  readonly time?: number;
  readonly cause?: number;
  readonly local?: { address: readonly number[]; port: number };
  readonly remote?: { address: readonly number[]; port: number };
  readonly state?: number;
}

export interface ListenerOptions {
  readonly cookie?: number;
  readonly time: number;
  readonly backlog?: number;
  readonly drops?: number;
  readonly port?: number;
}

/** An analyzer for records that a test writes. */
export class TcpHarness {
  readonly writer = new RecordWriter();
  readonly labels = new LabelSets();
  readonly analyzer: TcpAnalyzer;
  readonly #teller = new Teller(this.labels);

  constructor(options: Partial<TcpAnalyzerOptions> = {}) {
    this.analyzer = createTcpAnalyzer({ maxConnections: 64, labels: this.labels, next: this.#teller, ...options });
  }

  get told(): Told[] {
    return this.#teller.told;
  }

  /** Of one group, with their labels, in short: `tcpClose` → what was told of closes. */
  of(name: string): Told[] {
    return this.told.filter((one) => one.name === name);
  }

  sum(name: string, metric: string, labels: Labels = {}): number {
    return this.of(name)
      .filter((one) => Object.entries(labels).every(([key, value]) => one.labels[key as keyof Labels] === value))
      .reduce((total, one) => total + (one.metrics[metric] ?? 0), 0);
  }

  socket(options: Omit<SocketOptions, 'writer'> = {}): Socket {
    return new Socket({ ...options, writer: this.writer });
  }

  tcp(time: number, fields: Partial<Record<TcpField, number>>, socket: Partial<Socket> = {}, joined = false): this {
    const view = this.writer.record(KIND.tcp, sizes.tcp, socket.index ?? 0, socket.generation ?? 1, time);
    if (joined) view.setUint16(head.flags, FLAG.joined, true);
    for (const [name, value] of Object.entries(fields)) {
      const at = tcp[name as TcpField];
      if (WIDE.has(name)) view.setBigUint64(at, BigInt(value), true);
      else view.setUint32(at, value % 2 ** 32, true);
    }
    return this;
  }

  event(event: number, options: EventOptions = {}): this {
    const { index = 0, generation = 1, time = 0, cause = 0, state = 1 } = options;
    const view = this.writer.record(KIND.tcpEvent, sizes.tcpEvent, index, generation, time);
    view.setUint32(tcpEvent.event, event, true);
    view.setUint32(tcpEvent.cause, cause, true);
    const local = options.local ?? { address: [10, 0, 0, 1], port: 80 };
    const remote = options.remote ?? { address: [10, 0, 0, 2], port: 40_000 };
    view.setUint16(tcpEvent.localPort, local.port, false);
    view.setUint16(tcpEvent.remotePort, remote.port, false);
    for (const [i, byte] of local.address.entries()) view.setUint8(tcpEvent.localAddress + i, byte);
    for (const [i, byte] of remote.address.entries()) view.setUint8(tcpEvent.remoteAddress + i, byte);
    view.setUint8(tcpEvent.family, 4);
    view.setUint8(tcpEvent.state, state);
    return this;
  }

  /** A close record with an errno. */
  close(time: number, reason: number, errno: number, socket: Partial<Socket> = {}): this {
    const view = this.writer.record(KIND.close, sizes.totals, socket.index ?? 0, socket.generation ?? 1, time);
    view.setUint8(totals.reason, reason);
    view.setUint16(totals.error, errno, true);
    return this;
  }

  listener(options: ListenerOptions): this {
    const view = this.writer.record(KIND.listener, sizes.listener, 0, 0, options.time);
    view.setBigUint64(listener.cookie, BigInt(options.cookie ?? 5), true);
    view.setUint32(listener.backlog, options.backlog ?? 0, true);
    view.setUint32(listener.maxBacklog, 128, true);
    view.setUint32(listener.drops, (options.drops ?? 0) % 2 ** 32, true);
    view.setUint32(listener.tgid, 77, true);
    view.setUint16(listener.port, options.port ?? 80, false);
    view.setUint8(listener.family, 4);
    return this;
  }

  /** Hands over what was written since the last time. */
  deliver(): this {
    this.analyzer.consume(this.writer.take());
    return this;
  }

  tick(now: number): this {
    this.deliver();
    this.analyzer.tick(now);
    return this;
  }

  observe(now: number): this {
    this.deliver();
    this.analyzer.observe(now);
    return this;
  }

  flush(now: number): this {
    this.deliver();
    this.analyzer.flush(now);
    this.analyzer.observe(now);
    return this;
  }

  /** produced − delivered − in flight − dropped: 0, always. */
  get lawGap(): number {
    const { produced, delivered, inFlight, dropped } = this.analyzer.stage.read();
    return produced - delivered - inFlight - Object.values(dropped).reduce((total, term) => total + term, 0);
  }
}

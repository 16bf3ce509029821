import { createNetworkAnalyzer } from '../../../src/analyzer/network/network-analyzer.ts';
import type { NetworkAnalyzer, NetworkAnalyzerOptions } from '../../../src/analyzer/network/network-analyzer.ts';
import type { Consumer, DataGroup } from '../../../src/model/data-group.ts';
import { EXCHANGE_METRIC } from '../../../src/model/exchange.ts';
import type { ExchangeGroup } from '../../../src/model/exchange.ts';
import { LabelSets } from '../../../src/model/label-sets.ts';
import { POLICY } from '../../../src/model/record.gen.ts';
import { RecordWriter, Socket } from './records.ts';
import type { SocketOptions } from './records.ts';

/** An exchange as plain values. Durations in ns; null is NaN. */
export interface Seen {
  time: number;
  protocol: string | undefined;
  role: string | undefined;
  operation: string | null;
  resource: string | null;
  route: string | null;
  status: string | null;
  error: string | null;
  source: string;
  destination: string;
  duration: number | null;
  ttfb: number | null;
  queue: number | null;
  connect: number | null;
  requestSent: number | null;
  contentDownload: number | null;
  requestBytes: number;
  responseBytes: number;
  complete: boolean;
  estimated: boolean;
  pid: number;
  comm: string;
  connection: string;
  traceId: string | null;
  attributes: Readonly<Record<string, string | number | boolean>>;
}

function value(metrics: Float64Array, place: number): number | null {
  return Number.isNaN(metrics[place]) ? null : metrics[place];
}

/** Keeps every exchange as plain values. */
export class Collector implements Consumer {
  readonly seen: Seen[] = [];
  readonly #labels: LabelSets;

  constructor(labels: LabelSets) {
    this.#labels = labels;
  }

  consume(group: DataGroup): void {
    const exchange = group as ExchangeGroup;
    const labels = this.#labels.labels(exchange.labels);
    const metrics = exchange.metrics;
    this.seen.push({
      time: exchange.timestamp,
      protocol: labels.protocol,
      role: labels.role,
      operation: labels.operation ?? null,
      resource: exchange.resource(),
      route: labels.route ?? null,
      status: labels.status ?? null,
      error: labels.error ?? null,
      source: exchange.source(),
      destination: exchange.destination(),
      duration: value(metrics, EXCHANGE_METRIC.duration),
      ttfb: value(metrics, EXCHANGE_METRIC.ttfb),
      queue: value(metrics, EXCHANGE_METRIC.queue),
      connect: value(metrics, EXCHANGE_METRIC.connect),
      requestSent: value(metrics, EXCHANGE_METRIC.requestSent),
      contentDownload: value(metrics, EXCHANGE_METRIC.contentDownload),
      requestBytes: metrics[EXCHANGE_METRIC.requestBytes],
      responseBytes: metrics[EXCHANGE_METRIC.responseBytes],
      complete: exchange.complete,
      estimated: exchange.estimated,
      pid: exchange.pid(),
      comm: exchange.comm(),
      connection: exchange.connectionId(),
      traceId: exchange.traceId(),
      attributes: exchange.attributes(),
    });
  }
}

/** An analyzer with sockets that follow its policy words, as the kernel would. */
export class Harness {
  readonly writer = new RecordWriter();
  readonly labels = new LabelSets();
  readonly collector = new Collector(this.labels);
  readonly analyzer: NetworkAnalyzer;
  /** Policy words in the order they were set. */
  readonly policies: { index: number; generation: number; word: number }[] = [];
  readonly #sockets = new Map<number, Socket>();

  constructor(options: Partial<NetworkAnalyzerOptions> = {}) {
    this.analyzer = createNetworkAnalyzer({
      maxConnections: 64,
      labels: this.labels,
      next: this.collector,
      policy: { set: (index, generation, word) => this.#setPolicy(index, generation, word) },
      ...options,
    });
  }

  get seen(): Seen[] {
    return this.collector.seen;
  }

  socket(options: Omit<SocketOptions, 'writer'> = {}): Socket {
    const socket = new Socket({ ...options, writer: this.writer });
    this.#sockets.set(socket.index, socket);
    return socket;
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

  flush(now: number): this {
    this.deliver();
    this.analyzer.flush(now);
    return this;
  }

  /** produced − delivered − in flight − dropped: 0, always. */
  get lawGap(): number {
    const { produced, delivered, inFlight, dropped } = this.analyzer.stage.read();
    const sum = (terms: Readonly<Record<string, number>>): number =>
      Object.values(terms).reduce((total, term) => total + term, 0);
    return produced - delivered - inFlight - sum(dropped);
  }

  #setPolicy(index: number, generation: number, word: number): void {
    this.policies.push({ index, generation, word });
    const socket = this.#sockets.get(index);
    if (socket === undefined || socket.generation !== generation) return;
    socket.policy = (word & POLICY.mask) === POLICY.headers ? 'headers' : 'stream';
    socket.receiveClass = (word >>> POLICY.receiveClassShift) & 0xf;
    socket.sendClass = (word >>> POLICY.sendClassShift) & 0xf;
  }
}

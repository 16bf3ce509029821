import type { Consumer, DataGroup } from '../../model/data-group.ts';
import { EXCHANGE_METRIC } from '../../model/exchange.ts';
import type { LabelSets } from '../../model/label-sets.ts';
import type { Stage, StageCount } from '../../model/law.ts';
import { GROUP, LABEL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import type { SeriesSnapshot, SeriesSource } from '../../model/series.ts';
import { Completeness } from './completeness.ts';
import { GroupWindow } from './group-window.ts';
import type { GroupSpec } from './groups.ts';
import { DEFAULT_METRICS } from './layout.ts';
import type { MetricChoices } from './layout.ts';

/**
 * Labels that series keep by default: few values each on one host. Addresses and ports of clients, process ids and
 * container ids are left out, they would make a series of every connection or restart.
 */
export const DEFAULT_KEYS: readonly LabelKey[] = [
  LABEL.serviceName,
  LABEL.protocol,
  LABEL.role,
  LABEL.operation,
  LABEL.route,
  LABEL.status,
  LABEL.error,
  LABEL.serverAddress,
  LABEL.serverPort,
];

export interface AggregateOptions {
  readonly labels: LabelSets;
  /** Length of a window, ns. Default 5 s. */
  readonly windowNs?: number;
  /** Labels that series of exchanges keep, besides protocol and role. Default DEFAULT_KEYS. */
  readonly keys?: readonly LabelKey[];
  /** What is kept of which value of exchanges. Default DEFAULT_METRICS. */
  readonly metrics?: MetricChoices;
  /** What is summed up besides exchanges. Default nothing. */
  readonly groups?: OtherGroups;
  /** A series without an exchange for so long expires, ns. Default 15 min. */
  readonly ttlNs?: number;
  /** At most so many series of each group; the rest is counted in overflow series. Default 10,000. */
  readonly maxSeries?: number;
  /** Stages of the law; of these, `hook` and `ring` tell how complete a window is. */
  readonly stages?: readonly Stage[];
}

/** Groups that are no exchanges. */
export interface OtherGroups {
  readonly specs: readonly GroupSpec[];
  /** Their labels: of their own, so that peers without number take no room from routes. */
  readonly labels: LabelSets;
  /** Called before a window closes: who knows how things stand (values of the kind `level`) tells it now. */
  readonly observe: (now: number) => void;
}

export interface AggregateProcessor extends Consumer {
  /** Closes the window when its time is over; `now` in ns of the events' clock. */
  tick(now: number): void;
  /** Closes the window now. */
  flush(now: number): void;
  /** Memory is short: series without an exchange for `idleNs` expire; frozen: no further series and label sets are made. */
  restrain(idleNs: number, frozen: boolean): void;
  /** Stage `window` of the law; unit: exchanges. */
  readonly stage: Stage;
  /** Stage `window.tcp` of the law; unit: groups that are no exchanges. */
  readonly groupStage: Stage;
  readonly store: SeriesSource;
  /** Memory of the numbers of all series, those of the open window included, bytes. */
  readonly bytes: number;
}

/** Sums up in windows, and feeds the cumulative store of series at each window's end. */
export function createAggregateProcessor(options: AggregateOptions): AggregateProcessor {
  return new WindowAggregator(options);
}

class WindowAggregator implements AggregateProcessor {
  readonly stage: Stage = { name: 'window', read: () => this.#exchanges.read() };
  readonly groupStage: Stage = { name: 'window.tcp', read: () => this.#readOthers() };
  readonly store: SeriesSource = { snapshot: () => this.#snapshot() };

  readonly #windowNs: number;
  readonly #labels: readonly LabelSets[];
  readonly #exchanges: GroupWindow;
  readonly #others: ReadonlyMap<string, GroupWindow>;
  readonly #observe: (now: number) => void;
  readonly #completeness: Completeness;
  #windowEnd = Number.NaN;
  #closedAt = Number.NaN;

  constructor(options: AggregateOptions) {
    const { groups, labels, ttlNs = 900e9, maxSeries = 10_000 } = options;
    this.#windowNs = options.windowNs ?? 5e9;
    this.#labels = groups === undefined ? [labels] : [labels, groups.labels];
    const spec: GroupSpec = {
      name: GROUP.request,
      positions: EXCHANGE_METRIC,
      metrics: options.metrics ?? DEFAULT_METRICS,
      keys: options.keys ?? DEFAULT_KEYS,
    };
    this.#exchanges = new GroupWindow({ spec, labels, ttlNs, maxSeries });
    this.#others = new Map(
      groups?.specs.map((other) => [
        other.name,
        new GroupWindow({ spec: other, labels: groups.labels, ttlNs, maxSeries }),
      ]),
    );
    this.#observe = groups?.observe ?? (() => {});
    this.#completeness = new Completeness(options.stages ?? []);
  }

  consume(group: DataGroup): void {
    if (group.name === GROUP.request) this.#exchanges.consume(group);
    else this.#others.get(group.name)?.consume(group);
  }

  tick(now: number): void {
    if (Number.isNaN(this.#windowEnd)) {
      this.#windowEnd = now + this.#windowNs;
    } else if (now >= this.#windowEnd) {
      this.#close(now);
      this.#windowEnd = now + this.#windowNs - ((now - this.#windowEnd) % this.#windowNs);
    }
  }

  get bytes(): number {
    return [this.#exchanges, ...this.#others.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  restrain(idleNs: number, frozen: boolean): void {
    for (const window of [this.#exchanges, ...this.#others.values()]) window.restrain(idleNs, frozen);
    for (const labels of this.#labels) labels.frozen = frozen;
  }

  flush(now: number): void {
    this.#close(now);
    this.#windowEnd = now + this.#windowNs;
  }

  #close(now: number): void {
    this.#observe(now);
    const { exchanges, estimated } = this.#exchanges.close(now);
    for (const other of this.#others.values()) other.close(now);
    this.#completeness.mark(exchanges, estimated);
    this.#closedAt = now;
  }

  #readOthers(): StageCount {
    const counts = [...this.#others.values()].map((other) => other.read());
    const sum = (term: (count: StageCount) => number): number =>
      counts.reduce((total, count) => total + term(count), 0);
    return {
      produced: sum(({ produced }) => produced),
      delivered: sum(({ delivered }) => delivered),
      inFlight: sum(({ inFlight }) => inFlight),
      dropped: { cardinality: sum(({ dropped }) => dropped.cardinality) },
      skipped: {},
    };
  }

  #snapshot(): SeriesSnapshot {
    const windows = [this.#exchanges, ...this.#others.values()];
    const [exchanges, ...others] = windows.map((window) => ({ window, shared: window.share() }));
    return {
      layout: this.#exchanges.layout,
      pages: exchanges.shared.pages,
      groups: others.map(({ window: { spec, layout }, shared: { pages } }) => ({ name: spec.name, layout, pages })),
      totals: this.#exchanges.totals.map((counted) => ({ ...counted })),
      size: windows.reduce((size, window) => size + window.size, 0),
      overflowed: windows.reduce((overflowed, window) => overflowed + window.overflowed, 0),
      completeness: this.#completeness.ratio,
      closedAt: this.#closedAt,
      windowNs: this.#windowNs,
      release: () => {
        for (const { shared } of [exchanges, ...others]) shared.release();
      },
    };
  }
}

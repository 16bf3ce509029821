import type { Consumer, DataGroup } from '../../model/data-group.ts';
import { EXCHANGE_METRIC } from '../../model/exchange.ts';
import type { ExchangeGroup } from '../../model/exchange.ts';
import { LABEL_SET_INDEX } from '../../model/label-sets.ts';
import type { Labels, LabelSetId, LabelSets } from '../../model/label-sets.ts';
import type { Stage, StageCount } from '../../model/law.ts';
import { GROUP, LABEL, PROTOCOL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import type { ExchangeTotals, SeriesSnapshot, SeriesSource } from '../../model/series.ts';
import { Buckets } from './buckets.ts';
import { Completeness } from './completeness.ts';
import { knownMethod } from './known-method.ts';
import { DEFAULT_METRICS, layOut } from './layout.ts';
import type { MetricChoices } from './layout.ts';
import { SeriesStore } from './series-store.ts';

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

/** Kept whatever is configured: they decide how a series is named and where it is counted. */
const FIXED_KEYS: readonly LabelKey[] = [LABEL.protocol, LABEL.role, LABEL.overflow];

export interface AggregateOptions {
  readonly labels: LabelSets;
  /** Length of a window, ns. Default 5 s. */
  readonly windowNs?: number;
  /** Labels that series keep, besides protocol and role. Default DEFAULT_KEYS. */
  readonly keys?: readonly LabelKey[];
  /** What is kept of which value. Default DEFAULT_METRICS. */
  readonly metrics?: MetricChoices;
  /** A series without an exchange for so long expires, ns. Default 15 min. */
  readonly ttlNs?: number;
  /** At most so many series; the rest is counted in overflow series. Default 10,000. */
  readonly maxSeries?: number;
  /** Stages of the law; of these, `hook` and `ring` tell how complete a window is. */
  readonly stages?: readonly Stage[];
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
  readonly store: SeriesSource;
}

/** Sums exchanges up in windows and feeds the cumulative store of series at each window's end. */
export function createAggregateProcessor(options: AggregateOptions): AggregateProcessor {
  return new WindowAggregator(options);
}

/** A field of the row as the hot path needs it: position in `metrics`, columns in the row. */
interface Histogram {
  readonly metric: number;
  readonly sum: number;
  readonly first: number;
  readonly buckets: Buckets;
}
interface Sum {
  readonly metric: number;
  readonly sum: number;
}
interface Gauge {
  readonly metric: number;
  readonly count: number;
  readonly max: number;
  readonly last: number;
}

/** A memo entry: label set, slot, pair of protocol and role, unused. */
const MEMO = 4;
/** Counts of a pair in the open window: exchanges; incomplete and estimated ones of them; unused. */
const COUNTS = 4;

interface Totals {
  readonly protocol: string;
  readonly role: string;
  exchanges: number;
  incomplete: number;
  estimated: number;
  expired: number;
}

class WindowAggregator implements AggregateProcessor {
  readonly stage: Stage = { name: 'window', read: () => this.#read() };
  readonly store: SeriesSource = { snapshot: () => this.#snapshot() };

  readonly #labels: LabelSets;
  readonly #windowNs: number;
  readonly #ttlNs: number;
  readonly #keys: readonly LabelKey[];
  readonly #layout: ReturnType<typeof layOut>;
  readonly #histograms: readonly Histogram[];
  readonly #sums: readonly Sum[];
  readonly #gauges: readonly Gauge[];
  readonly #series: SeriesStore;
  readonly #completeness: Completeness;
  readonly #totals: Totals[] = [];
  /** Of the open window, COUNTS for each of #totals. */
  #open = new Float64Array(32);

  /** Rows of the open window, by slot. */
  #rows: Float64Array;
  #memo = new Int32Array(1024 * MEMO);
  /** Slots with an exchange in the open window. */
  readonly #touched: number[] = [];
  /** By slot: end of the last window with an exchange; the pair of protocol and role. */
  readonly #lastTouched: number[] = [];
  readonly #pairs: number[] = [];
  #windowEnd = Number.NaN;
  #closedAt = Number.NaN;
  #idleNs = Infinity;

  #produced = 0;
  #delivered = 0;
  #noRoom = 0;
  #overflowed = 0;

  constructor(options: AggregateOptions) {
    this.#labels = options.labels;
    this.#windowNs = options.windowNs ?? 5e9;
    this.#ttlNs = options.ttlNs ?? 900e9;
    this.#keys = [...new Set([...(options.keys ?? DEFAULT_KEYS), ...FIXED_KEYS])];
    this.#layout = layOut(options.metrics ?? DEFAULT_METRICS);
    const { fields } = this.#layout;
    this.#histograms = fields
      .filter(({ buckets }) => buckets >= 0)
      .map(({ metric, sum, buckets, bounds }) => ({
        metric: EXCHANGE_METRIC[metric],
        sum,
        first: buckets,
        buckets: new Buckets(bounds),
      }));
    this.#sums = fields
      .filter(({ buckets, sum }) => buckets < 0 && sum >= 0)
      .map(({ metric, sum }) => ({ metric: EXCHANGE_METRIC[metric], sum }));
    this.#gauges = fields
      .filter(({ count }) => count >= 0)
      .map(({ metric, count, max, last }) => ({ metric: EXCHANGE_METRIC[metric], count, max, last }));
    this.#series = new SeriesStore({
      labels: options.labels,
      layout: this.#layout,
      maxSeries: options.maxSeries ?? 10_000,
    });
    this.#rows = new Float64Array(64 * this.#layout.stride);
    this.#completeness = new Completeness(options.stages ?? []);
    this.#labels.onFree((id) => this.#forget(id));
  }

  consume(group: DataGroup): void {
    if (group.name !== GROUP.request) return;
    this.#produced += 1;
    const id = group.labels;
    let at = (id & LABEL_SET_INDEX) * MEMO;
    if (this.#memo[at] !== id || id === 0) at = this.#resolve(id);
    if (at < 0) {
      this.#noRoom += 1;
      return;
    }
    const slot = this.#memo[at + 1];
    const pair = this.#memo[at + 2] * COUNTS;
    this.#open[pair] += 1;
    if (!(group as ExchangeGroup).complete) {
      this.#open[pair + 1] += 1;
      // What is estimated is never complete.
      if ((group as ExchangeGroup).estimated) this.#open[pair + 2] += 1;
    }

    const rows = this.#rows;
    const base = slot * this.#layout.stride;
    if (rows[base] === 0) this.#touched.push(slot);
    rows[base] += 1;
    const metrics = group.metrics;
    // NaN, "not known", is the one value that differs from itself.
    const histograms = this.#histograms;
    for (let i = 0; i < histograms.length; i += 1) {
      const { metric, sum, first, buckets } = histograms[i];
      const value = metrics[metric];
      if (value !== value) continue;
      rows[base + sum] += value;
      rows[base + first + buckets.indexOf(value)] += 1;
    }
    const sums = this.#sums;
    for (let i = 0; i < sums.length; i += 1) {
      const { metric, sum } = sums[i];
      const value = metrics[metric];
      if (value === value) rows[base + sum] += value;
    }
    if (this.#gauges.length > 0) this.#recordGauges(base, metrics);
  }

  #recordGauges(base: number, metrics: Float64Array): void {
    const rows = this.#rows;
    for (const { metric, count, max, last } of this.#gauges) {
      const value = metrics[metric];
      if (value !== value) continue;
      const first = rows[base + count] === 0;
      rows[base + count] += 1;
      if (last >= 0) rows[base + last] = value;
      if (max >= 0 && (first || value > rows[base + max])) rows[base + max] = value;
    }
  }

  tick(now: number): void {
    if (Number.isNaN(this.#windowEnd)) {
      this.#windowEnd = now + this.#windowNs;
    } else if (now >= this.#windowEnd) {
      this.#close(now);
      this.#windowEnd = now + this.#windowNs - ((now - this.#windowEnd) % this.#windowNs);
    }
  }

  restrain(idleNs: number, frozen: boolean): void {
    this.#idleNs = idleNs;
    this.#series.frozen = frozen;
    this.#labels.frozen = frozen;
  }

  flush(now: number): void {
    this.#close(now);
    this.#windowEnd = now + this.#windowNs;
  }

  #close(now: number): void {
    for (const slot of this.#touched) this.#merge(slot, now);
    this.#touched.length = 0;
    let exchanges = 0;
    let estimated = 0;
    for (const [pair, totals] of this.#totals.entries()) {
      const first = pair * COUNTS;
      exchanges += this.#open[first];
      estimated += this.#open[first + 2];
      totals.exchanges += this.#open[first];
      totals.incomplete += this.#open[first + 1];
      totals.estimated += this.#open[first + 2];
    }
    this.#open.fill(0);
    this.#expire(now);
    this.#completeness.mark(exchanges, estimated);
    this.#closedAt = now;
  }

  #merge(slot: number, now: number): void {
    const { stride, additive } = this.#layout;
    const rows = this.#rows;
    const from = slot * stride;
    const { values, base } = this.#series.row(slot);
    this.#delivered += rows[from];
    for (let column = 0; column < additive; column += 1) values[base + column] += rows[from + column];
    for (const { count, sum, max, avg, last } of this.#layout.fields) {
      if (count < 0 || rows[from + count] === 0) continue;
      if (max >= 0) values[base + max] = rows[from + max];
      if (avg >= 0) values[base + avg] = rows[from + sum] / rows[from + count];
      if (last >= 0) values[base + last] = rows[from + last];
    }
    rows.fill(0, from, from + stride);
    this.#lastTouched[slot] = now;
  }

  #expire(now: number): void {
    let expired = false;
    const ttlNs = Math.min(this.#ttlNs, this.#idleNs);
    for (let slot = 0; slot < this.#series.capacity; slot += 1) {
      if (this.#series.labelSet(slot) === 0 || now - this.#lastTouched[slot] < ttlNs) continue;
      this.#totals[this.#pairs[slot]].expired += this.#series.remove(slot);
      expired = true;
    }
    if (!expired) return;
    // What pointed to those slots, or to an overflow series for want of room, is looked up anew.
    this.#memo.fill(0);
  }

  /** Finds or makes the series of a label set; returns its place in the memo, −1 if there is no room at all. */
  #resolve(id: LabelSetId): number {
    const labels = this.#labels.labels(id);
    const kept: Partial<Record<LabelKey, string>> = {};
    for (const key of this.#keys) {
      const value = labels[key];
      if (value !== undefined) kept[key] = value;
    }
    if (kept.protocol === PROTOCOL.http && kept.operation !== undefined) kept.operation = knownMethod(kept.operation);
    const aggregated = this.#labels.intern(kept);
    let slot = this.#series.slotOf(aggregated);
    if (slot < 0) slot = this.#series.slotOf(this.#labels.overflow(labels.protocol, labels.role));
    if (slot >= 0 && labels.overflow === undefined && this.#isOverflow(slot)) this.#overflowed += 1;
    this.#labels.release(aggregated);
    if (slot < 0) return -1;
    this.#makeRoom(slot);
    this.#pairs[slot] = this.#pairOf(this.#labels.labels(this.#series.labelSet(slot)));
    this.#lastTouched[slot] = Infinity;

    const at = (id & LABEL_SET_INDEX) * MEMO;
    if (at >= this.#memo.length) {
      const memo = new Int32Array(Math.max(at + MEMO, this.#memo.length * 2));
      memo.set(this.#memo);
      this.#memo = memo;
    }
    this.#memo[at] = id;
    this.#memo[at + 1] = slot;
    this.#memo[at + 2] = this.#pairs[slot];
    return at;
  }

  #isOverflow(slot: number): boolean {
    return this.#labels.labels(this.#series.labelSet(slot)).overflow !== undefined;
  }

  #makeRoom(slot: number): void {
    const needed = (slot + 1) * this.#layout.stride;
    if (needed <= this.#rows.length) return;
    const rows = new Float64Array(Math.max(needed, this.#rows.length * 2));
    rows.set(this.#rows);
    this.#rows = rows;
  }

  #pairOf(labels: Labels): number {
    const protocol = labels.protocol ?? '';
    const role = labels.role ?? '';
    const known = this.#totals.findIndex((totals) => totals.protocol === protocol && totals.role === role);
    if (known >= 0) return known;
    const pair = this.#totals.push({ protocol, role, exchanges: 0, incomplete: 0, estimated: 0, expired: 0 }) - 1;
    if (pair * COUNTS >= this.#open.length) {
      const open = new Float64Array(this.#open.length * 2);
      open.set(this.#open);
      this.#open = open;
    }
    return pair;
  }

  #forget(id: LabelSetId): void {
    const at = (id & LABEL_SET_INDEX) * MEMO;
    if (this.#memo[at] === id) this.#memo[at] = 0;
  }

  #read(): StageCount {
    let inFlight = 0;
    for (const slot of this.#touched) inFlight += this.#rows[slot * this.#layout.stride];
    return {
      produced: this.#produced,
      delivered: this.#delivered,
      inFlight,
      // The governor samples before exchanges are made; and overflow series, which always find room, take what is too much.
      dropped: { sampled: 0, cardinality: this.#noRoom },
      skipped: {},
    };
  }

  #snapshot(): SeriesSnapshot {
    const shared = this.#series.share();
    const totals: ExchangeTotals[] = this.#totals.map((counted) => ({ ...counted }));
    return {
      layout: this.#layout,
      pages: shared.pages,
      totals,
      size: this.#series.size,
      overflowed: this.#overflowed,
      completeness: this.#completeness.ratio,
      closedAt: this.#closedAt,
      windowNs: this.#windowNs,
      release: () => shared.release(),
    };
  }
}

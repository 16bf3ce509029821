import type { DataGroup } from '../../model/data-group.ts';
import type { ExchangeGroup } from '../../model/exchange.ts';
import { LABEL_SET_INDEX } from '../../model/label-sets.ts';
import type { Labels, LabelSetId, LabelSets } from '../../model/label-sets.ts';
import type { StageCount } from '../../model/law.ts';
import { LABEL, PROTOCOL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import type { ExchangeTotals } from '../../model/series.ts';
import { Buckets } from './buckets.ts';
import type { GroupSpec } from './groups.ts';
import { knownMethod } from './known-method.ts';
import { layOut } from './layout.ts';
import { SeriesStore } from './series-store.ts';
import type { PageSnapshot } from './series-store.ts';

/** Kept whatever is configured: they decide how a series is named and where it is counted. */
const FIXED_KEYS: readonly LabelKey[] = [LABEL.protocol, LABEL.role, LABEL.overflow];

export interface GroupWindowOptions {
  readonly spec: GroupSpec;
  readonly labels: LabelSets;
  /** A series without a group for so long expires, ns. */
  readonly ttlNs: number;
  /** At most so many series; the rest is counted in overflow series. */
  readonly maxSeries: number;
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
/** Counts of a pair in the open window: groups; incomplete and estimated ones of them (exchanges); unused. */
const COUNTS = 4;

interface Totals {
  readonly protocol: string;
  readonly role: string;
  exchanges: number;
  incomplete: number;
  estimated: number;
  expired: number;
}

/** Sums one kind of group up in windows, and feeds its store of series at each window's end. */
export class GroupWindow {
  readonly spec: GroupSpec;
  readonly layout: ReturnType<typeof layOut>;
  readonly #labels: LabelSets;
  readonly #ttlNs: number;
  readonly #keys: readonly LabelKey[];
  readonly #histograms: readonly Histogram[];
  readonly #sums: readonly Sum[];
  readonly #gauges: readonly Gauge[];
  /** Columns of states. */
  readonly #levels: readonly number[];
  readonly #series: SeriesStore;
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

  #idleNs = Infinity;

  #produced = 0;
  #delivered = 0;
  #noRoom = 0;
  #overflowed = 0;

  constructor(options: GroupWindowOptions) {
    const { spec } = options;
    const { positions } = spec;
    this.spec = spec;
    this.#labels = options.labels;
    this.#ttlNs = options.ttlNs;
    this.#keys = [...new Set([...spec.keys, ...FIXED_KEYS])];
    this.layout = layOut(spec.metrics);
    const { fields } = this.layout;
    this.#histograms = fields
      .filter(({ buckets }) => buckets >= 0)
      .map(({ metric, sum, buckets, bounds }) => ({
        metric: positions[metric],
        sum,
        first: buckets,
        buckets: new Buckets(bounds),
      }));
    this.#sums = [
      ...fields.filter(({ buckets, sum }) => buckets < 0 && sum >= 0).map(({ metric, sum }) => ({ metric, sum })),
      ...fields.filter(({ level }) => level >= 0).map(({ metric, level }) => ({ metric, sum: level })),
    ].map(({ metric, sum }) => ({ metric: positions[metric], sum }));
    this.#gauges = fields
      .filter(({ count }) => count >= 0)
      .map(({ metric, count, max, last }) => ({ metric: positions[metric], count, max, last }));
    this.#levels = fields.filter(({ level }) => level >= 0).map(({ level }) => level);
    this.#series = new SeriesStore({
      labels: options.labels,
      layout: this.layout,
      maxSeries: options.maxSeries,
    });
    this.#rows = new Float64Array(64 * this.layout.stride);
    this.#labels.onFree((id) => this.#forget(id));
  }

  /** Number of series, overflow series included. */
  get size(): number {
    return this.#series.size;
  }

  /** Label sets that found no room of their own. */
  get overflowed(): number {
    return this.#overflowed;
  }

  get totals(): readonly ExchangeTotals[] {
    return this.#totals;
  }

  /** Memory is short: series without a group for `idleNs` expire; frozen: no further series are made. */
  restrain(idleNs: number, frozen: boolean): void {
    this.#idleNs = idleNs;
    this.#series.frozen = frozen;
  }

  share(): PageSnapshot {
    return this.#series.share();
  }

  /** Memory of the numbers, those of the open window included, bytes. */
  get bytes(): number {
    return this.#series.bytes + this.#rows.byteLength + this.#memo.byteLength;
  }

  consume(group: DataGroup): void {
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
    // Of what is no exchange nobody reads this.
    if (!(group as ExchangeGroup).complete) {
      this.#open[pair + 1] += 1;
      // What is estimated is never complete.
      if ((group as ExchangeGroup).estimated) this.#open[pair + 2] += 1;
    }

    const rows = this.#rows;
    const base = slot * this.layout.stride;
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

  /** The window is over: its sums go to the store. Returns what it had. */
  close(now: number): { exchanges: number; estimated: number } {
    if (this.#levels.length > 0) this.#forgetLevels();
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
    return { exchanges, estimated };
  }

  /** A state that nobody tells of any more is over. */
  #forgetLevels(): void {
    for (let slot = 0; slot < this.#series.capacity; slot += 1) {
      if (this.#series.labelSet(slot) === 0 || this.#lastTouched[slot] === Infinity) continue;
      const { values, base } = this.#series.row(slot);
      for (const level of this.#levels) values[base + level] = 0;
    }
  }

  #merge(slot: number, now: number): void {
    const { stride, additive } = this.layout;
    const rows = this.#rows;
    const from = slot * stride;
    const { values, base } = this.#series.row(slot);
    this.#delivered += rows[from];
    for (let column = 0; column < additive; column += 1) values[base + column] += rows[from + column];
    for (const level of this.#levels) values[base + level] = rows[from + level];
    for (const { count, sum, max, avg, last } of this.layout.fields) {
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
    const needed = (slot + 1) * this.layout.stride;
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

  /** Terms of the law. */
  read(): StageCount {
    let inFlight = 0;
    for (const slot of this.#touched) inFlight += this.#rows[slot * this.layout.stride];
    return {
      produced: this.#produced,
      delivered: this.#delivered,
      inFlight,
      // The governor samples before exchanges are made; and overflow series, which always find room, take what is too much.
      dropped: { sampled: 0, cardinality: this.#noRoom },
      skipped: {},
    };
  }
}

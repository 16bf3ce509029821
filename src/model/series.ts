import type { EXCHANGE_METRIC } from './exchange.ts';
import type { Labels } from './label-sets.ts';

/** A value of an exchange by name: durations in ns, sizes in bytes. */
export type ExchangeMetricName = keyof typeof EXCHANGE_METRIC;

/**
 * What is kept of a value. `sum`, `count` and `histogram` only grow; `max`, `avg` and `last` are those of the last
 * window in which the series had an exchange. `level` is a state that is told anew in each window: the sum of what was
 * told in the last one, 0 if nothing was.
 */
export type Kind = 'sum' | 'count' | 'max' | 'avg' | 'last' | 'histogram' | 'level';

/** Where a row keeps one value of its exchanges. Exchanges that do not know the value are not in it. */
export interface SeriesField {
  /** Name of the value; of exchanges, an ExchangeMetricName. */
  readonly metric: string;
  readonly kinds: readonly Kind[];
  /** Column of the number of exchanges that knew the value; −1 if not kept (a histogram's buckets add up to it). */
  readonly count: number;
  /** Column of the sum; −1 if not kept. */
  readonly sum: number;
  /** First of `bounds.length + 1` columns, each the number of values up to its bound and above the one before; −1: none. */
  readonly buckets: number;
  /** Upper bounds in the value's own unit (ns, bytes), ascending, inclusive. */
  readonly bounds: readonly number[];
  /** Columns of the gauges; −1 if not kept. */
  readonly max: number;
  readonly avg: number;
  readonly last: number;
  readonly level: number;
}

/** How a row of numbers is laid out; the same for every series of a store. */
export interface SeriesLayout {
  readonly stride: number;
  /** Column of the number of exchanges. */
  readonly exchanges: number;
  readonly fields: readonly SeriesField[];
}

/** Some rows; row `i` starts at `i * stride`, and a row without labels is empty. */
export interface SeriesPage {
  readonly values: Float64Array;
  readonly labels: readonly (Labels | undefined)[];
}

/** Counts of a protocol and role over all time, kept apart from the series. */
export interface ExchangeTotals {
  readonly protocol: string;
  readonly role: string;
  readonly exchanges: number;
  /** Those of them that had a part lost or cut. */
  readonly incomplete: number;
  /** Those of them that were counted without being watched. */
  readonly estimated: number;
  /** Those of them whose series has expired. */
  readonly expired: number;
}

/** The series of another group than the exchanges': rows of a layout of its own. */
export interface SeriesGroup {
  /** One of `GROUP` in names.ts. */
  readonly name: string;
  readonly layout: SeriesLayout;
  readonly pages: readonly SeriesPage[];
}

/** All series at one moment. It stays as it is while the store goes on; give it back with `release`. */
export interface SeriesSnapshot {
  readonly layout: SeriesLayout;
  readonly pages: readonly SeriesPage[];
  /** What is not an exchange. */
  readonly groups: readonly SeriesGroup[];
  readonly totals: readonly ExchangeTotals[];
  /** Number of series, of all groups. */
  readonly size: number;
  /** Label sets that found no room of their own and were counted in an overflow series. */
  readonly overflowed: number;
  /** Share of the last closed window that was seen: neither lost in the stages `hook` and `ring` nor estimated. */
  readonly completeness: number;
  /** When the last window closed, ns of the pipeline's clock; NaN before the first one. */
  readonly closedAt: number;
  /** Length of a window, ns. */
  readonly windowNs: number;
  release(): void;
}

/** The one cumulative store, as exporters see it. */
export interface SeriesSource {
  snapshot(): SeriesSnapshot;
}

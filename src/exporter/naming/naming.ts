import type { Labels } from '../../model/label-sets.ts';
import type { Kind, SeriesField, SeriesLayout } from '../../model/series.ts';
import type { Metric } from './metric.ts';

/** How a column of the store is shown as a metric. */
export interface SeriesFamily {
  readonly metric: Metric;
  readonly field: SeriesField;
  readonly kind: Kind;
  /** What to divide stored values by: 1e9 makes seconds of ns. */
  readonly divisor: number;
  /** Of a histogram: the bounds to show, a part of the field's, in the field's unit. */
  readonly bounds: readonly number[];
  /**
   * True for a histogram that counts every exchange of a series: one whose value is not known is in the bucket +Inf
   * only, and not in the sum.
   */
  readonly everyExchange: boolean;
  accepts(labels: Labels): boolean;
  /**
   * Names and values of a series. Different label sets must stay different, or a page would show one series twice.
   */
  labels(labels: Labels): readonly (readonly [string, string])[];
}

/** Renames what the store holds; nothing else in the program knows outside names. */
export interface Naming {
  /** @param group one of `GROUP` in names.ts; without, exchanges */
  families(layout: SeriesLayout, group?: string): readonly SeriesFamily[];
}

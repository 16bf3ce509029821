import type { LabelSetId } from './label-sets.ts';

/**
 * The one type that flows through the pipeline. On the hot path it is a view that its producer reuses:
 * a consumer reads it during `consume` and keeps nothing of it.
 */
export interface DataGroup {
  /** One of `GROUP` in names.ts. */
  readonly name: string;
  /** Interned labels; resolve with `LabelSets.labels(id)`. */
  readonly labels: LabelSetId;
  /** Values by position; the positions are fixed per group name. NaN is "not known". */
  readonly metrics: Float64Array;
  /** Nanoseconds since the pipeline's start (see clock.ts). */
  readonly timestamp: number;
}

/** What takes DataGroups: processors and exporters. */
export interface Consumer {
  consume(group: DataGroup): void;
}

/**
 * The law: produced = delivered + in flight + Σ dropped, one unit a stage, each term counted on its own and never
 * computed from the others. What a stage passes over by design (skipped) is shown beside it and is in no term.
 * A stage is read at a scrape; it owns its counters.
 */
export interface Stage {
  /** `hook`, `ring`, `analyzer`, `window`, `export.<name>`. */
  readonly name: string;
  read(): StageCount;
}

export interface StageCount {
  readonly produced: number;
  readonly delivered: number;
  readonly inFlight: number;
  readonly dropped: Readonly<Record<string, number>>;
  /** Passed over by design (filtered, peek, …). */
  readonly skipped: Readonly<Record<string, number>>;
}

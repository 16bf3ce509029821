/**
 * The law: produced = delivered + in flight + Σ dropped (+ Σ skipped by design), one unit a stage, each term
 * counted on its own and never computed from the others. A stage is read at a scrape; it owns its counters.
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

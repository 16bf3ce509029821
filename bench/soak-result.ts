/** One line of the soak's samples. Sizes in bytes, counts since the start. */
export interface SoakSample {
  readonly seconds: number;
  readonly resident: number;
  readonly heap: number;
  readonly mapBytes: number;
  /** Sample lines of the page. */
  readonly series: number;
  /** Exchanges made by the generators, and counted by the probe at each side. */
  readonly made: number;
  readonly server: number;
  readonly client: number;
  readonly dropped: number;
  /** Cores used by the probe since the sample before. */
  readonly cores: number;
}

/** What a soak came to. */
export interface SoakResult {
  readonly minutes: number;
  readonly rate: number;
  readonly connectionsMade: number;
  readonly made: number;
  readonly failed: number;
  readonly server: number;
  readonly client: number;
  readonly dropped: number;
  /** `stage/reason` of what was dropped. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly lawGaps: Readonly<Record<string, number>>;
  /** Growth of the resident memory after the warm-up, in MiB an hour. */
  readonly slopeMiBPerHour: number;
  readonly samples: readonly SoakSample[];
}

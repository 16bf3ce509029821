/** What the kernel says of the probe's programs. */
export interface KernelPrograms {
  /** Runs and their time, counted while the kernel's statistics are on. */
  programs(): readonly { readonly name: string; readonly runs: number; readonly runTimeNs: number }[];
  /** Runs of the socket hooks, counted by the probe itself at all times. */
  hookRuns(): number;
  /** Has the kernel measure until it is closed; undefined if it refuses. */
  measure(): { close(): void } | undefined;
}

export interface KernelCostOptions {
  readonly kernel: KernelPrograms;
  /** Time between two samples, ns. */
  readonly everyNs: number;
}

/** A sample lasts at least so long, ns. */
const SAMPLE_NS = 200e6;
/** Fewer runs in a sample tell nothing. */
const ENOUGH_RUNS = 100;
/** At so few runs a second their time does not matter, and no sample is taken. */
const QUIET_RUNS = 500;
/** Taken for a run until one was measured, and where the kernel does not let itself be measured, ns. */
const ASSUMED_NS = 500;

/**
 * The time that the probe takes inside the kernel. To measure each run all the time would cost more than it tells:
 * the kernel measures for a moment now and then, and in between the runs, which are counted anyway, are multiplied
 * with what a run cost in the last sample, all programs together.
 */
export class KernelCost {
  readonly #options: KernelCostOptions;
  #perRunNs = ASSUMED_NS;
  #measured = false;
  #totalNs = 0;
  #lastRuns = 0;
  #lastAt = Number.NaN;
  #ratio = 0;
  #runRate = 0;
  #nextSampleAt = Number.NEGATIVE_INFINITY;
  #sample: {
    readonly at: number;
    readonly ns: number;
    readonly runs: number;
    readonly handle: { close(): void };
  } | null = null;

  constructor(options: KernelCostOptions) {
    this.#options = options;
  }

  /** Time in the kernel per time passed, over the last interval. */
  get ratio(): number {
    return this.#ratio;
  }

  /** Runs of the socket hooks a second, over the last interval. */
  get runRate(): number {
    return this.#runRate;
  }

  /** Since the start, ns: an estimate. */
  get totalNs(): number {
    return this.#totalNs;
  }

  /** All that the kernel did for a run of a socket hook, ns. */
  get perRunNs(): number {
    return this.#perRunNs;
  }

  /** False while `perRunNs` is assumed. */
  get measured(): boolean {
    return this.#measured;
  }

  /** A sample is being taken: ask again soon. */
  get sampling(): boolean {
    return this.#sample !== null;
  }

  /** What was measured holds no longer: sample at the next chance. */
  invalidate(): void {
    this.#nextSampleAt = Number.NEGATIVE_INFINITY;
  }

  /** @param now ns; best once a second, and oftener while it samples */
  tick(now: number): void {
    const runs = this.#options.kernel.hookRuns();
    if (this.#sample !== null && now - this.#sample.at >= SAMPLE_NS) this.#endSample(runs);
    const passed = now - this.#lastAt;
    if (!(passed < 0.5e9)) {
      if (passed > 0) {
        const ns = (runs - this.#lastRuns) * this.#perRunNs;
        this.#totalNs += ns;
        this.#ratio = ns / passed;
        this.#runRate = ((runs - this.#lastRuns) * 1e9) / passed;
      }
      this.#lastRuns = runs;
      this.#lastAt = now;
    }
    if (this.#sample === null && now >= this.#nextSampleAt && this.#runRate >= QUIET_RUNS) this.#beginSample(now, runs);
  }

  stop(): void {
    this.#sample?.handle.close();
    this.#sample = null;
  }

  #beginSample(now: number, runs: number): void {
    this.#nextSampleAt = now + this.#options.everyNs;
    const handle = this.#options.kernel.measure();
    if (handle !== undefined) this.#sample = { at: now, ns: this.#runTimeNs(), runs, handle };
  }

  #endSample(runs: number): void {
    const sample = this.#sample;
    if (sample === null) return;
    const ns = this.#runTimeNs() - sample.ns;
    this.stop();
    if (runs - sample.runs < ENOUGH_RUNS || ns <= 0) return;
    this.#perRunNs = ns / (runs - sample.runs);
    this.#measured = true;
  }

  #runTimeNs(): number {
    return this.#options.kernel.programs().reduce((sum, { runTimeNs }) => sum + runTimeNs, 0);
  }
}

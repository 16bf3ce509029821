/** What one level of a ladder has cost when it was used. */
interface LevelMemory {
  /** Cost for each unit of what happened; NaN until it was measured. */
  perUnit: number;
  /** How often a return to this level had to be taken back. */
  failures: number;
}

export interface LadderOptions {
  /** Levels above 0. */
  readonly levels: number;
  /** What the cost is to stay under, in the unit of the costs. */
  readonly budget: number;
  /** A step up needs so many seconds of costs above the budget. Default 3. */
  readonly upAfterS?: number;
  /** Costs of so many seconds after a step are not looked at: it has not had its effect yet. Default 2. */
  readonly settleS?: number;
  /** A step down needs at least so many seconds since the last step. Default 10; doubles each time it had to be taken back. */
  readonly downAfterS?: number;
  /** Longest that a step down waits which is sure to fit: a load that comes and goes is not followed. Default 300. */
  readonly confidentS?: number;
  /** After so long a step down is tried that is not expected to fit; doubles too. Default 960. */
  readonly doubtS?: number;
  /**
   * How much less a level is expected to cost than a lower one, for what happens now; levels that save next to nothing
   * are passed over. Default: each saves a half.
   */
  readonly saves?: (level: number, lower: number) => number;
}

export type Direction = 'up' | 'down';

/** A step down is taken if the cost below it is expected to stay under this share of the budget; */
const FITTING_SHARE = 0.8;
/** and if it is expected under this one, earlier returns that did not hold count for less. */
const SURE_SHARE = 0.5;
/** A level that was left upwards within so many times its waiting time did not hold. */
const HELD_TIMES = 10;
/** A level must save this share of the budget. */
const WORTH_SHARE = 0.1;
/** How fast what is known of a level follows what is measured, for each second. */
const LEARN = 0.2;
const MOST_FAILURES = 16;

/**
 * Decides how much to shed: a step up while what is measured lies above the budget, a step down when the level below
 * is expected to fit. What a level costs for each unit of what happens is learned while it holds, so a steady load
 * settles on one level, and a load that falls lets go at once. Returns that had to be taken back wait twice as long.
 */
export class Ladder {
  readonly #options: Required<Omit<LadderOptions, 'saves'>> & Pick<LadderOptions, 'saves'>;
  readonly #memory: LevelMemory[];
  #level = 0;
  #steppedAt = Number.NEGATIVE_INFINITY;
  #settledAt = Number.NEGATIVE_INFINITY;
  #returnedAt = Number.NEGATIVE_INFINITY;
  /** Of the seconds since the last step has settled, the last few: costs and units. */
  #costs: number[] = [];
  #units: number[] = [];

  constructor(options: LadderOptions) {
    this.#options = {
      upAfterS: 3,
      settleS: 2,
      downAfterS: 10,
      confidentS: 300,
      doubtS: 960,
      ...options,
    };
    this.#memory = Array.from({ length: options.levels + 1 }, () => ({ perUnit: Number.NaN, failures: 0 }));
  }

  get level(): number {
    return this.#level;
  }

  /** Mean cost of the last seconds; NaN right after a step. */
  get cost(): number {
    return mean(this.#costs);
  }

  /** Nothing above this level would shed more. */
  get exhausted(): boolean {
    return this.#above(1) === this.#level;
  }

  /**
   * Takes one measurement, best one a second.
   *
   * @param now seconds on any steady clock
   * @param cost in the unit of the budget
   * @param units of what happened a second (what costs are caused by), measured alike at every level
   */
  observe(now: number, cost: number, units: number): Direction | undefined {
    const { upAfterS, budget } = this.#options;
    if (now < this.#settledAt) return undefined;
    this.#costs.push(cost);
    this.#units.push(units);
    if (this.#costs.length > upAfterS) {
      this.#costs.shift();
      this.#units.shift();
    }
    this.#learn(cost, units);
    if (this.#costs.length < upAfterS) return undefined;
    const recent = mean(this.#costs);
    if (this.#level > 0 && this.#isIdle(now)) {
      this.#return(now, 0);
      return 'down';
    }
    if (recent > budget) {
      const level = this.#above(stepsFor(recent / budget));
      if (level === this.#level) return undefined;
      this.#blameOrForgive(now);
      this.#step(now, level);
      return 'up';
    }
    if (this.#level === 0) return undefined;
    const level = this.#below();
    if (!this.#mayReturn(now - this.#steppedAt, level, recent)) return undefined;
    this.#return(now, level);
    return 'down';
  }

  /** What is shed costs nothing now, whatever else does: then nothing is gained by it. */
  #isIdle(now: number): boolean {
    const { downAfterS, confidentS } = this.#options;
    const waitS = Math.min(confidentS, downAfterS * 2 ** this.#memory[0].failures);
    return now - this.#steppedAt >= waitS && !this.#sheds(this.#level, 0);
  }

  #return(now: number, level: number): void {
    this.#step(now, level);
    this.#returnedAt = now;
  }

  #sheds(level: number, lower: number): boolean {
    const { saves, budget } = this.#options;
    return saves === undefined || saves(level, lower) > WORTH_SHARE * budget;
  }

  /** So many levels up, of those that shed more than the one before; as far as there are any. */
  #above(steps: number): number {
    const { levels } = this.#options;
    let reached = this.#level;
    let left = steps;
    for (let level = reached + 1; level <= levels && left > 0; level++) {
      if (!this.#sheds(level, reached)) continue;
      reached = level;
      left -= 1;
    }
    return reached;
  }

  #below(): number {
    let level = this.#level - 1;
    while (level > 0 && !this.#sheds(this.#level, level)) level -= 1;
    // Of levels that shed alike, the lowest.
    while (level > 0 && !this.#sheds(level, level - 1)) level -= 1;
    return level;
  }

  #learn(cost: number, units: number): void {
    const memory = this.#memory[this.#level];
    if (units <= 0) return;
    const perUnit = cost / units;
    memory.perUnit = Number.isNaN(memory.perUnit) ? perUnit : memory.perUnit + LEARN * (perUnit - memory.perUnit);
  }

  #mayReturn(since: number, level: number, recent: number): boolean {
    const { budget, downAfterS, confidentS, doubtS, saves } = this.#options;
    const { perUnit, failures } = this.#memory[level];
    const waitS = downAfterS * 2 ** failures;
    const unknown = saves === undefined ? recent * 2 : recent + saves(this.#level, level);
    const expected = Number.isNaN(perUnit) ? unknown : Math.max(recent, perUnit * mean(this.#units));
    if (expected <= SURE_SHARE * budget) return since >= Math.min(waitS, confidentS);
    if (expected <= FITTING_SHARE * budget) return since >= waitS;
    // What was learned may be out of date: now and then it is put to the test.
    return since >= doubtS * 2 ** failures;
  }

  /** A level that is left upwards soon after the return to it did not hold; else one failure is forgiven. */
  #blameOrForgive(now: number): void {
    const memory = this.#memory[this.#level];
    const held = now - this.#returnedAt >= this.#options.downAfterS * 2 ** memory.failures * HELD_TIMES;
    memory.failures = held ? Math.max(0, memory.failures - 1) : Math.min(memory.failures + 1, MOST_FAILURES);
  }

  #step(now: number, level: number): void {
    this.#level = level;
    this.#steppedAt = now;
    this.#settledAt = now + this.#options.settleS;
    this.#costs = [];
    this.#units = [];
  }
}

/** A level saves about a half: far above the budget, several are taken at once. */
function stepsFor(excess: number): number {
  return Math.max(1, Math.min(3, Math.round(Math.log2(excess))));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length;
}

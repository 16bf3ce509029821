/** A host under load, seen by a clock of seconds: what the probe would cost at each level. */
export interface PlantOptions {
  /** Load at a time, thousand messages a second. */
  readonly load: (now: number) => number;
  /** Cost of a thousand messages a second at each level, share of a core. */
  readonly perLoad: readonly number[];
  /** Cost that no level sheds. */
  readonly base?: number;
  /** Relative noise of a measurement, 0..1. */
  readonly noise?: number;
  /** Seconds after which a change has shown two thirds of its effect. */
  readonly slowness?: number;
  readonly random?: () => number;
}

/** The cost follows level and load with a delay; every measurement is noisy. */
export class Plant {
  readonly #options: PlantOptions;
  #cost = 0;

  constructor(options: PlantOptions) {
    this.#options = options;
  }

  /** What a second at this level is measured to cost. */
  measure(now: number, level: number): { cost: number; units: number } {
    const { load, perLoad, base = 0, noise = 0, slowness = 0, random = Math.random } = this.#options;
    const settled = base + load(now) * perLoad[level];
    this.#cost += (settled - this.#cost) * (slowness === 0 ? 1 : 1 - Math.exp(-1 / slowness));
    const wobble = 1 + noise * (2 * random() - 1);
    return { cost: this.#cost * wobble, units: load(now) * 1000 };
  }
}

/** A seeded generator of numbers from 0 to 1. */
export function randomFrom(seed: number): () => number {
  let state = (seed * 2_654_435_761) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

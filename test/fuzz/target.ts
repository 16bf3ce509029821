import fc from 'fast-check';

/** One thing that reads input which others choose. */
export interface Target {
  readonly name: string;
  /** Must hold for every input; what it throws is a finding. */
  readonly property: fc.IRawProperty<unknown>;
}

/** Longest that one input may take, in ms. Far above what any needs, so that a busy machine is no finding. */
const MOST_MS = 2_000;

/**
 * Input from `arbitrary` goes through `read`, which must neither throw nor take long.
 *
 * @param read throws for a finding
 */
export function target<T>(name: string, arbitrary: fc.Arbitrary<T>, read: (input: T) => Promise<void> | void): Target {
  const property = fc.asyncProperty(arbitrary, async (input) => {
    const begin = performance.now();
    await read(input);
    const took = performance.now() - begin;
    if (took > MOST_MS) throw new Error(`took ${Math.round(took)} ms`);
  });
  return { name, property };
}

export interface FuzzOptions {
  readonly milliseconds: number;
  readonly seed: number;
}

/** Runs a target until its time is over. @throws with the smallest input found, if one breaks the property */
export async function fuzz({ property }: Target, { milliseconds, seed }: FuzzOptions): Promise<void> {
  await fc.assert(property, {
    seed,
    numRuns: 1_000_000_000,
    plugins: [fc.interruptAfterTimeLimit(milliseconds)],
  });
}

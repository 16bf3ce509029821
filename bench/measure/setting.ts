/** What every measurement is given. */
export interface Setting {
  /** The program to measure. */
  readonly program: string;
  /** A directory of the bench's own. */
  readonly directory: string;
  /** Where the sources of the empty hooks are. */
  readonly sources: string;
  /** Short runs that show that everything works, and little else. */
  readonly quick: boolean;
  /** Take runs as they are, whatever else the machine does. */
  readonly keep: boolean;
  /** Undisturbed pairs of runs, with and without the probe, to reach. */
  readonly pairs: number;
  /** Tells a person what is under way. */
  readonly say: (line: string) => void;
}

/**
 * Length of the load that comes before the first one measured, in seconds: the JavaScript engine compiles what runs
 * often in the first second or two, and that is a cost of the start, not of an exchange.
 */
export function warmUpSeconds({ quick }: Setting): number {
  return quick ? 1 : 4;
}

/** Length of one load, in seconds. */
export function loadSeconds({ quick }: Setting): number {
  return quick ? 2 : 8;
}

/** How often a pair may be tried to get enough that were not disturbed. */
export function mostPairs({ quick, pairs }: Setting): number {
  return quick ? pairs : 2 * pairs;
}

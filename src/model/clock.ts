/**
 * Inside the pipeline a time is a double: ns since an origin, on a clock that never jumps (exact for 104 days).
 * A Clock knows the origin and tells what wall time such a time was. Durations never touch it.
 */
export interface Clock {
  /** The source's own time that is 0 in the pipeline: CLOCK_MONOTONIC ns, or ns since the epoch for a replay. */
  readonly origin: bigint;
  /** Wall time of a pipeline time, ns since the epoch. */
  wallTime(ns: number): bigint;
}

/** From `since` on, in the source's own time, wall time is that plus `offset`. Both ns. */
export interface ClockAnchor {
  readonly since: bigint;
  readonly offset: bigint;
}

/** A clock whose anchor is read again and again: wall clocks are set, and the error shrinks with each reading. */
export interface AnchoredClock extends Clock {
  /** Now, in pipeline time. */
  now(): number;
  /** Reads the clocks; call it about once a second. */
  read(): void;
  /** How often the wall clock was found to have been set. */
  readonly jumps: number;
  /** What `wallTime` goes by, oldest first. */
  anchors(): ClockAnchor[];
}

/** A clock that tells wall times as another one did whose anchors were written down. */
export interface RecordedClock extends Clock {
  setAnchors(anchors: readonly ClockAnchor[]): void;
}

export interface ClockSources {
  /** CLOCK_MONOTONIC, ns. */
  readonly monotonic: () => bigint;
  /** Wall clock, ns since the epoch, rounded down to `wallResolution`. */
  readonly wall: () => bigint;
  /** ns. */
  readonly wallResolution: bigint;
}

/** What Node offers: `process.hrtime` and `Date.now`, whose milliseconds are made finer by reading it often. */
export const systemSources: ClockSources = {
  monotonic: () => process.hrtime.bigint(),
  wall: () => BigInt(Date.now()) * 1_000_000n,
  wallResolution: 1_000_000n,
};

/** Anchors that are kept, so that times from before the wall clock was set are still told as they were. */
const MAX_ANCHORS = 16;
/** Readings that look for the moment at which the wall clock ticks: at most two of its ticks long. */
const EDGE_TICKS = 2n;

/** `wall − monotonic` lies in [low, high]: every reading narrows it, and one that contradicts it is a jump. */
interface Anchor {
  readonly since: bigint;
  low: bigint;
  high: bigint;
}

export interface AnchoredClockOptions {
  /** Default: now. */
  readonly origin?: bigint;
  readonly sources?: ClockSources;
}

/** A clock for live capture. */
export function createClock(options: AnchoredClockOptions = {}): AnchoredClock {
  return new MonotonicClock(options);
}

/** A clock for a replay, whose times are wall times already: exact. */
export function createFixedClock(origin: bigint): Clock {
  return { origin, wallTime: (ns) => origin + BigInt(Math.round(ns)) };
}

/** @param anchors at least one */
export function createRecordedClock(origin: bigint, anchors: readonly ClockAnchor[]): RecordedClock {
  let known = anchors;
  return {
    origin,
    setAnchors(newer) {
      known = newer;
    },
    wallTime(ns) {
      const time = origin + BigInt(Math.round(ns));
      return time + anchorAt(known, time).offset;
    },
  };
}

/** The newest anchor that held by then; for what is older than all of them, the oldest. */
function anchorAt<T extends { readonly since: bigint }>(anchors: readonly T[], time: bigint): T {
  return anchors.findLast(({ since }) => since <= time) ?? anchors[0];
}

class MonotonicClock implements AnchoredClock {
  readonly origin: bigint;
  readonly #sources: ClockSources;
  readonly #anchors: Anchor[] = [];

  constructor(options: AnchoredClockOptions) {
    this.#sources = options.sources ?? systemSources;
    this.origin = options.origin ?? this.#sources.monotonic();
    this.#seekEdge();
  }

  get jumps(): number {
    return this.#jumps;
  }

  #jumps = 0;

  now(): number {
    return Number(this.#sources.monotonic() - this.origin);
  }

  read(): void {
    if (!this.#readOnce()) return;
    this.#jumps++;
    this.#seekEdge();
  }

  wallTime(ns: number): bigint {
    const monotonic = this.origin + BigInt(Math.round(ns));
    return monotonic + offsetOf(anchorAt(this.#anchors, monotonic));
  }

  anchors(): ClockAnchor[] {
    return this.#anchors.map((anchor) => ({ since: anchor.since, offset: offsetOf(anchor) }));
  }

  /** Reads until the wall clock ticks, when it is known best. */
  #seekEdge(): void {
    const { monotonic, wall, wallResolution } = this.#sources;
    this.#readOnce();
    const start = monotonic();
    const first = wall();
    while (wall() === first && monotonic() - start < wallResolution * EDGE_TICKS) this.#readOnce();
    this.#readOnce();
  }

  /** One monotonic–wall–monotonic reading. @returns true if the wall clock was set since the last one */
  #readOnce(): boolean {
    const { monotonic, wall, wallResolution } = this.#sources;
    const before = monotonic();
    const real = wall();
    const after = monotonic();
    const low = real - after;
    const high = real + wallResolution - before;
    const anchor = this.#anchors.at(-1);
    if (anchor !== undefined && low <= anchor.high && high >= anchor.low) {
      if (low > anchor.low) anchor.low = low;
      if (high < anchor.high) anchor.high = high;
      return false;
    }
    this.#anchors.push({ since: anchor === undefined ? 0n : before, low, high });
    if (this.#anchors.length > MAX_ANCHORS) this.#anchors.shift();
    return anchor !== undefined;
  }
}

function offsetOf({ low, high }: Anchor): bigint {
  return (low + high) / 2n;
}

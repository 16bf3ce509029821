/** Timers as the receiver needs them, so that tests can drive them. */
export interface Timers {
  set(callback: () => void, delayMs: number): unknown;
  clear(timer: unknown): void;
}

export const systemTimers: Timers = {
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

export interface PollingOptions {
  /** Empties the rings. Returns the highest share of a ring that was taken, 0..1. */
  readonly poll: () => number;
  /** Has `woken` called once: when a ring, looked at each `checkMs`, holds something, at latest after `atMostMs`. */
  readonly rest: (checkMs: number, atMostMs: number) => void;
  /** Shortest pause. Default 2. */
  readonly minMs?: number;
  /** Longest pause. Default 50: a ring of the default size does not fill in that time, even from rest to full load. */
  readonly maxMs?: number;
  readonly timers?: Timers;
}

export interface Polling {
  start(): void;
  stop(): void;
  /** The end of a rest; at any other time it does nothing. */
  woken(): void;
}

/** How full a ring may be at a poll. The rest is for bursts and for a thread that is busy elsewhere. */
const WANTED_SHARE = 0.15;
/** Polls in vain after which the rings are left to {@link PollingOptions.rest}. */
const REST_AFTER = 3;
/** Even at rest there is something to do: the sweep, timeouts, windows. */
const LONGEST_REST_MS = 1000;

/**
 * Polls as seldom as the rings allow: each wake-up of Node costs as much as hundreds of records, so the pause follows
 * how fast the rings fill. It shrinks at once and grows by doubling. The kernel wakes nobody; while nothing comes, the
 * addon looks.
 */
export function createPolling(options: PollingOptions): Polling {
  const { poll, rest, minMs = 2, maxMs = 50, timers = systemTimers } = options;
  let timer: unknown;
  let running = false;
  let resting = false;
  let inVain = 0;
  let pause = minMs;
  const turn = (): void => {
    const share = poll();
    const wanted = share > 0 ? (pause * WANTED_SHARE) / share : maxMs;
    pause = Math.max(minMs, Math.min(maxMs, pause * 2, wanted));
    inVain = share > 0 ? 0 : inVain + 1;
    if (!running) return;
    resting = inVain >= REST_AFTER;
    if (resting) rest(maxMs, LONGEST_REST_MS);
    else timer = timers.set(turn, pause);
  };
  return {
    start() {
      if (running) return;
      running = true;
      timer = timers.set(turn, pause);
    },
    stop() {
      running = false;
      resting = false;
      timers.clear(timer);
    },
    woken() {
      if (!resting) return;
      resting = false;
      turn();
    },
  };
}

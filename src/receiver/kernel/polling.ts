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
  /** Shortest pause. Default 2. */
  readonly minMs?: number;
  /** Longest pause. Default 50: a ring of the default size does not fill in that time, even from rest to full load. */
  readonly maxMs?: number;
  readonly timers?: Timers;
}

/** How full a ring may be at a poll. The rest is for bursts and for a thread that is busy elsewhere. */
const WANTED_SHARE = 0.15;

/**
 * Polls as seldom as the rings allow: each wake-up of Node costs as much as hundreds of records, so the pause follows
 * how fast the rings fill. It shrinks at once and grows by doubling. The kernel wakes nobody.
 */
export function createPolling(options: PollingOptions): { start(): void; stop(): void } {
  const { poll, minMs = 2, maxMs = 50, timers = systemTimers } = options;
  let timer: unknown;
  let running = false;
  let pause = minMs;
  const turn = (): void => {
    const share = poll();
    const wanted = share > 0 ? (pause * WANTED_SHARE) / share : maxMs;
    pause = Math.max(minMs, Math.min(maxMs, pause * 2, wanted));
    if (running) timer = timers.set(turn, pause);
  };
  return {
    start() {
      if (running) return;
      running = true;
      timer = timers.set(turn, pause);
    },
    stop() {
      running = false;
      timers.clear(timer);
    },
  };
}

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
  /** Does what there is to do; true if there was something. */
  readonly poll: () => boolean;
  /** After a poll that found something. Default 5. */
  readonly busyMs?: number;
  /** Reached by doubling while nothing comes. Default 25. */
  readonly idleMs?: number;
  readonly timers?: Timers;
}

/**
 * Polls often while there is traffic and seldom while there is none. The kernel wakes nobody: at rest a wake-up per
 * record would cost more than these polls, and at load the ring holds far more than a busy interval brings.
 */
export function createPolling(options: PollingOptions): { start(): void; stop(): void } {
  const { poll, busyMs = 5, idleMs = 25, timers = systemTimers } = options;
  let timer: unknown;
  let running = false;
  let delay = busyMs;
  const turn = (): void => {
    delay = poll() ? busyMs : Math.min(idleMs, delay * 2);
    if (running) timer = timers.set(turn, delay);
  };
  return {
    start() {
      if (running) return;
      running = true;
      timer = timers.set(turn, delay);
    },
    stop() {
      running = false;
      timers.clear(timer);
    },
  };
}

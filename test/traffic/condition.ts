import { setTimeout as delay } from 'node:timers/promises';

export interface ConditionOptions {
  /** Said in the error when the condition does not come true. */
  readonly what: string;
  readonly timeoutMs?: number;
  readonly everyMs?: number;
}

/** Polls until `check` gives something other than undefined or false, and returns it; throws after the timeout. */
export async function until<T>(
  check: () => T | undefined | false | Promise<T | undefined | false>,
  { what, timeoutMs = 5_000, everyMs = 20 }: ConditionOptions,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await delay(everyMs);
  }
}

/** As `until`, but gives false instead of an error when the time is over: the test's own assertion tells more. */
export async function eventually(check: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    if (await check()) return true;
    if (performance.now() > end) return false;
    await delay(50);
  }
}

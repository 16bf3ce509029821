import { expect, it } from 'vitest';
import { createPolling, type Timers } from '../../../../src/receiver/kernel/polling.ts';

function manualTimers(): Timers & { readonly delays: number[]; fire(): boolean } {
  let pending: (() => void) | undefined;
  const delays: number[] = [];
  return {
    delays,
    set(callback, delayMs) {
      pending = callback;
      delays.push(delayMs);
      return callback;
    },
    clear(timer) {
      if (pending === timer) pending = undefined;
    },
    fire() {
      const callback = pending;
      pending = undefined;
      callback?.();
      return callback !== undefined;
    },
  };
}

it('slows down while nothing comes and is fast again with the first record', () => {
  const timers = manualTimers();
  const found = [true, false, false, false, false, true, false];
  const polling = createPolling({ timers, poll: () => found.shift() ?? false });
  polling.start();
  for (let i = 0; i < 7; i++) timers.fire();
  expect(timers.delays).toEqual([5, 5, 10, 20, 25, 25, 5, 10]);
});

it('stops, also from within a poll, and starts only once', () => {
  const timers = manualTimers();
  let polls = 0;
  const polling = createPolling({
    timers,
    poll() {
      polls += 1;
      if (polls === 3) polling.stop();
      return true;
    },
  });
  polling.start();
  polling.start();
  expect(timers.delays).toEqual([5]);
  while (timers.fire());
  expect(polls).toBe(3);
  polling.start();
  expect(timers.fire()).toBe(true);
  polling.stop();
  expect(timers.fire()).toBe(false);
  expect(polls).toBe(4);
});

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

const REST = -1;

/** The pauses after polls that found these shares; REST where it left the rings to the addon, which woke it. */
function pauses(shares: readonly number[]): number[] {
  const timers = manualTimers();
  const left = [...shares];
  const rest = () => timers.delays.push(REST);
  const polling = createPolling({ timers, rest, poll: () => left.shift() ?? 0 });
  polling.start();
  for (const _ of shares) if (!timers.fire()) polling.woken();
  return timers.delays;
}

it('leaves the rings to the addon while nothing comes', () => {
  expect(pauses([0, 0, 0, 0])).toEqual([2, 4, 8, REST, REST]);
  expect(pauses([0, 0, 0, 0.001, 0, 0, 0])).toEqual([2, 4, 8, REST, 32, 50, 50, REST]);
});

it('polls seldom while little comes', () => {
  expect(pauses([0.001, 0.001, 0.001, 0.001, 0.001, 0.001])).toEqual([2, 4, 8, 16, 32, 50, 50]);
});

it('does not take a late call for the end of a rest', () => {
  const timers = manualTimers();
  let polls = 0;
  let rests = 0;
  const polling = createPolling({
    timers,
    rest: (checkMs, atMostMs) => {
      rests += 1;
      expect([checkMs, atMostMs]).toEqual([50, 1000]);
    },
    poll() {
      polls += 1;
      return 0;
    },
  });
  polling.woken();
  expect(polls).toBe(0);
  polling.start();
  polling.woken();
  expect(polls).toBe(0);
  while (timers.fire());
  expect([polls, rests]).toEqual([3, 1]);
  polling.woken();
  expect([polls, rests]).toEqual([4, 2]);
  polling.stop();
  polling.woken();
  expect([polls, rests]).toEqual([4, 2]);
});

it('follows how fast the rings fill', () => {
  // At 50 ms the ring was full by 60 %: a quarter of that is wanted.
  const little = [0.001, 0.001, 0.001, 0.001, 0.001];
  expect(pauses([...little, 0.6]).at(-1)).toBe(12.5);
  expect(pauses([...little, 0.6, 0.15, 0.075])).toEqual([2, 4, 8, 16, 32, 50, 12.5, 12.5, 25]);
});

it('never pauses longer or shorter than it may', () => {
  expect(pauses([1, 1])).toEqual([2, 2, 2]);
  expect(pauses([0.0001, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001]).at(-1)).toBe(50);
});

it('stops, also from within a poll, and starts only once', () => {
  const timers = manualTimers();
  let polls = 0;
  const polling = createPolling({
    timers,
    rest: () => expect.unreachable(),
    poll() {
      polls += 1;
      if (polls === 3) polling.stop();
      return 0.5;
    },
  });
  polling.start();
  polling.start();
  expect(timers.delays).toEqual([2]);
  while (timers.fire());
  expect(polls).toBe(3);
  polling.start();
  expect(timers.fire()).toBe(true);
  polling.stop();
  expect(timers.fire()).toBe(false);
  expect(polls).toBe(4);
});

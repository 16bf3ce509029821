import { describe, expect, test } from 'vitest';
import { createClock, createFixedClock } from '../../../src/model/clock.ts';
import type { ClockSources } from '../../../src/model/clock.ts';

const EPOCH = 1_760_000_000_123_456_789n;

/** Clocks that move on by 100 ns with each reading. */
class FakeClocks implements ClockSources {
  readonly wallResolution = 1_000_000n;
  time = 5_000_000_000n;
  offset = EPOCH;

  readonly monotonic = (): bigint => {
    this.time += 100n;
    return this.time;
  };

  readonly wall = (): bigint => {
    this.time += 100n;
    const exact = this.time + this.offset;
    return exact - (exact % this.wallResolution);
  };
}

function distance(a: bigint, b: bigint): bigint {
  return a < b ? b - a : a - b;
}

describe('the clock of a live capture', () => {
  test('tells wall times within a microsecond from a wall clock of milliseconds', () => {
    const sources = new FakeClocks();
    const clock = createClock({ sources });
    const wall = clock.wallTime(2e9);
    expect(distance(wall, clock.origin + 2_000_000_000n + EPOCH)).toBeLessThan(1000n);
  });

  test('keeps durations as they were when the wall clock is set', () => {
    const sources = new FakeClocks();
    const clock = createClock({ sources });
    const start = clock.now();
    sources.offset += 3_600_000_000_000n;
    clock.read();
    const end = clock.now();
    expect(end - start).toBeLessThan(3e6);
    expect(clock.jumps).toBe(1);
  });

  test('tells times from before a jump by the wall clock of then, and later ones by the one of now', () => {
    const sources = new FakeClocks();
    const clock = createClock({ sources });
    const before = clock.now();
    sources.time += 1_000_000_000n;
    sources.offset -= 7_000_000_000n;
    clock.read();
    sources.time += 1_000_000_000n;
    const after = clock.now();
    expect(distance(clock.wallTime(before), clock.origin + BigInt(before) + EPOCH)).toBeLessThan(1000n);
    expect(distance(clock.wallTime(after), clock.origin + BigInt(after) + sources.offset)).toBeLessThan(1000n);
  });

  test('remembers a bounded number of jumps', () => {
    const sources = new FakeClocks();
    const clock = createClock({ sources });
    for (let i = 0; i < 100; i++) {
      sources.time += 1_000_000_000n;
      sources.offset += 10_000_000_000n;
      clock.read();
    }
    const now = clock.now();
    expect(clock.jumps).toBe(100);
    expect(distance(clock.wallTime(now), clock.origin + BigInt(now) + sources.offset)).toBeLessThan(1000n);
  });

  test('agrees with Date.now on the real clocks', () => {
    const clock = createClock();
    clock.read();
    const before = BigInt(Date.now() - 1) * 1_000_000n;
    const wall = clock.wallTime(clock.now());
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    expect(wall).toBeGreaterThanOrEqual(before);
    expect(wall).toBeLessThanOrEqual(after);
  });
});

test('the clock of a replay gives back the ns that went in', () => {
  const clock = createFixedClock(EPOCH);
  for (const offset of [0, 1, 123_456_789, 2 ** 52 + 1]) {
    expect(clock.wallTime(offset)).toBe(EPOCH + BigInt(offset));
  }
});

import { describe, expect, test } from 'vitest';
import { Sampling, SHEDDING } from '../../../src/governor/sampling.ts';
import type { TalkingConnection } from '../../../src/governor/sampling.ts';
import { POLICY } from '../../../src/model/record.gen.ts';

const HEADERS = POLICY.headers | (3 << POLICY.receiveClassShift) | POLICY.set;
const LAST = SHEDDING.length - 1;

interface Talk extends TalkingConnection {
  number: number;
  turnNumber: number;
}

function talk(index: number, more: Partial<TalkingConnection> = {}): Talk {
  return { index, generation: 1, number: 0, turnNumber: 0, recognised: true, serverPort: 80, ...more };
}

/** Surveys a few seconds in which every connection sends so many messages a second, and records for each of them. */
function watched(talks: readonly Talk[], rate: (one: Talk) => number, recordsPerMessage = 1): Sampling {
  const sampling = new Sampling();
  for (let second = 0; second < 6; second++) {
    for (const one of talks) {
      one.turnNumber = (one.turnNumber + rate(one)) >>> 0;
      one.number = (one.number + rate(one) * recordsPerMessage) >>> 0;
    }
    sampling.survey(second * 1e9, talks);
  }
  return sampling;
}

function shareCounted(sampling: Sampling, talks: readonly Talk[]): number {
  const counted = talks.filter((one) => sampling.cap(one.index, one.generation, HEADERS) === POLICY.count);
  return counted.length / talks.length;
}

const indexes = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('Sampling', () => {
  test('at level 0 leaves every policy as wished', () => {
    const talks = indexes(10).map((i) => talk(i));
    expect(
      shareCounted(
        watched(talks, () => 100),
        talks,
      ),
    ).toBe(0);
  });

  test.each([2, 3, 4, 5])('at level %i keeps to its share of busy connections alike', (level) => {
    const talks = indexes(1000).map((i) => talk(i));
    const sampling = watched(talks, () => 100);
    sampling.level = level;
    sampling.survey(10e9, talks);
    const expected = 1 - SHEDDING[level].share;
    expect(Math.abs(shareCounted(sampling, talks) - expected)).toBeLessThan(0.02);
    expect(sampling.watchedShare).toBeCloseTo(SHEDDING[level].share, 1);
  });

  test('a higher level counts what a lower one counts, and more', () => {
    const talks = indexes(100).map((i) => talk(i));
    const sampling = watched(talks, () => 100);
    let before = new Set<number>();
    for (let level = 1; level <= LAST; level++) {
      sampling.level = level;
      const counted = new Set(
        talks.map(({ index }) => index).filter((index) => sampling.cap(index, 1, HEADERS) === POLICY.count),
      );
      expect([...before].every((index) => counted.has(index))).toBe(true);
      before = counted;
    }
    expect(before.size).toBe(100);
  });

  test('quiet connections are watched until the last level', () => {
    const talks = indexes(20).map((i) => talk(i));
    const sampling = watched(talks, ({ index }) => (index < 5 ? 10_000 : 1));
    sampling.level = LAST - 1;
    expect(talks.map(({ index }) => sampling.cap(index, 1, HEADERS) === POLICY.count)).toEqual(
      talks.map(({ index }) => index < 5),
    );
    sampling.level = LAST;
    expect(shareCounted(sampling, talks)).toBe(1);
  });

  test('of each service the first busy connection is watched as long as any is', () => {
    const talks = indexes(40).map((i) => talk(i, { serverPort: 8000 + (i % 4) }));
    const sampling = watched(talks, () => 100);
    sampling.level = 5;
    const services = new Set(
      talks.filter(({ index }) => sampling.cap(index, 1, HEADERS) !== POLICY.count).map(({ serverPort }) => serverPort),
    );
    expect(services.size).toBe(4);
  });

  test('a connection that was not recognised, is new, or is another generation stays as wished', () => {
    const talks = [talk(0, { recognised: false }), talk(1)];
    const sampling = watched(talks, () => 100);
    sampling.level = LAST;
    expect(sampling.cap(0, 1, HEADERS)).toBe(HEADERS);
    expect(sampling.cap(1, 2, HEADERS)).toBe(HEADERS);
    expect(sampling.cap(900, 1, HEADERS)).toBe(HEADERS);
    expect(sampling.cap(1, 1, HEADERS)).toBe(POLICY.count);
  });

  test('what is wished less than it would give stays so', () => {
    const talks = [talk(0)];
    const sampling = watched(talks, () => 100);
    sampling.level = LAST;
    expect(sampling.cap(0, 1, POLICY.ignore | POLICY.set)).toBe(POLICY.ignore | POLICY.set);
  });

  test('narrows streams at level 1, if they write more than a record a message', () => {
    const talks = indexes(10).map((i) => talk(i));
    const sampling = watched(talks, () => 100, 4);
    expect(sampling.saved(1, 0)).toBeGreaterThan(0);
    sampling.level = 1;
    expect(sampling.cap(3, 1, POLICY.stream | POLICY.set) & POLICY.mask).toBe(POLICY.headers);
    expect(sampling.cap(3, 1, HEADERS)).toBe(HEADERS);
    expect(watched(talks, () => 100).saved(1, 0)).toBe(0);
  });

  test('of a single busy connection says that only counting it sheds anything', () => {
    const sampling = watched([talk(0)], () => 5000);
    expect([1, 2, 3, 4, 5].filter((level) => sampling.saved(level, 0) > 0)).toEqual([]);
    expect(sampling.saved(LAST - 1, 0)).toBeGreaterThan(0);
  });

  test('turn counters that wrap around or go back are no rate', () => {
    const one = talk(0);
    one.turnNumber = 2 ** 32 - 50;
    const sampling = watched([one], () => 100);
    expect(sampling.saved(LAST, 0)).toBeGreaterThan(0);
    one.turnNumber -= 10;
    sampling.survey(10e9, [one]);
    sampling.level = LAST;
    expect(sampling.watchedShare).toBe(0);
  });
});

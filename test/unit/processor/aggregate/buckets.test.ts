import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Buckets } from '../../../../src/processor/aggregate/buckets.ts';
import { DURATION_BOUNDS, QUEUE_BOUNDS } from '../../../../src/processor/aggregate/layout.ts';

/** The definition: how many bounds are below the value. */
const expected = (bounds: readonly number[], value: number): number => bounds.filter((bound) => bound < value).length;

describe('Buckets', () => {
  it('takes a bound as the upper end of its bucket, inclusive', () => {
    for (const bounds of [DURATION_BOUNDS, QUEUE_BOUNDS, [1], [0.5, 0.500001, 3]]) {
      const buckets = new Buckets(bounds);
      for (const [i, bound] of bounds.entries()) {
        expect(buckets.indexOf(bound)).toBe(i);
        expect(buckets.indexOf(bound * (1 + Number.EPSILON))).toBe(i + 1);
        expect(buckets.indexOf(bound * (1 - Number.EPSILON))).toBe(i);
      }
    }
  });

  it('puts nothing, negative values and infinity into the outer buckets', () => {
    const buckets = new Buckets(DURATION_BOUNDS);
    expect(buckets.indexOf(0)).toBe(0);
    expect(buckets.indexOf(-0)).toBe(0);
    expect(buckets.indexOf(-1e12)).toBe(0);
    expect(buckets.indexOf(Number.MIN_VALUE)).toBe(0);
    expect(buckets.indexOf(Infinity)).toBe(DURATION_BOUNDS.length);
    expect(buckets.indexOf(Number.MAX_VALUE)).toBe(DURATION_BOUNDS.length);
  });

  it('agrees with a plain search for any bounds and any value', () => {
    const bounds = fc
      .uniqueArray(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), { minLength: 1, maxLength: 60 })
      .map((values) => values.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(bounds, fc.double({ noNaN: true }), (sorted, value) => {
        const buckets = new Buckets(sorted);
        expect(buckets.indexOf(value)).toBe(expected(sorted, value));
        for (const bound of sorted.slice(0, 5)) expect(buckets.indexOf(bound)).toBe(expected(sorted, bound));
      }),
      { numRuns: 60 },
    );
  });

  it('refuses bounds that are not ascending and positive', () => {
    for (const bounds of [[], [2, 1], [1, 1], [0, 1], [-1], [Number.NaN], [1, Infinity]]) {
      expect(() => new Buckets(bounds)).toThrow(RangeError);
    }
  });
});

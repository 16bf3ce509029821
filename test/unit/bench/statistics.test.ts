import { describe, expect, it } from 'vitest';
import { slope, spread } from '../../../bench/statistics.ts';

describe('spread', () => {
  it('takes the middle value of an odd number', () => {
    expect(spread([9, 1, 4])).toEqual({ min: 1, median: 4, max: 9, count: 3 });
  });

  it('takes the mean of the two middle values of an even number', () => {
    expect(spread([8, 2, 4, 6])?.median).toBe(5);
  });

  it('leaves out what is not a number', () => {
    expect(spread([Number.NaN, 3])).toEqual({ min: 3, median: 3, max: 3, count: 1 });
    expect(spread([Number.NaN])).toBeNull();
  });
});

describe('slope', () => {
  it('finds the rise of a line', () => {
    expect(slope([0, 1, 2, 5].map((x) => ({ x, y: 7 + 3 * x })))).toBeCloseTo(3, 12);
  });

  it('is 0 for what stays the same', () => {
    expect(slope([0, 1, 2].map((x) => ({ x, y: 5 })))).toBe(0);
  });

  it('is not known from one point', () => {
    expect(slope([{ x: 1, y: 1 }])).toBeNaN();
  });
});

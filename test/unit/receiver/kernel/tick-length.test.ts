import { describe, expect, it } from 'vitest';
import { tickLengthAt, tickLengthBetween } from '../../../../src/receiver/kernel/tick-length.ts';

/** Both clocks of a kernel that ticks `rate` times a second, `seconds` after its boot. */
const reading = (rate: number, seconds: number) => ({
  time: seconds * 1e9,
  ticks: 2 ** 32 - 300 * rate + Math.floor(seconds * rate),
});

const RATES = [100, 250, 300, 1000];

describe('tickLengthAt', () => {
  it.each(RATES)('knows %d Hz from one reading', (rate) => {
    for (const seconds of [1, 60, 200, 3600, 86_400 * 400]) {
      expect(tickLengthAt(reading(rate, seconds))).toBe(1e9 / rate);
    }
  });

  it('does not guess where several rates fit, 300 s after boot', () => {
    expect(tickLengthAt(reading(250, 300))).toBeUndefined();
  });

  it('does not guess where none fits', () => {
    expect(tickLengthAt({ time: 5e9, ticks: 17 })).toBeUndefined();
  });
});

describe('tickLengthBetween', () => {
  it.each(RATES)('finds %d Hz between two readings', (rate) => {
    expect(tickLengthBetween(reading(rate, 299.5), reading(rate, 300.5))).toBe(1e9 / rate);
  });

  it('wants more than a few ticks', () => {
    expect(tickLengthBetween(reading(250, 300), reading(250, 300.02))).toBeUndefined();
    expect(tickLengthBetween(reading(250, 300), reading(250, 300))).toBeUndefined();
  });
});

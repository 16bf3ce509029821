import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import {
  formatAddress,
  formatDuration,
  formatSize,
  isLoopback,
  parseAddress,
  parseDuration,
  parseRatio,
  parseSize,
} from '../../../src/config/units.ts';

describe('durations', () => {
  test.each([
    ['5s', 5000],
    ['250ms', 250],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['20us', 0.02],
    ['0', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBeCloseTo(ms, 9));

  test.each(['', '5', 's', '5 s', '-5s', '5sec', '5s ago', '1e3s'])('%j is none', (text) =>
    expect(parseDuration(text)).toBeUndefined(),
  );

  test('what is written is read back the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBeCloseTo(ms, 6);
      }),
    );
  });
});

describe('sizes', () => {
  test.each([
    ['4MiB', 4_194_304],
    ['64 KiB', 65_536],
    ['4096', 4096],
    ['1kB', 1000],
    ['0.5KiB', 512],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  test.each(['', 'MiB', '4Mib', '-1', '0.3', '1e6'])('%j is none', (text) => expect(parseSize(text)).toBeUndefined());

  test('what is written is read back the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 }), (bytes) => {
        expect(parseSize(formatSize(bytes))).toBe(bytes);
      }),
    );
  });
});

test('a ratio is a percentage or a number up to 1', () => {
  expect(parseRatio('2%')).toBe(0.02);
  expect(parseRatio('0.5')).toBe(0.5);
  expect(parseRatio('101%')).toBeUndefined();
  expect(parseRatio('x')).toBeUndefined();
});

describe('addresses', () => {
  test.each(['127.0.0.1:9500', '[::1]:80', 'localhost:0'])('%s is read and written back', (text) => {
    const address = parseAddress(text);
    expect(address).toBeDefined();
    expect(formatAddress(address as { host: string; port: number })).toBe(text);
  });

  test.each(['9500', ':9500', '127.0.0.1', '::1:80', 'a b:1', 'host:65536', 'host:-1'])('%j is none', (text) =>
    expect(parseAddress(text)).toBeUndefined(),
  );

  test('only the loopback addresses are of this host alone', () => {
    expect(['127.0.0.1', '127.8.9.1', '::1', 'localhost'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'example.org'].some(isLoopback)).toBe(false);
  });
});

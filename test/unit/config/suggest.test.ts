import { expect, test } from 'vitest';
import { editDistance, suggest } from '../../../src/config/suggest.ts';

test('a swap of neighbours, a missing and a wrong letter cost one each', () => {
  expect(editDistance('lsiten', 'listen', 9)).toBe(1);
  expect(editDistance('listn', 'listen', 9)).toBe(1);
  expect(editDistance('lixten', 'listen', 9)).toBe(1);
  expect(editDistance('', 'abc', 9)).toBe(3);
});

test('the nearest word is suggested, and none when all are far', () => {
  expect(suggest('ring_byte', ['policy', 'ring_bytes', 'payload_bytes'])).toBe('ring_bytes');
  expect(suggest('Listen', ['listen'])).toBe('listen');
  expect(suggest('zebra', ['policy', 'udp'])).toBeUndefined();
});

test('endless words cost bounded time', () => {
  expect(suggest('x'.repeat(1_000_000), ['y'.repeat(1_000_000)])).toBeUndefined();
});

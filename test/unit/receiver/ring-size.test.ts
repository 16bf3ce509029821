import { expect, test } from 'vitest';
import { countCpus, ringSize } from '../../../src/receiver/kernel/ring-size.ts';

const MIB = 1 << 20;

test.each([
  ['what is configured, if it fits', 4 * MIB, 160 * MIB, 10, 4 * MIB],
  ['halved until all fit into a quarter', 4 * MIB, 160 * MIB, 11, 2 * MIB],
  ['on many CPUs small', 4 * MIB, 160 * MIB, 128, 256 << 10],
  ['with more memory larger', 64 * MIB, 1024 * MIB, 4, 64 * MIB],
  ['never less than a record needs', 4 * MIB, 96 * MIB, 8192, 64 << 10],
])('%s', (_, configured, memory, cpus, size) => {
  expect(ringSize(configured, memory, cpus)).toBe(size);
});

test.each([
  ['0\n', 1],
  ['0-127\n', 128],
  ['0-3,8,10-11\n', 7],
  ['', 1],
  ['nonsense', 1],
])('CPUs of %j', (list, count) => {
  expect(countCpus(list)).toBe(count);
});

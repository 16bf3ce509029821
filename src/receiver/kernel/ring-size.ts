import { readFileSync } from 'node:fs';

const LEAST_BYTES = 64 << 10;
/** Rings are mapped, so what was written of them is resident. */
const MEMORY_SHARE = 1 / 4;

/**
 * Size of each CPU's ring, bytes: what is configured, or as much less as keeps the rings of all CPUs within a quarter
 * of `limits.memory`. What one thread reads in a second does not grow with the CPUs, so many rings need not be large.
 *
 * @param configured bytes for each CPU, a power of two
 * @param memory `limits.memory`, bytes
 * @param cpus that the kernel makes room for
 */
export function ringSize(configured: number, memory: number, cpus: number): number {
  let bytes = configured;
  while (bytes > LEAST_BYTES && bytes * cpus > memory * MEMORY_SHARE) bytes /= 2;
  return bytes;
}

/** How many CPUs a list such as `0-3,8` names (here five, /sys/devices/system/cpu/possible); 1 if it names none. */
export function countCpus(list: string): number {
  const ranges = list
    .trim()
    .split(',')
    .map((range) => range.split('-').map(Number));
  const count = ranges.reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0);
  return Number.isFinite(count) && count > 0 ? count : 1;
}

/** CPUs that the kernel makes room for; a VM may have room for many more than it has. */
export function possibleCpus(): number {
  return countCpus(readFileSync('/sys/devices/system/cpu/possible', 'latin1'));
}

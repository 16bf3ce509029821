import { describe, expect, it } from 'vitest';
import { bpfUsage, runsBetween } from '../../../bench/bpf-usage.ts';

const program = (id: number, ns: number, runs: number): string =>
  `pos:\t0\nflags:\t02000002\nprog_type:\t26\nmemlock:\t4096\nprog_id:\t${id}\nrun_time_ns:\t${ns}\nrun_cnt:\t${runs}\nrecursion_misses:\t0\n`;
const link = (id: number, name: string): string =>
  `pos:\t0\nlink_type:\traw_tracepoint\nlink_id:\t89\nprog_id:\t${id}\ntp_name:\t${name}\n`;
const map = (id: number, bytes: number): string => `map_type:\t2\nmap_id:\t${id}\nmemlock:\t${bytes}\n`;

describe('bpfUsage', () => {
  it('counts each program and map once, however many descriptors it has', () => {
    const usage = bpfUsage([program(5, 100, 2), program(5, 100, 2), map(1, 4096), map(1, 4096), map(2, 100)]);
    expect(usage.programs.size).toBe(1);
    expect(usage.mapBytes).toBe(4196);
  });

  it('names a program after what its link is attached to, whichever comes first', () => {
    const usage = bpfUsage([link(5, 'sock_send_length'), program(5, 1, 1), program(6, 1, 1)]);
    expect([...usage.programs.values()].map(({ name }) => name)).toEqual(['sock_send_length', 'program 6']);
  });

  it('passes over descriptors of other kinds', () => {
    expect(bpfUsage(['pos:\t0\nflags:\t0100000\n', ''])).toEqual({ programs: new Map(), mapBytes: 0 });
  });
});

describe('runsBetween', () => {
  it('takes what ran since, costliest first, and counts a program loaded since from nothing', () => {
    const before = bpfUsage([program(1, 100, 10), program(2, 50, 5)]);
    const after = bpfUsage([program(1, 150, 11), program(2, 50, 5), program(3, 900, 9)]);
    expect(runsBetween(before, after).map(({ name, ns, runs }) => [name, ns, runs])).toEqual([
      ['program 3', 900, 9],
      ['program 1', 50, 1],
    ]);
  });
});

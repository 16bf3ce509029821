import { describe, expect, it } from 'vitest';
import {
  cpuNsPerExchange,
  emptyNsPerExchange,
  kernelMultiple,
  kernelNsPerExchange,
  lost,
  surplus,
  throughputKept,
} from '../../../bench/figures.ts';
import type { ProbeFigures, Run } from '../../../bench/run.ts';

const probe: ProbeFigures = {
  sides: 2,
  userSeconds: 0.03,
  systemSeconds: 0.01,
  server: 100_000,
  client: 100_000,
  open: 16,
  dropped: 0,
  reasons: {},
  lawGaps: {},
  resident: 1,
  peak: 1,
  mapBytes: 1,
  scrapes: 0,
  foreign: 0,
  slowestScrapeMs: 0,
  kernel: { ns: 100_000_000, programs: [], emptyPairNs: 100, emptyNs: 24_000_000, emptyRuns: 500_000 },
};
const run: Run = {
  pair: 1,
  mode: 'on',
  requests: 100_000,
  failed: 0,
  seconds: 1,
  steal: 0,
  others: 0,
  foreignPrograms: 0,
  disturbed: false,
  probe,
};

describe('cost per exchange', () => {
  it('is for one side when both are seen', () => {
    expect(cpuNsPerExchange(run)).toBeCloseTo(200, 6);
    expect(kernelNsPerExchange(run)).toBe(500);
    expect(kernelMultiple(run)).toBe(5);
    expect(emptyNsPerExchange(run)).toBe(120);
  });

  it('is not divided when one side is seen', () => {
    expect(kernelNsPerExchange({ ...run, probe: { ...probe, sides: 1 } })).toBe(1000);
  });

  it('is not known without the probe', () => {
    expect(cpuNsPerExchange({ ...run, probe: null })).toBeNaN();
    expect(kernelMultiple({ ...run, probe: { ...probe, kernel: null } })).toBeNaN();
  });
});

describe('lost', () => {
  const counted = (server: number, client: number, dropped = 0): Run => ({
    ...run,
    probe: { ...probe, server, client, dropped },
  });

  it('is what either side misses and what the law says was dropped', () => {
    expect(lost(counted(99_990, 99_999, 5))).toBe(16);
  });

  it('is not made up for by the other side’s surplus', () => {
    expect(lost(counted(99_990, 100_010))).toBe(10);
  });

  it('leaves out the side that is not seen', () => {
    expect(lost({ ...run, probe: { ...probe, sides: 1, client: 0 } })).toBe(0);
  });

  it('lets no more be counted than were answered, failed, or may have been under way', () => {
    expect(surplus(counted(100_016, 100_016))).toBe(0);
    expect(surplus(counted(100_017, 100_020))).toBe(5);
    expect(surplus({ ...counted(100_017, 100_020), failed: 4 })).toBe(0);
  });
});

describe('throughputKept', () => {
  it('compares each run with the probe to the one without it in its own pair', () => {
    const off = (pair: number, requests: number): Run => ({ ...run, pair, mode: 'off', requests, probe: null });
    const on = (pair: number, requests: number): Run => ({ ...run, pair, requests });
    expect(throughputKept([off(1, 100), on(1, 90), on(2, 40), off(2, 80), on(3, 7)])).toEqual([0.9, 0.5]);
  });
});

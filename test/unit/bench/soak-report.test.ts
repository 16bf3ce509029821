import { describe, expect, it } from 'vitest';
import { curve } from '../../../bench/soak-curve.ts';
import { CSV_HEADER, csvLine, growth, soakSummary } from '../../../bench/soak-report.ts';
import type { SoakSample } from '../../../bench/soak-result.ts';

const MIB = 2 ** 20;
const sample = (seconds: number, residentMiB: number): SoakSample => ({
  seconds,
  resident: residentMiB * MIB,
  heap: 20 * MIB,
  mapBytes: 9 * MIB,
  series: 100,
  made: 10,
  server: 10,
  client: 10,
  dropped: 0,
  cores: 0.02,
});

describe('growth', () => {
  it('is measured after the warm-up only', () => {
    const samples = [sample(0, 10), sample(400, 60), sample(800, 80), sample(2200, 80), sample(3600, 80)];
    expect(growth(samples)).toBeCloseTo(0, 9);
  });

  it('is in MiB an hour', () => {
    const samples = Array.from({ length: 11 }, (_, index) => sample(index * 360, 50 + index));
    expect(growth(samples)).toBeCloseTo(10, 9);
  });
});

describe('soakSummary', () => {
  const result = {
    minutes: 1,
    rate: 10,
    connectionsMade: 5,
    made: 600,
    failed: 0,
    server: 600,
    client: 598,
    dropped: 1,
    reasons: { 'hook/ring_full': 1 },
    lawGaps: { window: 2 },
    slopeMiBPerHour: 0,
    samples: [sample(10, 50), sample(60, 50)],
  };

  it('names each side’s difference from the generators', () => {
    expect(soakSummary(result)).toContain('server 600 (equal), client 598 (-2)');
  });

  it('names the stage at which the law is off', () => {
    expect(soakSummary(result)).toContain('the law is off at window 2');
    expect(soakSummary({ ...result, lawGaps: {} })).toContain('the law holds at every stage');
  });

  it('names the reason of what was dropped', () => {
    expect(soakSummary(result)).toContain('dropped: 1 (hook/ring_full 1)');
  });
});

describe('csvLine', () => {
  it('has as many fields as the header', () => {
    expect(csvLine(sample(1, 1)).split(',')).toHaveLength(CSV_HEADER.split(',').length);
  });
});

describe('curve', () => {
  it('draws a flat line in one row', () => {
    const rows = curve(
      Array.from({ length: 200 }, (_, x) => ({ x, y: 50 })),
      'MiB',
    ).split('\n');
    expect(rows.filter((row) => row.includes('•'))).toHaveLength(1);
  });

  it('draws what rises from the lower left to the upper right', () => {
    const rows = curve(
      Array.from({ length: 200 }, (_, x) => ({ x, y: x })),
      'MiB',
    ).split('\n');
    const [top, bottom] = [rows[0], rows[9]].map((row) => row.indexOf('•'));
    expect(top).toBeGreaterThan(bottom);
  });
});

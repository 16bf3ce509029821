import { describe, expect, it } from 'vitest';
import { costTable } from '../../../bench/cost-table.ts';
import { goalsTable } from '../../../bench/goals-table.ts';
import type { Machine } from '../../../bench/machine.ts';
import type { Measured } from '../../../bench/results.ts';
import type { ProbeFigures, Run } from '../../../bench/run.ts';

const machine: Machine = {
  date: '2026-01-02',
  kernel: '6.18',
  cpu: 'a processor',
  cores: 2,
  memoryGiB: 8,
  system: 'Debian',
  node: 'v20',
};
const measured = <T>(value: T): Measured<T> => ({ machine, quick: false, value });

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
  kernel: null,
};
const kernel = {
  ns: 130_000_000,
  programs: [
    { name: 'sock_recv_length', ns: 50_000_000, runs: 200_000, recursionMisses: 0 },
    { name: 'sock_send_length', ns: 80_000_000, runs: 300_000, recursionMisses: 0 },
  ],
  emptyPairNs: 100,
  emptyNs: 24_000_000,
  emptyRuns: 500_000,
};
const base = {
  pair: 1,
  requests: 100_000,
  failed: 0,
  seconds: 1,
  steal: 0,
  others: 0,
  foreignPrograms: 0,
  disturbed: false,
};
const pair = (change: Partial<Run> = {}): Run[] => [
  { ...base, mode: 'off', probe: null, ...change },
  { ...base, mode: 'on', requests: 95_000, probe: { ...probe, server: 95_000, client: 95_000 }, ...change },
  { ...base, mode: 'stats', probe: { ...probe, kernel }, ...change },
];
const rowOf = (text: string, title: string): string[] => {
  const line = text.split('\n').find((one) => one.startsWith(`| ${title} `)) ?? '';
  return line
    .split('|')
    .map((cell) => cell.trim())
    .slice(1, -1);
};

describe('goalsTable', () => {
  it('says that nothing was measured', () => {
    expect(goalsTable({})).toBe('Not measured yet.');
  });

  it('judges each figure by its goal', () => {
    const text = goalsTable({
      saturation: measured(pair()),
      start: measured({ startMs: [900, 1600], features: '9/9' }),
    });
    expect(rowOf(text, 'nginx throughput kept at saturation')).toContain('yes');
    expect(rowOf(text, 'kernel time, as a multiple of an empty pair of hooks')).toEqual([
      'kernel time, as a multiple of an empty pair of hooks',
      '≤ 6',
      '6.5',
      '',
      '**no**',
    ]);
    expect(rowOf(text, 'start to the ready line')).toContain('**no**');
    expect(rowOf(text, 'lost at saturation')).toContain('yes');
  });

  it('says that exchanges were lost when one of several runs lost one', () => {
    const bad = pair({ pair: 2, probe: { ...probe, server: 94_999 } }).slice(1, 2);
    const text = goalsTable({ saturation: measured([...pair(), ...bad]) });
    expect(rowOf(text, 'lost at saturation')).toContain('**no**');
  });

  it('leaves out a pair of which one run was disturbed, and says so', () => {
    const stolen = pair({ pair: 2, requests: 1, steal: 0.5, disturbed: true });
    const text = goalsTable({ saturation: measured([...pair(), ...stolen]) });
    expect(rowOf(text, 'nginx throughput kept at saturation')[2]).toBe('95.0 %');
    expect(text).toContain('3 of 6 runs were disturbed');
  });

  it('shows the programs, the costliest first', () => {
    const text = goalsTable({ saturation: measured(pair()) });
    expect(text.indexOf('| sock_send_length')).toBeLessThan(text.indexOf('| sock_recv_length'));
    expect(rowOf(text, 'sock_send_length')).toEqual(['sock_send_length', '400', '1.50', '267']);
  });
});

describe('costTable', () => {
  it('has a row for each variation, and marks those that were disturbed', () => {
    const rows = [
      { group: 'response', name: '1 MB', runs: pair() },
      { group: 'policy', name: 'stream', runs: pair({ others: 0.9, disturbed: true }) },
    ];
    const lines = costTable({ cost: measured(rows) })
      .split('\n')
      .slice(-2);
    expect(
      lines[0]
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    ).toEqual(['response', '1 MB', '100,000', '95 %', '650', '6.5', '211', '0', '0']);
    expect(lines[1]).toContain('stream *');
  });
});

import { describe, expect, it } from 'vitest';
import { type Finding, type Load, parseBoot, type Watched } from '../../../bench/instructions/finding.ts';
import { aloneOf, costOf, disagreements, instructionsSection } from '../../../bench/instructions/table.ts';

const load = (requests: number, each: number): Load => ({
  requests,
  elapsed: 1_000_000 + requests * each,
  busy: 1_000_000 + requests * each,
  server: requests * 40_000,
});
const alone = { small: load(200, 80_000), large: load(1000, 80_000) };
const watched: Watched = {
  load: load(1000, 100_000),
  own: 12_000_000,
  ends: 'both',
  counted: { server: 1000, client: 1000 },
  incomplete: 0,
  dropped: 0,
  broken: [],
  programs: [
    { name: 'sock_send_length', ns: 400_000, runs: 600, recursionMisses: 0 },
    { name: 'sock_recv_length', ns: 300_000, runs: 400, recursionMisses: 0 },
  ],
  empty: [{ name: 'sock_send_length', ns: 27_000, runs: 600, recursionMisses: 0 }],
  programsRequests: 200,
};
const written = (change: Partial<Watched> = {}, each = 100_000): string => {
  const findings: Finding[] = [
    { check: 'kernel', name: '6.12.1', node: 'v20' },
    { check: 'alone', ...alone },
    { check: 'sonde', name: 'both ends', watched: { ...watched, load: load(1000, each), ...change } },
    { check: 'end' },
  ];
  return findings.map((finding) => `${JSON.stringify(finding)}\r\n`).join('noise of the console\r\n');
};
const rowOf = (text: string, title: string): string[] =>
  (text.split('\n').find((line) => line.startsWith(`| ${title} `)) ?? '')
    .split('|')
    .map((cell) => cell.trim())
    .slice(1, -1);

describe('parseBoot', () => {
  it('reads the lines of a guest among others, with CR LF', () => {
    const boot = parseBoot(written());
    expect(boot.kernel).toBe('6.12.1');
    expect(boot.alone.large).toEqual(alone.large);
    expect(boot.sonde.get('both ends')).toEqual(watched);
  });

  it('knows a boot that was cut short, in a line or between two', () => {
    expect(parseBoot(written()).complete).toBe(true);
    const short = written().replace(/\{"check":"end"\}\s*$/, '');
    expect(parseBoot(short).complete).toBe(false);
    const cut = parseBoot(short.trimEnd().replace(/\}[^}]*$/, ''));
    expect([cut.complete, cut.sonde.size]).toEqual([false, 0]);
  });

  it('refuses what does not come to its first load', () => {
    expect(() => parseBoot('')).toThrow('did not come to its first load');
  });

  it('refuses a guest that says that it failed, with what it said', () => {
    const failed = `{"check":"failed","detail":"nginx did not start"}\n{"check":"end"}\n`;
    expect(() => parseBoot(failed)).toThrow('nginx did not start');
  });
});

describe('costOf', () => {
  it('is per exchange, the programs by the load that counted them', () => {
    expect(costOf(alone.large, watched)).toEqual({
      bpf: 3500,
      own: 12_000,
      server: 40_000,
      guest: 20_000,
      kept: (1000 + 80_000) / (1000 + 100_000),
    });
  });

  it('leaves out of the exchange without Sonde what the generator takes to start', () => {
    expect(aloneOf(parseBoot(written()))).toEqual({ guest: 80_000, server: 40_000 });
  });
});

describe('disagreements', () => {
  it('are none where both ends counted every exchange', () => {
    expect(disagreements('both ends', watched)).toEqual([]);
  });

  it('tell a missing exchange, an incomplete one, and a law that does not hold', () => {
    const bad = { ...watched, counted: { server: 999, client: 1000 }, incomplete: 1, broken: ['ring'] };
    expect(disagreements('both ends', bad)).toEqual([
      'both ends: server: 999 instead of 1000',
      'both ends: 1 incomplete',
      'both ends: the law does not hold at ring',
    ]);
  });

  it('expect nothing of the end that is not watched, and nothing at all when switched off', () => {
    expect(disagreements('server only', { ...watched, ends: 'server' })).toEqual([
      'server only: client: 1000 instead of 0',
    ]);
    expect(disagreements('switched off', { ...watched, ends: 'none', counted: { server: 0, client: 0 } })).toEqual([]);
  });
});

describe('instructionsSection', () => {
  it('has a row for what was varied, and how far the boots differ', () => {
    const text = instructionsSection([parseBoot(written()), parseBoot(written({ own: 12_120_000 }))], 'Made so.');
    expect(rowOf(text, 'Sonde, both ends')).toEqual([
      'Sonde, both ends',
      '3,500',
      '12,060',
      '15,560',
      '40,000',
      '+20,000',
      '80.2 %',
      '0.00 %, 1.00 %, 0.00 %',
    ]);
    expect(rowOf(text, 'without Sonde')).toContain('80,000');
    expect(text).toContain('Made so. Every exchange of the load was counted');
    expect(rowOf(text, 'Sonde, server only')).toEqual([]);
  });

  it('shows what only one of the boots has, without a difference', () => {
    const one = parseBoot(written());
    const text = instructionsSection([{ ...one, sonde: new Map() }, one], '');
    expect(rowOf(text, 'Sonde, both ends').at(1)).toBe('3,500');
    expect(rowOf(text, 'Sonde, both ends').at(-1)).toBe('');
  });

  it('shows each program with its runs and the empty one beside it', () => {
    const text = instructionsSection([parseBoot(written())], '');
    expect(text).toMatch(/\| both ends \| sock_send_length +\| 2,000 +\| 3\.000 +\| 667 +\|/);
    expect(text).toMatch(/\| both ends \| empty at sock_send_length +\| 135 +\| 3\.000 +\| 45 +\|/);
  });

  it('says that not all was counted', () => {
    const text = instructionsSection([parseBoot(written({ incomplete: 3 }))], '');
    expect(text).toContain('**Not all was counted**: both ends: 3 incomplete.');
  });

  it('says what was dropped since the start, in the warm-up', () => {
    expect(instructionsSection([parseBoot(written())], '')).toContain('Nothing was dropped.');
    expect(instructionsSection([parseBoot(written({ dropped: 1234 }))], '')).toContain('dropped up to 1,234');
  });
});

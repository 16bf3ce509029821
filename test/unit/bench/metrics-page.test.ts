import { describe, expect, it } from 'vitest';
import { lawGap, lawOf, parsePage, sum, totalDropped } from '../../../bench/metrics-page.ts';

const PAGE = `# HELP sonde_exchanges_total Exchanges.
# TYPE sonde_exchanges_total counter
sonde_exchanges_total{protocol="http",role="server"} 10
sonde_exchanges_total{protocol="http",role="client"} 7 # {trace_id="a"} 1 1700000000
sonde_exchanges_total{protocol="generic",role="server"} 100
sonde_produced_total{stage="hook"} 17
sonde_delivered_total{stage="hook"} 12
sonde_skipped_total{stage="hook",reason="filtered"} 3
sonde_dropped_total{stage="hook",reason="ring_full"} 4
sonde_dropped_total{stage="hook",reason="recursion"} 0
sonde_in_flight{stage="hook"} 1
up 1
route{path="/a\\"} b"} 5
# EOF
`;

describe('parsePage', () => {
  it('reads names, labels and values, and passes over comments and exemplars', () => {
    const page = parsePage(PAGE);
    expect(page[1]).toEqual({ name: 'sonde_exchanges_total', labels: { protocol: 'http', role: 'client' }, value: 7 });
    expect(page.find(({ name }) => name === 'up')).toEqual({ name: 'up', labels: {}, value: 1 });
  });

  it('reads a label value that holds a quote and a bracket', () => {
    expect(parsePage(PAGE).at(-1)).toEqual({ name: 'route', labels: { path: '/a\\"} b' }, value: 5 });
  });
});

describe('sum', () => {
  it('adds up the samples whose labels include those asked for', () => {
    const page = parsePage(PAGE);
    expect(sum(page, 'sonde_exchanges_total', { protocol: 'http' })).toBe(17);
    expect(sum(page, 'sonde_exchanges_total')).toBe(117);
    expect(sum(page, 'nothing')).toBe(0);
  });
});

describe('lawOf', () => {
  it('reads the terms of a stage, and what they leave unexplained', () => {
    const page = parsePage(PAGE);
    const [law] = lawOf(page);
    expect(law).toEqual({
      stage: 'hook',
      produced: 17,
      delivered: 12,
      inFlight: 1,
      dropped: 4,
      skipped: 3,
      reasons: { ring_full: 4 },
    });
    expect(lawGap(law)).toBe(0);
    expect(lawGap({ ...law, delivered: 10 })).toBe(2);
    expect(totalDropped(page)).toBe(4);
  });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLiveView } from '../../../src/cli/view/live-view.ts';
import type { Terminal } from '../../../src/cli/view/terminal.ts';
import type { Status } from '../../../src/control/status.ts';
import type { SeriesSnapshot } from '../../../src/model/series.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const LABELS = { service_name: 'shop', role: 'server', protocol: 'http', operation: 'GET', route: '/a' };

/** One series that has had so many exchanges of 5 ms. */
function snapshot(exchanges: number, released: () => void): SeriesSnapshot {
  return {
    layout: {
      stride: 5,
      exchanges: 0,
      fields: [
        {
          metric: 'duration',
          kinds: ['histogram'],
          count: 1,
          sum: 2,
          buckets: 3,
          bounds: [10e6],
          max: -1,
          avg: -1,
          last: -1,
        },
      ],
    },
    pages:
      exchanges === 0 ? [] : [{ values: Float64Array.of(exchanges, exchanges, 0, exchanges, 0), labels: [LABELS] }],
    totals: [],
    size: 1,
    overflowed: 0,
    completeness: 1,
    release: released,
  };
}

const STATUS: Status = {
  version: '1',
  kernel: '6.18',
  uptime_s: 61,
  features: [],
  loss: [],
  cost: { kernel_ns: 0, cpu_ratio: 0.01, rss_bytes: 70e6, map_bytes: null },
  governor: { level: 0, reason: null },
};

function show(inPlace: boolean) {
  const screens: string[][] = [];
  const state = { exchanges: 0, taken: 0, released: 0, closed: [] as readonly string[] };
  const terminal: Terminal = {
    inPlace,
    colour: false,
    size: () => ({ columns: 100, rows: inPlace ? 24 : Number.POSITIVE_INFINITY }),
    show: (lines) => void screens.push([...lines]),
    close: (lines) => {
      state.closed = lines;
    },
  };
  const view = createLiveView({
    terminal,
    store: {
      snapshot: () => {
        state.taken += 1;
        return snapshot(state.exchanges, () => {
          state.released += 1;
        });
      },
    },
    stages: [],
    status: () => STATUS,
    metricsUrl: 'http://127.0.0.1:9500/metrics',
    notes: () => ['a line of the log'],
    demo: false,
    now: () => Date.now(),
  });
  return { view, screens, state };
}

const shopLine = (lines: readonly string[] | undefined) => lines?.find((line) => line.startsWith('shop server http'));

test('on a terminal it is refreshed each second, with rates of the last seconds', () => {
  const { view, screens, state } = show(true);
  view.start();
  expect(screens).toHaveLength(1);
  expect(screens[0]?.join('\n')).toContain('curl http://127.0.0.1:8000/');
  expect(screens[0]?.join('\n')).toContain('a line of the log');
  expect(screens[0]?.[0]).toContain('1 min 1 s');
  for (let second = 1; second <= 10; second++) {
    state.exchanges = second * 20;
    vi.advanceTimersByTime(1000);
  }
  expect(screens).toHaveLength(11);
  expect(shopLine(screens.at(-1))).toMatch(/ 20\.0 .* 200$/);
  state.exchanges = 1200;
  vi.advanceTimersByTime(1000);
  // 1000 + 4 × 20 exchanges in the last five seconds.
  expect(shopLine(screens.at(-1))).toMatch(/ 216 .* 1200$/);
  view.stop();
  expect(shopLine(state.closed)).toMatch(/1200$/);
  expect(state.released).toBe(state.taken);
  vi.advanceTimersByTime(5000);
  expect(screens).toHaveLength(12);
});

test('elsewhere it is a table every five seconds', () => {
  const { view, screens, state } = show(false);
  view.start();
  state.exchanges = 50;
  vi.advanceTimersByTime(10_000);
  expect(screens).toHaveLength(2);
  expect(shopLine(screens[0])).toMatch(/ 10\.0 .* 50$/);
  expect(screens[0]?.join('\n')).not.toContain('a line of the log');
  view.stop();
});

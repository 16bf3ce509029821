import { describe, expect, test } from 'vitest';
import { serviceRows } from '../../../src/cli/view/model.ts';
import { quantile } from '../../../src/cli/view/quantile.ts';
import { renderScreen } from '../../../src/cli/view/screen.ts';
import type { Screen } from '../../../src/cli/view/screen.ts';
import { tallySnapshot } from '../../../src/cli/view/tally.ts';
import { fit, formatCompleteness, formatCount, formatQuantile, width } from '../../../src/cli/view/text.ts';
import type { Labels } from '../../../src/model/label-sets.ts';
import type { SeriesSnapshot } from '../../../src/model/series.ts';

const MS = 1e6;

describe('quantiles', () => {
  test('are interpolated within their bucket', () => {
    expect(quantile(0.5, [10, 20, 40], [0, 10, 10, 0])).toEqual({ value: 20, kind: 'at' });
    expect(quantile(0.75, [10, 20, 40], [0, 10, 10, 0])).toEqual({ value: 30, kind: 'at' });
  });

  test('say where a bucket has only one end', () => {
    expect(quantile(0.5, [10, 20], [4, 0, 0])).toEqual({ value: 10, kind: 'up-to' });
    expect(quantile(0.99, [10, 20], [1, 0, 9])).toEqual({ value: 20, kind: 'above' });
  });

  test('are unknown without values', () => {
    expect(quantile(0.5, [10, 20], [0, 0, 0])).toBeNull();
  });
});

/** exchanges, duration buckets (≤1 ms, ≤10 ms, above), request bytes, response bytes */
function snapshot(rows: readonly (readonly [Labels | undefined, readonly number[]])[]): SeriesSnapshot {
  const stride = 9;
  const values = new Float64Array(rows.length * stride);
  rows.forEach(([, numbers], row) => values.set(numbers, row * stride));
  const field = { kinds: [], count: 1, max: -1, avg: -1, last: -1 };
  return {
    layout: {
      stride,
      exchanges: 0,
      fields: [
        { ...field, metric: 'duration', sum: 2, buckets: 3, bounds: [MS, 10 * MS] },
        { ...field, metric: 'requestBytes', sum: 6, buckets: -1, bounds: [] },
        { ...field, metric: 'responseBytes', sum: 8, buckets: -1, bounds: [] },
      ],
    },
    pages: [{ values, labels: rows.map(([labels]) => labels) }],
    totals: [],
    size: rows.length,
    overflowed: 0,
    completeness: 1,
    release() {},
  };
}

const shop: Labels = { service_name: 'shop', role: 'server', protocol: 'http', operation: 'GET', route: '/a' };
const before = tallySnapshot(
  snapshot([
    [{ ...shop, status: '200' }, [10, 10, 0, 10, 0, 0, 100, 0, 1000]],
    [undefined, [99, 0, 0, 0, 0, 0, 0, 0, 0]],
  ]),
  1000,
);
const after = tallySnapshot(
  snapshot([
    [{ ...shop, status: '200' }, [20, 20, 0, 10, 10, 0, 200, 0, 3000]],
    [{ ...shop, status: '500', error: 'status' }, [10, 10, 0, 0, 10, 0, 100, 0, 1000]],
    [{ ...shop, route: '/b' }, [4, 4, 0, 4, 0, 0, 0, 0, 0]],
    [{ protocol: 'http', role: 'client', overflow: 'true' }, [1, 1, 0, 0, 0, 1, 0, 0, 0]],
  ]),
  3000,
);

describe('rows', () => {
  const services = serviceRows(before, after, 0);

  test('merge statuses, and count what happened between the two moments', () => {
    const [first] = services;
    expect(first).toMatchObject({ service: 'shop', role: 'server', protocol: 'http', total: 34, rate: 12 });
    const route = first?.routes[0];
    expect(route).toMatchObject({ route: 'GET /a', rate: 10, errorRatio: 0.5, total: 30, bytes: 1600 });
    expect(route?.p50?.value).toBeCloseTo(5.5 * MS);
  });

  test('put what found no room of its own under one name', () => {
    expect(services[1]).toMatchObject({ service: '(other)', role: 'client', rate: 0.5 });
  });

  test('never fall below zero when a series has expired', () => {
    const [first] = serviceRows(after, before, 0);
    expect(first?.rate).toBe(0);
    expect(first?.bytes).toBe(0);
  });
});

const screen: Screen = {
  title: 'sonde on a host with quite a long name, 5 s   http://127.0.0.1:9500/metrics   Ctrl-C ends',
  services: serviceRows(before, after, 0),
  stages: [{ name: 'hook', count: { produced: 1, delivered: 1, inFlight: 0, dropped: { ring_full: 0 }, skipped: {} } }],
  completeness: 1,
  cost: { cpuRatio: 0.012, rssBytes: 71e6, kernelRatio: 0.002 },
  spanSeconds: 5,
  notes: [],
  idle: ['make some traffic'],
};

describe('the screen', () => {
  test.each([
    [80, 24],
    [80, 6],
    [120, 50],
    [60, 12],
    [40, 10],
  ])('fits %d x %d', (columns, rows) => {
    const many = Array.from({ length: 30 }, (_, index) => ({ ...screen.services[0], service: `服务${index}` }));
    for (const services of [screen.services, many] as Screen['services'][]) {
      const lines = renderScreen({ ...screen, services }, { columns, rows, colour: false });
      expect(lines.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...lines.map(width))).toBeLessThanOrEqual(columns);
    }
  });

  test('has no escape sequence without colour, whatever the names hold', () => {
    const evil = [{ ...screen.services[0], service: 'a\u001b[2Jb\nc', routes: [] }] as Screen['services'];
    const text = renderScreen({ ...screen, services: evil }, { columns: 80, rows: 24, colour: false }).join('');
    expect(text).not.toMatch(/\p{Cc}/u);
    expect(renderScreen(screen, { columns: 80, rows: 24, colour: true }).join('')).toContain('\u001b[31m');
  });

  test('says what was lost, where and why, or that nothing was', () => {
    const text = (dropped: Record<string, number>) =>
      renderScreen(
        {
          ...screen,
          stages: [{ name: 'hook', count: { produced: 9, delivered: 1, inFlight: 0, dropped, skipped: {} } }],
        },
        { columns: 80, rows: 24, colour: false },
      ).join('\n');
    expect(text({ ring_full: 0 })).toContain('nothing lost; last window complete to 100%');
    expect(text({ ring_full: 8 })).toContain('lost since the start: hook 8 ring_full');
  });

  test('says what to do when there is nothing to see', () => {
    const text = renderScreen({ ...screen, services: [] }, { columns: 80, rows: 24, colour: false }).join('\n');
    expect(text).toContain('make some traffic');
    expect(text).not.toContain('RATE');
  });

  test('shows every service before the routes of the busiest one', () => {
    const busy = {
      ...screen.services[0],
      routes: Array.from({ length: 50 }, (_, index) => ({ ...screen.services[0]?.routes[0], route: `/r${index}` })),
    };
    const services = [busy, ...screen.services.slice(1)] as Screen['services'];
    const text = renderScreen({ ...screen, services }, { columns: 80, rows: 20, colour: false }).join('\n');
    expect(text).toContain('(other) client http');
    expect(text).toMatch(/… \d+ more lines/);
  });
});

test('quantiles at the ends of the scale are bounds, and say so', () => {
  expect(formatQuantile({ value: 50_000, kind: 'up-to' })).toBe('≤50us');
  expect(formatQuantile({ value: 10e9, kind: 'above' })).toBe('>10s');
  expect(formatQuantile({ value: 10e6, kind: 'at' })).toBe('10.0ms');
  expect(formatQuantile(null)).toBe('-');
});

test('texts are cut and padded by the columns they take', () => {
  expect(fit('abc', 5)).toBe('abc  ');
  expect(fit('abc', 5, 'right')).toBe('  abc');
  expect(fit('abcdef', 5)).toBe('abcd…');
  expect(fit('服务器', 5)).toBe('服务…');
  expect(width('服务')).toBe(4);
});

test('completeness is never rounded up, counts stay short', () => {
  expect(formatCompleteness(0.999999)).toBe('99.999%');
  expect(formatCompleteness(1)).toBe('100%');
  expect([0, 0.4, 12.34, 1234, 123_456, 1_234_567].map(formatCount)).toEqual([
    '0',
    '0.40',
    '12.3',
    '1234',
    '123k',
    '1235k',
  ]);
});

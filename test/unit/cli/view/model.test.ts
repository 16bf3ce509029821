import { describe, expect, test } from 'vitest';
import { createHistory } from '../../../../src/cli/view/history.ts';
import { compareReports } from '../../../../src/cli/view/model.ts';
import { quantile } from '../../../../src/cli/view/quantile.ts';
import { peer, report, route, service, sums } from './reports.ts';

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

describe('two reports compared', () => {
  const before = report(1000, [service('shop', 10, { routes: [route('GET /a', 10)] })]);
  const after = report(3000, [
    service('shop', 34, {
      errors: 10,
      routes: [
        route('GET /a', 30, { errors: 10, duration: [0, 20, 10], request_bytes: 300, response_bytes: 4000 }),
        route('GET /b', 4),
      ],
      peers: [peer('10.0.0.1:80', 4)],
    }),
  ]);

  test('count what happened between the two windows', () => {
    const [shop] = compareReports(before, after).services;
    expect(shop).toMatchObject({ service: 'shop', role: 'server', total: 34, rate: 12 });
    expect(shop?.errorRatio).toBeCloseTo(10 / 24);
    const [a, b] = shop?.routes ?? [];
    // 300 + 4000 bytes now, 100 + 1000 before, in two seconds.
    expect(a).toMatchObject({ route: 'GET /a', rate: 10, errorRatio: 0.5, total: 30, bytes: 1600 });
    expect(a?.p50?.value).toBeCloseTo(10 * MS);
    expect(b).toMatchObject({ route: 'GET /b', rate: 2 });
    expect(shop?.peers[0]).toMatchObject({ peer: '10.0.0.1:80', service: 'shop', rate: 2 });
  });

  test('tell what the network did to the service, and to it with each peer', () => {
    const tcp = (resets: number) => ({
      connections: 4,
      retransmits: resets * 2,
      resets,
      failed_connects: 1,
      rtt: [resets, 0],
    });
    const at = (ms: number, resets: number) =>
      report(ms, [service('shop', 1, { tcp: tcp(resets), peers: [{ ...peer('10.0.0.1:80', 1), tcp: tcp(resets) }] })]);
    const [shop] = compareReports(at(1000, 1), at(3000, 5)).services;
    const expected = { connections: 4, retransmits: 4, broken: 2, rtt: { kind: 'up-to', value: MS } };
    expect(shop?.tcp).toEqual(expected);
    expect(shop?.peers[0]?.tcp).toEqual(expected);
  });

  test('without the first, everything is since the start', () => {
    const picture = compareReports(undefined, after);
    expect(picture.spanSeconds).toBe(3);
    expect(picture.services[0]?.rate).toBeCloseTo(34 / 3);
  });

  test('never fall below zero when a series has expired', () => {
    const [shop] = compareReports({ ...after, closed_ms: 0 }, { ...before, closed_ms: 5000 }).services;
    expect(shop).toMatchObject({ rate: 0, bytes: 0, errorRatio: null, p50: null });
  });

  test('do not take for new what was only not listed before', () => {
    const cut = { hidden: { routes: 3, peers: 0 } };
    const [shop] = compareReports(
      report(1000, [service('shop', 100, { ...cut, routes: [route('GET /a', 50)] })]),
      report(2000, [service('shop', 110, { ...cut, routes: [route('GET /b', 51)] })]),
    ).services;
    expect(shop?.rate).toBe(10);
    expect(shop?.routes[0]?.rate).toBe(0);
    const [late] = compareReports(report(1000, [], { hidden: 1 }), report(2000, [service('late', 9)])).services;
    expect(late?.rate).toBe(0);
  });

  test('say nothing before the first window has closed', () => {
    expect(compareReports(undefined, report(null, [service('shop', 3)])).services).toEqual([]);
  });
});

describe('the history', () => {
  test('keeps a report from five seconds ago, and one of each window', () => {
    const history = createHistory();
    expect(history.after()).toBeUndefined();
    for (const time of [0, 0, 1000, 1000, 2000, 3000, 4000, 5000, 6000, 7000]) {
      history.add(report(time, []));
    }
    expect(history.after()?.closed_ms).toBe(7000);
    expect(history.before()?.closed_ms).toBe(2000);
  });

  test('keeps the window before where windows are long', () => {
    const history = createHistory();
    for (const time of [30_000, 30_000, 60_000, 60_000]) history.add(report(time, []));
    expect(history.before()?.closed_ms).toBe(30_000);
  });

  test('begins anew with another probe', () => {
    const history = createHistory();
    history.add(report(60_000, [service('a', 1, sums(1))]));
    history.add(report(1000, []));
    expect(history.before()).toBeUndefined();
    expect(history.after()?.closed_ms).toBe(1000);
  });
});

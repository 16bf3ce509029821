import { describe, expect, it } from 'vitest';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import type { Labels } from '../../../../src/model/label-sets.ts';
import type { Stage } from '../../../../src/model/law.ts';
import type { ExchangeMetricName, SeriesField } from '../../../../src/model/series.ts';
import { createAggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import type { AggregateOptions, AggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import { exchange } from '../exchange-fixture.ts';

const SECOND = 1e9;
const HTTP: Labels = { protocol: 'http', role: 'server', operation: 'GET', route: '/', status: '200' };

function setUp(options: Partial<AggregateOptions> = {}, maxSets = 1_000) {
  const labels = options.labels ?? new LabelSets({ maxSets });
  const aggregate = createAggregateProcessor({ labels, ...options });
  const see = (
    set: Labels,
    metrics: Partial<Record<ExchangeMetricName, number>> = { duration: 1e6 },
    complete = true,
  ) => {
    const id = labels.intern(set);
    aggregate.consume(exchange({ labels: id, metrics, complete }));
    labels.release(id);
  };
  return { labels, aggregate, see };
}

interface Row {
  readonly labels: Labels;
  readonly exchanges: number;
  value(metric: ExchangeMetricName, what: 'count' | 'sum' | 'max' | 'avg' | 'last'): number;
  buckets(metric: ExchangeMetricName): number[];
}

function rows(aggregate: AggregateProcessor): Row[] {
  const snapshot = aggregate.store.snapshot();
  const { stride, fields } = snapshot.layout;
  const fieldOf = (metric: ExchangeMetricName) => fields.find((field) => field.metric === metric) as SeriesField;
  const found = snapshot.pages.flatMap(({ labels, values }) =>
    labels.flatMap((set, i) => {
      if (set === undefined) return [];
      const row = values.slice(i * stride, (i + 1) * stride);
      return [
        {
          labels: set,
          exchanges: row[0],
          value: (metric, what) => row[fieldOf(metric)[what]],
          buckets: (metric) => {
            const { buckets, bounds } = fieldOf(metric);
            return Array.from(row.subarray(buckets, buckets + bounds.length + 1));
          },
        } satisfies Row,
      ];
    }),
  );
  snapshot.release();
  return found;
}

/** The terms of the law, and the two sums of docs/metrics.md. */
function check(aggregate: AggregateProcessor) {
  const count = aggregate.stage.read();
  const dropped = Object.values(count.dropped).reduce((a, b) => a + b, 0);
  expect(count.produced).toBe(count.delivered + count.inFlight + dropped);
  const snapshot = aggregate.store.snapshot();
  const total = (key: 'exchanges' | 'expired') => snapshot.totals.reduce((sum, pair) => sum + pair[key], 0);
  const series = rows(aggregate).reduce((sum, row) => sum + row.exchanges, 0);
  expect(series + total('expired')).toBe(total('exchanges'));
  expect(total('exchanges')).toBe(count.delivered);
  snapshot.release();
  return { ...count, total };
}

describe('createAggregateProcessor', () => {
  it('keeps one series for all methods that HTTP does not know, and the operations of other protocols', () => {
    const { aggregate, see } = setUp();
    for (const operation of ['GET', 'QUERY', 'get', 'BREW', 'WHEN']) see({ ...HTTP, operation });
    see({ protocol: 'generic', role: 'server', operation: 'BREW' });
    aggregate.flush(0);
    expect(rows(aggregate).map(({ labels, exchanges }) => [labels.operation, exchanges])).toEqual([
      ['GET', 1],
      ['QUERY', 1],
      ['_OTHER', 3],
      ['BREW', 1],
    ]);
    check(aggregate);
  });

  it('shows an exchange when its window is over, and says before that it is in flight', () => {
    const { aggregate, see } = setUp();
    aggregate.tick(0);
    see(HTTP);
    see(HTTP);
    aggregate.tick(4.9 * SECOND);
    expect(rows(aggregate)).toEqual([]);
    expect(check(aggregate)).toMatchObject({ produced: 2, delivered: 0, inFlight: 2 });
    aggregate.tick(5 * SECOND);
    expect(rows(aggregate).map((row) => row.exchanges)).toEqual([2]);
    expect(check(aggregate)).toMatchObject({ produced: 2, delivered: 2, inFlight: 0 });
  });

  it('closes windows at multiples of their length, however late it is told', () => {
    const { aggregate, see } = setUp({ windowNs: SECOND });
    aggregate.tick(0);
    see(HTTP);
    aggregate.tick(3.7 * SECOND);
    expect(check(aggregate).delivered).toBe(1);
    see(HTTP);
    aggregate.tick(3.9 * SECOND);
    expect(check(aggregate).inFlight).toBe(1);
    aggregate.tick(4 * SECOND);
    expect(check(aggregate).inFlight).toBe(0);
  });

  it('leaves nothing in flight after a flush', () => {
    const { aggregate, see } = setUp();
    for (let i = 0; i < 10; i += 1) see({ ...HTTP, route: `/${i % 3}` });
    aggregate.flush(1);
    expect(check(aggregate)).toMatchObject({ produced: 10, delivered: 10, inFlight: 0 });
    expect(rows(aggregate)).toHaveLength(3);
  });

  it('sums over what is not kept as a label, and never keeps pids and ephemeral ports', () => {
    const { aggregate, see } = setUp();
    see({ ...HTTP, pid: '1', client_address: '10.0.0.1', comm: 'a', service_name: 's' });
    see({ ...HTTP, pid: '2', client_address: '10.0.0.2', comm: 'b', service_name: 's' });
    aggregate.flush(1);
    const [row, ...more] = rows(aggregate);
    expect(more).toEqual([]);
    expect(row).toMatchObject({ exchanges: 2, labels: { ...HTTP, service_name: 's' } });
    expect(row?.labels).not.toHaveProperty('pid');
  });

  it('keeps protocol and role whatever keys are configured', () => {
    const { aggregate, see } = setUp({ keys: ['service_name'] });
    see({ ...HTTP, service_name: 's' });
    see({ ...HTTP, service_name: 's', role: 'client' });
    aggregate.flush(1);
    expect(rows(aggregate).map((row) => row.labels)).toEqual([
      { service_name: 's', protocol: 'http', role: 'server' },
      { service_name: 's', protocol: 'http', role: 'client' },
    ]);
  });

  it('fills histograms and sums, and leaves out values that are not known', () => {
    const { aggregate, see } = setUp({
      metrics: {
        duration: { kinds: ['histogram'], bounds: [10, 20] },
        queue: { kinds: ['histogram'], bounds: [10] },
        requestBytes: { kinds: ['sum'] },
      },
    });
    see(HTTP, { duration: 10, requestBytes: 5 });
    see(HTTP, { duration: 11, queue: 3, requestBytes: 6 });
    see(HTTP, { duration: 21, requestBytes: 7 });
    aggregate.flush(1);
    const [row] = rows(aggregate) as [Row];
    expect(row.buckets('duration')).toEqual([1, 1, 1]);
    expect(row.value('duration', 'sum')).toBe(42);
    expect(row.buckets('queue')).toEqual([1, 0]);
    expect(row.value('queue', 'sum')).toBe(3);
    expect(row.value('requestBytes', 'sum')).toBe(18);
  });

  it('keeps count over all time, and max, average and last of the latest window that had any', () => {
    const { aggregate, see } = setUp({ metrics: { duration: { kinds: ['count', 'sum', 'max', 'avg', 'last'] } } });
    for (const duration of [-3, -5, -4]) see(HTTP, { duration });
    see(HTTP, {});
    aggregate.flush(1);
    let [row] = rows(aggregate) as [Row];
    expect(row.exchanges).toBe(4);
    expect(['count', 'sum', 'max', 'avg', 'last'].map((what) => row.value('duration', what as 'max'))).toEqual([
      3, -12, -3, -4, -4,
    ]);
    for (const duration of [2, 1]) see(HTTP, { duration });
    aggregate.flush(2);
    see(HTTP, {});
    aggregate.flush(3);
    [row] = rows(aggregate) as [Row];
    expect(['count', 'sum', 'max', 'avg', 'last'].map((what) => row.value('duration', what as 'max'))).toEqual([
      5, -9, 2, 1.5, 1,
    ]);
  });

  it('counts incomplete exchanges by protocol and role', () => {
    const { aggregate, see } = setUp();
    see(HTTP);
    see(HTTP, { duration: 1 }, false);
    see({ protocol: 'generic', role: 'client' }, { duration: 1 }, false);
    aggregate.flush(1);
    const snapshot = aggregate.store.snapshot();
    expect(snapshot.totals).toEqual([
      { protocol: 'http', role: 'server', exchanges: 2, incomplete: 1, estimated: 0, expired: 0 },
      { protocol: 'generic', role: 'client', exchanges: 1, incomplete: 1, estimated: 0, expired: 0 },
    ]);
    snapshot.release();
  });

  it('passes over DataGroups of other names', () => {
    const { aggregate, labels } = setUp();
    aggregate.consume({ ...exchange({ labels: labels.intern(HTTP) }), name: 'another_group' });
    expect(aggregate.stage.read().produced).toBe(0);
  });

  it('counts what exceeds the cap in one overflow series for each protocol and role', () => {
    const { aggregate, see } = setUp({ maxSeries: 10 });
    for (let i = 0; i < 30; i += 1) see({ ...HTTP, route: `/${i}` });
    for (let i = 0; i < 5; i += 1) see({ ...HTTP, role: 'client', route: `/${i}` });
    aggregate.flush(1);
    const found = rows(aggregate);
    expect(found).toHaveLength(12);
    const overflow = found.filter((row) => row.labels.overflow !== undefined);
    expect(overflow.map((row) => [row.labels, row.exchanges])).toEqual([
      [{ protocol: 'http', role: 'server', overflow: 'true' }, 20],
      [{ protocol: 'http', role: 'client', overflow: 'true' }, 5],
    ]);
    expect(check(aggregate)).toMatchObject({ produced: 35, delivered: 35 });
    const snapshot = aggregate.store.snapshot();
    expect(snapshot.overflowed).toBe(25);
    snapshot.release();
  });

  it('forgets a series after its time to live and keeps its count', () => {
    const { aggregate, see, labels } = setUp({ ttlNs: 60 * SECOND });
    see(HTTP);
    see({ ...HTTP, route: '/stays' });
    aggregate.flush(0);
    see({ ...HTTP, route: '/stays' });
    aggregate.flush(59 * SECOND);
    expect(rows(aggregate)).toHaveLength(2);
    aggregate.flush(60 * SECOND);
    expect(rows(aggregate).map((row) => row.labels.route)).toEqual(['/stays']);
    expect(check(aggregate).total('expired')).toBe(1);
    expect(labels.size).toBe(1);
    // It may come back, and begins anew.
    see(HTTP);
    aggregate.flush(61 * SECOND);
    expect(rows(aggregate).find((row) => row.labels.route === '/')?.exchanges).toBe(1);
    expect(check(aggregate).total('exchanges')).toBe(4);
  });

  it('leaves an overflow series for a series of its own once there is room', () => {
    const { aggregate, labels } = setUp({ maxSeries: 1, ttlNs: 10 * SECOND });
    const first = labels.intern(HTTP);
    const second = labels.intern({ ...HTTP, route: '/second' });
    aggregate.consume(exchange({ labels: first }));
    aggregate.consume(exchange({ labels: second }));
    aggregate.flush(0);
    aggregate.consume(exchange({ labels: second }));
    aggregate.flush(10 * SECOND);
    aggregate.consume(exchange({ labels: second }));
    aggregate.flush(11 * SECOND);
    expect(rows(aggregate).map((row) => [row.labels.route, row.exchanges])).toContainEqual(['/second', 1]);
    expect(check(aggregate).produced).toBe(4);
  });

  it('does not confuse a label set with one that had its place before', () => {
    const { aggregate, see, labels } = setUp({ keys: ['route'] });
    for (let i = 0; i < 50; i += 1) see({ ...HTTP, route: `/${i}`, pid: String(i) });
    aggregate.flush(1);
    expect(labels.size).toBe(50);
    expect(new Set(rows(aggregate).map((row) => row.labels.route)).size).toBe(50);
    expect(rows(aggregate).every((row) => row.exchanges === 1)).toBe(true);
  });

  it('stays exact and small when 200,000 distinct label sets pass', { timeout: 60_000 }, () => {
    const { aggregate, labels } = setUp({ maxSeries: 200, ttlNs: 20 * SECOND, windowNs: SECOND }, 500);
    let pages = 0;
    const group = exchange({});
    for (let i = 0; i < 200_000; i += 1) {
      group.labels = labels.intern({ ...HTTP, route: `/${i}` });
      group.complete = i % 10 !== 0;
      aggregate.consume(group);
      labels.release(group.labels);
      if (i % 1_000 === 0) {
        aggregate.tick((i / 1_000) * SECOND);
        const snapshot = aggregate.store.snapshot();
        pages = Math.max(pages, snapshot.pages.length);
        snapshot.release();
      }
    }
    aggregate.flush(200 * SECOND);
    const count = check(aggregate);
    expect(count).toMatchObject({ produced: 200_000, delivered: 200_000, inFlight: 0 });
    expect(count.total('expired')).toBeGreaterThan(0);
    expect(rows(aggregate).length).toBeLessThanOrEqual(201);
    expect(labels.size).toBeLessThanOrEqual(500);
    expect(pages).toBeLessThanOrEqual(2);
    const snapshot = aggregate.store.snapshot();
    expect(snapshot.totals[0]?.incomplete).toBe(20_000);
    snapshot.release();
  });

  it('shows a snapshot as it was taken, whatever happens until it is given back', () => {
    const { aggregate, see } = setUp({ ttlNs: 10 * SECOND });
    see(HTTP);
    aggregate.flush(0);
    const before = aggregate.store.snapshot();
    const copy = structuredClone({ pages: before.pages, totals: before.totals });
    for (let i = 0; i < 300; i += 1) see({ ...HTTP, route: `/${i}` });
    see(HTTP);
    aggregate.flush(1);
    aggregate.flush(20 * SECOND);
    expect({ pages: before.pages, totals: before.totals }).toEqual(copy);
    before.release();
    before.release();
    check(aggregate);
  });

  it('tells how complete the last window was from the stages hook and ring', () => {
    const counts = {
      hook: { produced: 0, dropped: 0 },
      ring: { produced: 0, dropped: 0 },
      analyzer: { produced: 9, dropped: 9 },
    };
    const stage = (name: keyof typeof counts): Stage => ({
      name,
      read: () => ({
        produced: counts[name].produced,
        delivered: counts[name].produced - counts[name].dropped,
        inFlight: 0,
        dropped: { ring_full: counts[name].dropped },
        skipped: { peek: 1 },
      }),
    });
    const { aggregate } = setUp({ stages: [stage('hook'), stage('ring'), stage('analyzer')] });
    const ratio = () => {
      const snapshot = aggregate.store.snapshot();
      snapshot.release();
      return snapshot.completeness;
    };
    expect(ratio()).toBe(1);
    aggregate.flush(1);
    expect(ratio()).toBe(1);
    counts.hook = { produced: 100, dropped: 10 };
    counts.ring = { produced: 50, dropped: 25 };
    aggregate.flush(2);
    expect(ratio()).toBeCloseTo(0.9 * 0.5);
    counts.hook = { produced: 200, dropped: 10 };
    aggregate.flush(3);
    expect(ratio()).toBe(1);
  });
});

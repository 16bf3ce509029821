import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { createPrometheusExporter } from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import type {
  PrometheusExporter,
  PrometheusExporterOptions,
} from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import type { Labels } from '../../../../src/model/label-sets.ts';
import type { Stage } from '../../../../src/model/law.ts';
import type { ExchangeMetricName } from '../../../../src/model/series.ts';
import { createAggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import type { AggregateOptions } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import { createSelfMetrics } from '../../../../src/receiver/self/self-metrics.ts';
import { exchange } from '../../processor/exchange-fixture.ts';
import { ask, parsePage, sum } from './scrape.ts';
import type { Address } from './scrape.ts';

const ANY_PORT = { host: '127.0.0.1', port: 0 };
const HTTP: Labels = {
  protocol: 'http',
  role: 'server',
  operation: 'GET',
  route: '/users/{id}',
  status: '200',
  server_address: '10.0.0.1',
  server_port: '8080',
  service_name: 'shop',
};

const running: PrometheusExporter[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((exporter) => exporter.stop()));
});

async function setUp(options: Partial<PrometheusExporterOptions> = {}, aggregation: Partial<AggregateOptions> = {}) {
  const labels = new LabelSets({ maxSets: 200_000 });
  const aggregate = createAggregateProcessor({ labels, maxSeries: 100_000, ...aggregation });
  const exporter = createPrometheusExporter({
    store: aggregate.store,
    stages: [aggregate.stage],
    labels,
    listen: ANY_PORT,
    ...options,
  });
  running.push(exporter);
  const address = await exporter.start();
  const see = (set: Labels, metrics: Partial<Record<ExchangeMetricName, number>> = { duration: 3e6 }) => {
    const id = labels.intern(set);
    aggregate.consume(exchange({ labels: id, metrics }));
    labels.release(id);
  };
  return { labels, aggregate, exporter, address, see };
}

/** A scraper that sends its request and reads nothing. */
async function stall({ host, port }: Address) {
  const socket = connect({ host, port });
  socket.pause();
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return socket;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

describe('createPrometheusExporter', () => {
  it('shows HTTP under the names of the semantic conventions', async () => {
    const { aggregate, address, see } = await setUp();
    see(HTTP, { duration: 3e6, queue: 2e6, requestBytes: 100, responseBytes: 2_000 });
    see(HTTP, { duration: 5e6, requestBytes: 100, responseBytes: 2_000 });
    see(HTTP, { duration: 20e9, requestBytes: 100, responseBytes: 0 });
    aggregate.flush(1);
    const { text, headers, status } = await ask(address);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    const labels =
      'http_request_method="GET",http_route="/users/{id}",http_response_status_code="200",' +
      'service_name="shop",server_address="10.0.0.1",server_port="8080"';
    expect(text.split('\n').filter((line) => line.startsWith('http_'))).toEqual([
      ...[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10].map(
        (le) => `http_server_request_duration_seconds_bucket{${labels},le="${le}"} 2`,
      ),
      `http_server_request_duration_seconds_bucket{${labels},le="+Inf"} 3`,
      `http_server_request_duration_seconds_sum{${labels}} 20.008`,
      `http_server_request_duration_seconds_count{${labels}} 3`,
    ]);
    const samples = parsePage(text);
    expect(sum(samples, 'sonde_request_queue_duration_seconds_count')).toBe(1);
    expect(sum(samples, 'sonde_request_queue_duration_seconds_bucket', { le: '0.001' })).toBe(0);
    expect(sum(samples, 'sonde_request_queue_duration_seconds_bucket', { le: '0.005' })).toBe(1);
    expect(sum(samples, 'sonde_request_bytes_total', { protocol: 'http', role: 'server', status: '200' })).toBe(300);
    expect(sum(samples, 'sonde_response_bytes_total', { service_name: 'shop' })).toBe(4_000);
    expect(sum(samples, 'sonde_exchanges_total', { protocol: 'http', role: 'server' })).toBe(3);
    expect(sum(samples, 'sonde_request_duration_seconds_count')).toBe(0);
  });

  it('says in error_type the status where the protocol failed, else the kind of failure', async () => {
    const { aggregate, address, see } = await setUp();
    const { status: _, ...unanswered } = HTTP;
    see({ ...HTTP, status: '503', error: 'status' });
    see({ ...unanswered, error: 'no_response' });
    see({ ...unanswered, role: 'client', error: 'reset' });
    aggregate.flush(1);
    const counts = parsePage((await ask(address)).text).filter(({ name }) =>
      name.endsWith('_request_duration_seconds_count'),
    );
    expect(counts.map(({ name, labels }) => [name, labels.http_response_status_code, labels.error_type])).toEqual([
      ['http_server_request_duration_seconds_count', '503', '503'],
      ['http_server_request_duration_seconds_count', undefined, 'no_response'],
      ['http_client_request_duration_seconds_count', undefined, 'reset'],
    ]);
  });

  it('shows what has no convention as sonde_request_duration_seconds, with finer buckets', async () => {
    const { aggregate, address, see } = await setUp();
    see({ protocol: 'generic', role: 'client', server_port: '9000' }, { duration: 60_000 });
    aggregate.flush(1);
    const samples = parsePage((await ask(address)).text);
    const buckets = samples.filter(({ name }) => name === 'sonde_request_duration_seconds_bucket');
    expect(buckets[0]).toEqual({
      name: 'sonde_request_duration_seconds_bucket',
      labels: { protocol: 'generic', role: 'client', server_port: '9000', le: '0.00005' },
      value: 0,
    });
    expect(buckets[1]).toMatchObject({ labels: { le: '0.0001' }, value: 1 });
    expect(buckets.map(({ labels }) => Number(labels.le?.replace('+Inf', 'Infinity')))).toEqual([
      5e-5,
      1e-4,
      2.5e-4,
      5e-4,
      1e-3,
      2.5e-3,
      5e-3,
      0.01,
      0.025,
      0.05,
      0.075,
      0.1,
      0.25,
      0.5,
      0.75,
      1,
      2.5,
      5,
      7.5,
      10,
      Infinity,
    ]);
  });

  it('counts a request whose duration is not known, in the bucket +Inf only', async () => {
    const { aggregate, address, see } = await setUp();
    see(HTTP, { duration: 3e6 });
    see(HTTP, {});
    aggregate.flush(1);
    const samples = parsePage((await ask(address)).text);
    expect(sum(samples, 'http_server_request_duration_seconds_count')).toBe(2);
    expect(sum(samples, 'http_server_request_duration_seconds_bucket', { le: '+Inf' })).toBe(2);
    expect(sum(samples, 'http_server_request_duration_seconds_bucket', { le: '10' })).toBe(1);
    expect(sum(samples, 'http_server_request_duration_seconds_sum')).toBe(0.003);
  });

  it('names the overflow series as OpenTelemetry does', async () => {
    const { aggregate, address, see } = await setUp({}, { maxSeries: 1 });
    see(HTTP);
    see({ ...HTTP, route: '/other' });
    aggregate.flush(1);
    const samples = parsePage((await ask(address)).text);
    expect(sum(samples, 'http_server_request_duration_seconds_count', { otel_metric_overflow: 'true' })).toBe(1);
    expect(sum(samples, 'sonde_series_overflowed_total')).toBe(1);
  });

  it('holds the law and the sums of docs/metrics.md at every scrape, while windows close and series expire', async () => {
    const hook: Stage = {
      name: 'hook',
      read: () => ({ produced: 9, delivered: 6, inFlight: 1, dropped: { ring_full: 2 }, skipped: { peek: 1 } }),
    };
    const labels = new LabelSets({ maxSets: 5_000 });
    const aggregate = createAggregateProcessor({ labels, maxSeries: 300, ttlNs: 3e9, windowNs: 1e9, stages: [hook] });
    const { address } = await setUp({ store: aggregate.store, stages: [hook, aggregate.stage], labels });
    let produced = 0;
    const over = new AbortController();
    const load = (async () => {
      for (let second = 0; !over.signal.aborted; second += 1) {
        for (let i = 0; i < 100; i += 1) {
          const id = labels.intern({ ...HTTP, route: `/${second}/${i}` });
          aggregate.consume(exchange({ labels: id, metrics: { duration: 1e6 } }));
          labels.release(id);
          produced += 1;
        }
        aggregate.tick(second * 0.4e9);
        await new Promise(setImmediate);
      }
    })();
    for (let scrape = 0; scrape < 8; scrape += 1) {
      const pages = await Promise.all([ask(address), ask(address), ask(address)]);
      for (const { text } of pages) {
        const samples = parsePage(text);
        for (const stage of ['hook', 'window', 'export.prometheus']) {
          const term = (name: string) => sum(samples, name, { stage });
          expect(term('sonde_produced_total')).toBe(
            term('sonde_delivered_total') + term('sonde_in_flight') + term('sonde_dropped_total'),
          );
        }
        const series = sum(samples, 'http_server_request_duration_seconds_count');
        const exchanges = sum(samples, 'sonde_exchanges_total');
        expect(series + sum(samples, 'sonde_series_expired_exchanges_total')).toBe(exchanges);
        expect(sum(samples, 'sonde_delivered_total', { stage: 'window' })).toBe(exchanges);
      }
    }
    over.abort();
    await load;
    expect(produced).toBeGreaterThan(1_000);
    expect(sum(parsePage((await ask(address)).text), 'sonde_series_expired_exchanges_total')).toBeGreaterThan(0);
  });

  it('writes what promtool accepts without a word', async () => {
    const { aggregate, address, see } = await setUp(
      { registry: createSelfMetrics({ version: '1.2.3' }) },
      {
        metrics: {
          duration: { kinds: ['histogram', 'max', 'avg', 'last', 'count', 'sum'], bounds: [1e6, 1e9] },
          queue: { kinds: ['histogram'] },
          ttfb: { kinds: ['histogram', 'sum'] },
          connect: { kinds: ['sum', 'count'] },
          requestSent: { kinds: ['sum', 'avg'] },
          contentDownload: { kinds: ['max'] },
          requestBytes: { kinds: ['sum', 'histogram', 'max'], bounds: [100, 1_000] },
          responseBytes: { kinds: ['sum', 'max'] },
        },
      },
    );
    const all = {
      duration: 1,
      queue: 2,
      ttfb: 3,
      connect: 4,
      requestSent: 5,
      contentDownload: 6,
      requestBytes: 7,
      responseBytes: 8,
    };
    for (const role of ['server', 'client']) {
      for (const protocol of ['http', 'generic'])
        see({ ...HTTP, protocol, role, route: `/"a"\\b\nc/ü😀`, error: 'status' }, all);
    }
    see({});
    aggregate.flush(1);
    const { text } = await ask(address);
    expect(
      execFileSync('promtool', ['check', 'metrics'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] }).toString(),
    ).toBe('');
    const samples = parsePage(text);
    expect(samples.find(({ name }) => name === 'http_server_request_duration_seconds_sum')?.labels.http_route).toBe(
      `/"a"\\b\nc/ü😀`,
    );
    expect(sum(samples, 'sonde_build_info', { version: '1.2.3' })).toBe(1);
    expect(sum(samples, 'process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(text).not.toMatch(/nodejs_active_\w+_total/);
    const heads = text.split('\n').filter((line) => line.startsWith('# TYPE '));
    expect(new Set(heads.map((line) => line.split(' ')[2])).size).toBe(heads.length);
    const keys = samples.map(({ name, labels }) =>
      JSON.stringify([name, Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))]),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('answers several scrapers at once with the same page', async () => {
    const { aggregate, address, see, exporter } = await setUp();
    for (let i = 0; i < 500; i += 1) see({ ...HTTP, route: `/${i}` });
    aggregate.flush(1);
    const pages = await Promise.all(Array.from({ length: 6 }, () => ask(address)));
    for (const { text } of pages) expect(sum(parsePage(text), 'http_server_request_duration_seconds_count')).toBe(500);
    await until(() => exporter.stage.read().inFlight === 0);
    const count = exporter.stage.read();
    expect(count.produced).toBe(count.delivered);
    expect(count.produced).toBe(pages.reduce((total, { text }) => total + parsePage(text).length, 0));
  });

  it('keeps a scraper that does not read from holding up others, and drops its page after a while', async () => {
    const { aggregate, address, see, exporter } = await setUp({ readTimeoutMs: 300 });
    for (let i = 0; i < 6_000; i += 1) see({ ...HTTP, route: `/${i}` });
    aggregate.flush(1);
    const stalled = await stall(address);
    await until(() => exporter.stage.read().inFlight > 0);
    const { text } = await ask(address);
    expect(text.match(/^http_server_request_duration_seconds_count\{/gm)).toHaveLength(6_000);
    await until(() => (exporter.stage.read().dropped.timeout ?? 0) > 0);
    const count = exporter.stage.read();
    expect(count.produced).toBe(count.delivered + count.inFlight + count.dropped.timeout);
    stalled.resume();
    await once(stalled, 'close');
  });

  it('gives the event loop its turns while a large page is written', async () => {
    const { aggregate, address, see } = await setUp();
    for (let i = 0; i < 10_000; i += 1) see({ ...HTTP, route: `/${i}` });
    aggregate.flush(1);
    // Turns are counted in the same process, so that a busy machine slows both sides alike.
    let turns = 0;
    let over = false;
    const count = () => {
      turns += 1;
      if (!over) setImmediate(count);
    };
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    setImmediate(count);
    const { text } = await ask(address);
    over = true;
    delay.disable();
    // One piece is 32 KiB and a line more: there must have been a turn for each.
    expect(turns).toBeGreaterThan(text.length / (40 * 1024));
    expect(delay.percentile(50) / 1e6).toBeLessThan(10);
  });

  it('counts the page of a scraper that went away as dropped', async () => {
    const { aggregate, address, see, exporter } = await setUp();
    for (let i = 0; i < 6_000; i += 1) see({ ...HTTP, route: `/${i}` });
    aggregate.flush(1);
    const gone = await stall(address);
    await until(() => exporter.stage.read().inFlight > 0);
    gone.destroy();
    await until(() => (exporter.stage.read().dropped.aborted ?? 0) > 0);
    const count = exporter.stage.read();
    expect(count).toMatchObject({ inFlight: 0, delivered: 0, produced: count.dropped.aborted });
  });

  it('refuses more scrapes than it may write at a time', async () => {
    const { aggregate, address, see, exporter } = await setUp({ maxScrapes: 1 });
    for (let i = 0; i < 6_000; i += 1) see({ ...HTTP, route: `/${i}` });
    aggregate.flush(1);
    const stalled = await stall(address);
    await until(() => exporter.stage.read().inFlight > 0);
    const answer = await ask(address);
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('1');
    expect(exporter.stage.read().dropped).toMatchObject({ refused: 1, queue_full: 0 });
    stalled.destroy();
    await until(() => exporter.stage.read().inFlight === 0);
    const page = await ask(address);
    expect(page.status).toBe(200);
    const { produced, delivered, inFlight, dropped } = exporter.stage.read();
    expect(produced).toBe(delivered + inFlight + Object.values(dropped).reduce((a, b) => a + b, 0));
    expect(delivered).toBe(parsePage(page.text).length);
  });

  it('answers other paths with 404 and other methods with 405, and HEAD without a body', async () => {
    const { address } = await setUp();
    expect((await ask(address, '/')).status).toBe(404);
    expect(await ask(address, '/metrics', 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await ask(address, '/metrics', 'HEAD')).toMatchObject({ status: 200, text: '' });
    expect((await ask(address, '/metrics?x=1')).status).toBe(200);
  });

  it('ends while a scraper holds its page, and can be stopped twice', async () => {
    const { aggregate, address, see, exporter } = await setUp();
    for (let i = 0; i < 6_000; i += 1) see({ ...HTTP, route: `/${i}` });
    aggregate.flush(1);
    const stalled = await stall(address);
    await until(() => exporter.stage.read().inFlight > 0);
    await exporter.stop();
    await exporter.stop();
    await until(() => exporter.stage.read().inFlight === 0);
    await expect(ask(address)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    stalled.destroy();
  });
});

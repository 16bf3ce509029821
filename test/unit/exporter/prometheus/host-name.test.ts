import { afterEach, expect, it } from 'vitest';
import { createPrometheusExporter } from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import type { PrometheusExporter } from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import { createAggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import { ask } from './scrape.ts';

const running: PrometheusExporter[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((exporter) => exporter.stop()));
});

async function startOn(host: string) {
  const labels = new LabelSets({});
  const { store, stage } = createAggregateProcessor({ labels });
  const exporter = createPrometheusExporter({ store, stages: [stage], labels, listen: { host, port: 0 } });
  running.push(exporter);
  return exporter.start();
}

it("refuses a name that may be a web page's own while only this host can connect", async () => {
  const address = await startOn('127.0.0.1');
  const as = async (host: string) => (await ask(address, '/metrics', 'GET', { host })).status;
  expect(await as('rebound.example:9500')).toBe(403);
  expect(await as('localhost.example')).toBe(403);
  expect(await as('localhost:9500')).toBe(200);
  expect(await as('[::1]:9500')).toBe(200);
  const everywhere = await startOn('0.0.0.0');
  const { port } = everywhere;
  expect((await ask({ host: '127.0.0.1', port }, '/metrics', 'GET', { host: 'probe.example' })).status).toBe(200);
});

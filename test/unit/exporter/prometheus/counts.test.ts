import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { SONDE_METRICS } from '../../../../src/exporter/naming/sonde-metrics.ts';
import { createPrometheusExporter } from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import type {
  PrometheusExporter,
  PrometheusExporterOptions,
} from '../../../../src/exporter/prometheus/prometheus-exporter.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import { NETWORK_COUNTS } from '../../../../src/model/network-counts.ts';
import type { NetworkCounts } from '../../../../src/model/network-counts.ts';
import { createAggregateProcessor } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import { ask, parsePage } from './scrape.ts';

const running: PrometheusExporter[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((exporter) => exporter.stop()));
});

async function setUp(options: Partial<PrometheusExporterOptions> = {}) {
  const labels = new LabelSets();
  const aggregate = createAggregateProcessor({ labels });
  const listen = { host: '127.0.0.1', port: 0 };
  const exporter = createPrometheusExporter({ store: aggregate.store, stages: [], labels, listen, ...options });
  running.push(exporter);
  return { exporter, address: await exporter.start() };
}

describe('the page', () => {
  it('counts a scrape that gets no page as the samples of the last one: too many at a time, too many connections', async () => {
    const { address, exporter } = await setUp({ maxScrapes: 0 });
    expect((await ask(address)).status).toBe(503);
    expect(exporter.stage.read()).toMatchObject({ produced: 1, dropped: { refused: 1 } });

    const crowded = await setUp({ maxConnections: 1 });
    const { text } = await ask(crowded.address);
    const idle = connect(crowded.address);
    await once(idle, 'connect');
    await expect(ask(crowded.address)).rejects.toThrow(/ECONNRESET|socket hang up/);
    idle.destroy();
    const samples = parsePage(text).length;
    expect(crowded.exporter.stage.read()).toMatchObject({
      produced: 2 * samples,
      delivered: samples,
      dropped: { queue_full: samples },
    });
  });

  it('shows what the analyzer counts beside the law', async () => {
    const counts: NetworkCounts = {
      connections: 3,
      connectionsOpened: 10,
      connectionsClosed: 6,
      connectionsLost: 1,
      lostRecords: 20,
      lostTurns: 21,
      uncountedExchanges: 22,
      crowdedOut: 23,
      decidedEarly: 24,
      headsCutShort: 25,
    };
    const { address } = await setUp({ network: () => counts });
    const samples = parsePage((await ask(address)).text);
    const shown = Object.fromEntries(
      NETWORK_COUNTS.map((key) => [key, samples.find(({ name }) => name === SONDE_METRICS[key].name)?.value]),
    );
    expect(shown).toEqual(counts);
    const without = parsePage((await ask((await setUp()).address)).text);
    expect(without.some(({ name }) => name === SONDE_METRICS.connections.name)).toBe(false);
  });
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderMetricsDoc } from '../../../../src/exporter/naming/metrics-doc.ts';
import { otelNaming } from '../../../../src/exporter/naming/otel.ts';
import { DEFAULT_KEYS } from '../../../../src/processor/aggregate/aggregate-processor.ts';
import { NETWORK_GROUPS } from '../../../../src/processor/aggregate/groups.ts';
import { DEFAULT_METRICS, layOut } from '../../../../src/processor/aggregate/layout.ts';
import { createSelfMetrics } from '../../../../src/receiver/self/self-metrics.ts';

const render = async () =>
  renderMetricsDoc({
    naming: otelNaming,
    layout: layOut(DEFAULT_METRICS),
    keys: DEFAULT_KEYS,
    groups: NETWORK_GROUPS.map(({ name, metrics, keys }) => ({ name, layout: layOut(metrics), keys })),
    self: (await createSelfMetrics({ version: '' }).getMetricsAsJSON()) as never,
  });

test('docs/metrics.md has not drifted from the tables', async () => {
  const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
  expect(page, 'run node scripts/generate-metrics-doc.mjs').toBe(await render());
});

test('the page names every metric of the contract', async () => {
  const page = await render();
  for (const name of [
    'http_server_request_duration_seconds',
    'http_client_request_duration_seconds',
    'sonde_request_duration_seconds',
    'sonde_request_queue_duration_seconds',
    'sonde_exchanges_total',
    'sonde_series_expired_exchanges_total',
    'sonde_produced_total',
    'sonde_delivered_total',
    'sonde_dropped_total',
    'sonde_in_flight',
    'sonde_completeness_ratio',
  ]) {
    expect(page).toContain(`| \`${name}\` |`);
  }
});

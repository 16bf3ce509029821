#!/usr/bin/env node
// Writes docs/metrics.md from the tables that the Prometheus exporter writes its pages from. With --check it writes
// nothing and exits with 1 if the page has drifted.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const dist = new URL('../dist/', import.meta.url);
if (!existsSync(new URL('exporter/naming/metrics-doc.js', dist))) {
  console.error('dist/ is not built: run `npm run build` first.');
  process.exit(3);
}
const load = (path) => import(new URL(path, dist).href);
const { renderMetricsDoc } = await load('exporter/naming/metrics-doc.js');
const { otelNaming } = await load('exporter/naming/otel.js');
const { DEFAULT_KEYS } = await load('processor/aggregate/aggregate-processor.js');
const { NETWORK_GROUPS } = await load('processor/aggregate/groups.js');
const { DEFAULT_METRICS, layOut } = await load('processor/aggregate/layout.js');
const { createSelfMetrics } = await load('receiver/self/self-metrics.js');

const content = renderMetricsDoc({
  naming: otelNaming,
  layout: layOut(DEFAULT_METRICS),
  keys: DEFAULT_KEYS,
  groups: NETWORK_GROUPS.map(({ name, metrics, keys }) => ({ name, layout: layOut(metrics), keys })),
  self: await createSelfMetrics({ version: '' }).getMetricsAsJSON(),
});
const file = fileURLToPath(new URL('../docs/metrics.md', import.meta.url));
const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
if (before !== content) {
  if (process.argv.includes('--check')) {
    console.error('docs/metrics.md has drifted: run node scripts/generate-metrics-doc.mjs');
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.error('wrote docs/metrics.md');
  }
}

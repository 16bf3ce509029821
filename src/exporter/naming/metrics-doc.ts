import type { Labels } from '../../model/label-sets.ts';
import type { LabelKey } from '../../model/names.ts';
import type { SeriesLayout } from '../../model/series.ts';
import type { Metric } from './metric.ts';
import type { Naming, SeriesFamily } from './naming.ts';
import { OWN_METRICS } from './own-metrics.ts';
import { SONDE_METRICS } from './sonde-metrics.ts';

export interface MetricsDocOptions {
  readonly naming: Naming;
  /** What the store holds. */
  readonly layout: SeriesLayout;
  /** Labels that series keep. */
  readonly keys: readonly LabelKey[];
  /** What the store holds besides exchanges. */
  readonly groups: readonly DocumentedGroup[];
  /** The program's metrics about itself. */
  readonly self: readonly Pick<Metric, 'name' | 'type' | 'help'>[];
}

export interface DocumentedGroup {
  readonly name: string;
  readonly layout: SeriesLayout;
  readonly keys: readonly LabelKey[];
}

/** Writes docs/metrics.md from the same tables that the pages are written from. */
export function renderMetricsDoc({ naming, layout, keys, groups, self }: MetricsDocOptions): string {
  const families = naming.families(layout);
  const network = groups.flatMap((group) =>
    naming.families(group.layout, group.name).map((family) => ({ family, keys: group.keys })),
  );
  return `<!-- Generated from src/exporter/naming by scripts/generate-metrics-doc.mjs. Do not edit. -->
# Metrics

\`GET /metrics\` on \`exporters.prometheus.listen\` answers in Prometheus' text format. Names follow the semantic
conventions of OpenTelemetry as Prometheus writes them; where there is no convention, they begin with \`sonde_\`.

All times are in seconds and all sizes in bytes. A page shows one moment: the windows that had closed when it was asked
for (\`processors.aggregate.window\`), and the law as it stood then.

## Requests

${table(
  ['metric', 'type', 'labels', 'what it is'],
  families.map(({ metric, ...family }) => [code(metric.name), metric.type, labelsOf(family, keys), metric.help]),
)}

- \`error_type\` is the status where the protocol itself said that the request failed, else what happened:
  \`connect_failed\`, \`no_response\`, \`reset\`, \`closed\`, \`malformed\`. Without an error it is absent.
- A label whose value is not known is absent.
- \`otel_metric_overflow="true"\` marks the series that take what found no room (\`exporters.prometheus.max_series\`,
  \`processors.aggregate.max_label_sets\`); they keep protocol and role only.
- Process ids, container ids, and addresses and ports of clients are no labels: they would make a series of every
  restart and connection.
- A request whose first byte was not seen has no duration: it is counted in \`_count\` and the bucket \`+Inf\` only.
- A histogram of a value that no request of the series knew is left out.

## TCP and UDP

What each of them means, and when to worry, is in [tcp.md](tcp.md).

${table(
  ['metric', 'type', 'labels', 'what it is'],
  merged(
    network.map(({ family, keys: own }) => [
      code(family.metric.name),
      family.metric.type,
      labelsOf(family, own),
      family.metric.help,
    ]),
  ),
)}

## Buckets

Upper bounds, in the metric's unit:

${table(
  ['metric', 'bounds'],
  [...families, ...network.map(({ family }) => family)]
    .filter(({ kind }) => kind === 'histogram')
    .map(({ metric, bounds, divisor }) => [
      code(metric.name),
      bounds.map((bound) => String(bound / divisor)).join(', '),
    ]),
)}

## What was seen, and what was lost

${metricTable(Object.values(SONDE_METRICS))}

At every stage \`sonde_produced_total\` = \`sonde_delivered_total\` + \`sonde_in_flight\` + the sum of
\`sonde_dropped_total\`; each term is counted on its own. \`sonde_skipped_total\` is beside the law: what a stage
passes over by design (the runs of the socket hooks for UNIX sockets, for example). The sum of the
\`_count\` of the duration histograms + \`sonde_series_expired_exchanges_total\` = \`sonde_exchanges_total\`, for each
protocol and role.

## About Sonde itself

What it costs, and how it keeps to its limits ([limits.md](limits.md)):

${metricTable(Object.values(OWN_METRICS))}

The process:

${table(
  ['metric', 'type', 'what it is'],
  self.map(({ name, type, help }) => [code(name), type, help]),
)}
`;
}

const code = (text: string): string => `\`${text}\``;

function metricTable(metrics: readonly Metric[]): string {
  return table(
    ['metric', 'type', 'labels', 'what it is'],
    metrics.map(({ name, type, labels, help }) => [code(name), type, labels.map(code).join(', '), help]),
  );
}

function labelsOf(family: Omit<SeriesFamily, 'metric'>, keys: readonly LabelKey[]): string {
  const labels: Labels = Object.fromEntries([...keys, 'overflow'].map((key) => [key, 'x']));
  return family
    .labels(labels)
    .map(([name]) => code(name))
    .join(', ');
}

/** Several families may make up one metric. */
function merged(rows: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return rows.filter(([name], i) => i === 0 || rows[i - 1][0] !== name);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(tableLine).join('\n');
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

import type { StageCount } from '../../model/law.ts';
import { NETWORK_COUNTS } from '../../model/network-counts.ts';
import type { NetworkCounts } from '../../model/network-counts.ts';
import type { Kind, SeriesGroup, SeriesSnapshot } from '../../model/series.ts';
import type { Metric } from '../naming/metric.ts';
import type { Naming, SeriesFamily } from '../naming/naming.ts';
import { OWN_METRICS } from '../naming/own-metrics.ts';
import type { OwnSample } from '../naming/own-metrics.ts';
import { SONDE_METRICS } from '../naming/sonde-metrics.ts';
import { formatHead, formatLabels, formatNumber } from './text-format.ts';

/** Everything that one scrape shows, read at one moment. */
export interface Reading {
  readonly series: SeriesSnapshot;
  readonly stages: readonly { readonly name: string; readonly count: StageCount }[];
  readonly labelSets: number;
  readonly labelSetsOverflowed: number;
  /** What the analyzer counts beside the law; null where there is none. */
  readonly network: NetworkCounts | null;
  /** What Sonde itself costs; those of a metric together. */
  readonly own: readonly OwnSample[];
}

/** A piece of the page: whole lines, and how many of them are samples. */
export interface Piece {
  readonly text: string;
  readonly samples: number;
}

/** Characters of a piece; formatting so many takes well under a millisecond. */
const PIECE_LENGTH = 32 * 1024;

/** Collects lines until a piece is full. */
class PieceWriter {
  text = '';
  samples = 0;
  #begun = '';

  /** Families of one metric follow one another: its head is written once. */
  head(metric: Metric): void {
    if (metric.name === this.#begun) return;
    this.#begun = metric.name;
    this.text += formatHead(metric);
  }

  sample(name: string, labels: string, value: number): void {
    this.text += labels === '' ? `${name} ${formatNumber(value)}\n` : `${name}{${labels}} ${formatNumber(value)}\n`;
    this.samples += 1;
  }

  /** A sample whose name and labels are ready but for the last one. */
  bucket(head: string, tail: string, value: number): void {
    this.text += head + tail + formatNumber(value) + '\n';
    this.samples += 1;
  }

  get full(): boolean {
    return this.text.length >= PIECE_LENGTH;
  }

  take(): Piece {
    const piece = { text: this.text, samples: this.samples };
    this.text = '';
    this.samples = 0;
    return piece;
  }
}

/** Writes the page in pieces: the law and the totals first, then every metric of the series. */
export function* writePage(reading: Reading, naming: Naming): Generator<Piece, void, void> {
  const writer = new PieceWriter();
  writeLaw(writer, reading);
  writeTotals(writer, reading);
  writeOwn(writer, reading.own);
  for (const family of naming.families(reading.series.layout)) {
    yield* writeFamily(writer, family, reading.series);
  }
  for (const group of reading.series.groups) {
    for (const family of naming.families(group.layout, group.name)) yield* writeFamily(writer, family, group);
  }
  yield writer.take();
}

function writeLaw(writer: PieceWriter, { stages, series }: Reading): void {
  const rows = (metric: Metric, values: (count: StageCount) => Readonly<Record<string, number>>): void => {
    const samples = stages.flatMap(({ name, count }) =>
      Object.entries(values(count)).map(([reason, value]) => ({ name, reason, value })),
    );
    if (samples.length > 0) writer.head(metric);
    for (const { name, reason, value } of samples) {
      writer.sample(
        metric.name,
        formatLabels(
          reason === ''
            ? [['stage', name]]
            : [
                ['stage', name],
                ['reason', reason],
              ],
        ),
        value,
      );
    }
  };
  rows(SONDE_METRICS.produced, ({ produced }) => ({ '': produced }));
  rows(SONDE_METRICS.delivered, ({ delivered }) => ({ '': delivered }));
  rows(SONDE_METRICS.dropped, ({ dropped }) => dropped);
  rows(SONDE_METRICS.skipped, ({ skipped }) => skipped);
  rows(SONDE_METRICS.inFlight, ({ inFlight }) => ({ '': inFlight }));
  writer.head(SONDE_METRICS.completeness);
  writer.sample(SONDE_METRICS.completeness.name, '', series.completeness);
}

function writeTotals(writer: PieceWriter, { series, labelSets, labelSetsOverflowed, network }: Reading): void {
  for (const key of ['exchanges', 'incomplete', 'estimated', 'expired'] as const) {
    const metric = SONDE_METRICS[key];
    if (series.totals.length > 0) writer.head(metric);
    for (const totals of series.totals) {
      const labels = (
        [
          ['protocol', totals.protocol],
          ['role', totals.role],
        ] as const
      ).filter(([, value]) => value !== '');
      writer.sample(metric.name, formatLabels(labels), totals[key]);
    }
  }
  const single = (metric: Metric, value: number): void => {
    writer.head(metric);
    writer.sample(metric.name, '', value);
  };
  single(SONDE_METRICS.series, series.size);
  single(SONDE_METRICS.seriesOverflowed, series.overflowed);
  single(SONDE_METRICS.labelSets, labelSets);
  single(SONDE_METRICS.labelSetsOverflowed, labelSetsOverflowed);
  for (const key of network === null ? [] : NETWORK_COUNTS) single(SONDE_METRICS[key], network?.[key] ?? 0);
}

function writeOwn(writer: PieceWriter, samples: readonly OwnSample[]): void {
  let last: OwnSample['metric'] | undefined;
  for (const { metric, labels = [], value } of samples) {
    if (metric !== last) writer.head(OWN_METRICS[metric]);
    last = metric;
    writer.sample(OWN_METRICS[metric].name, formatLabels(labels), value);
  }
}

function* writeFamily(
  writer: PieceWriter,
  family: SeriesFamily,
  series: Pick<SeriesGroup, 'layout' | 'pages'>,
): Generator<Piece, void, void> {
  const { stride, exchanges } = series.layout;
  const writeRow = family.kind === 'histogram' ? histogramRow(family, exchanges) : numberRow(family, family.kind);
  let begun = false;
  for (const page of series.pages) {
    for (let row = 0; row < page.labels.length; row += 1) {
      const labels = page.labels[row];
      if (labels === undefined || !family.accepts(labels) || !hasValue(family, page.values, row * stride)) continue;
      if (!begun) writer.head(family.metric);
      begun = true;
      writeRow(writer, formatLabels(family.labels(labels)), page.values, row * stride);
      if (writer.full) yield writer.take();
    }
  }
}

/** False for a value that no exchange of the series ever knew: an empty histogram would only fill the page. */
function hasValue({ field, kind, metric, everyExchange }: SeriesFamily, values: Float64Array, base: number): boolean {
  if (everyExchange || kind === 'level') return true;
  if (metric.type === 'gauge') return values[base + field.count] > 0;
  if (field.buckets < 0) return true;
  for (let bucket = 0; bucket <= field.bounds.length; bucket += 1) {
    if (values[base + field.buckets + bucket] > 0) return true;
  }
  return false;
}

type RowWriter = (writer: PieceWriter, labels: string, values: Float64Array, base: number) => void;

function histogramRow(family: SeriesFamily, exchanges: number): RowWriter {
  const { metric, field, bounds, divisor, everyExchange } = family;
  const ends = new Map(bounds.map((value) => [field.bounds.indexOf(value), `le="${formatNumber(value / divisor)}"} `]));
  const tails = field.bounds.map((_, bucket) => ends.get(bucket));
  return (writer, labels, values, base) => {
    const head = labels === '' ? `${metric.name}_bucket{` : `${metric.name}_bucket{${labels},`;
    let count = 0;
    for (let bucket = 0; bucket < tails.length; bucket += 1) {
      count += values[base + field.buckets + bucket];
      const tail = tails[bucket];
      if (tail !== undefined) writer.bucket(head, tail, count);
    }
    count = everyExchange ? values[base + exchanges] : count + values[base + field.buckets + tails.length];
    writer.bucket(head, 'le="+Inf"} ', count);
    writer.sample(`${metric.name}_sum`, labels, values[base + field.sum] / divisor);
    writer.sample(`${metric.name}_count`, labels, count);
  };
}

function numberRow({ metric, field, divisor }: SeriesFamily, kind: Exclude<Kind, 'histogram'>): RowWriter {
  const column = field[kind];
  const unit = kind === 'count' ? 1 : divisor;
  return (writer, labels, values, base) => writer.sample(metric.name, labels, values[base + column] / unit);
}

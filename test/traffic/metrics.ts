/** One line of a Prometheus page. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads the text format of Prometheus; comments and exemplars are passed over. */
export function parseMetrics(page: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (match === null) throw new Error(`not a line of a Prometheus page: ${line}`);
    const [, name = '', labels = '', value] = match;
    const named = [...labels.matchAll(LABEL)].map(([, key = '', text = '']) => [key, unescape(text)] as const);
    samples.push({ name, labels: Object.fromEntries(named), value: Number(value) });
  }
  return samples;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

/** Sum of all samples of this name whose labels hold these values. */
export function sumOf(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  let sum = 0;
  for (const sample of samples) {
    if (sample.name !== name) continue;
    if (Object.entries(labels).every(([key, value]) => sample.labels[key] === value)) sum += sample.value;
  }
  return sum;
}

/** One stage of the law as a page shows it. */
export interface StageSamples {
  readonly stage: string;
  readonly produced: number;
  readonly delivered: number;
  readonly inFlight: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
}

/** All stages of the law on a page. */
export function lawOf(samples: readonly Sample[]): StageSamples[] {
  const stages = new Set(samples.flatMap(({ name, labels }) => (name === 'sonde_produced_total' ? labels.stage : [])));
  const byReason = (name: string, stage: string): Record<string, number> =>
    Object.fromEntries(
      samples
        .filter((sample) => sample.name === name && sample.labels.stage === stage)
        .map(({ labels, value }) => [labels.reason ?? '', value]),
    );
  return [...stages].map((stage = '') => ({
    stage,
    produced: sumOf(samples, 'sonde_produced_total', { stage }),
    delivered: sumOf(samples, 'sonde_delivered_total', { stage }),
    inFlight: sumOf(samples, 'sonde_in_flight', { stage }),
    dropped: byReason('sonde_dropped_total', stage),
    skipped: byReason('sonde_skipped_total', stage),
  }));
}

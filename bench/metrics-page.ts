import { get } from 'node:http';

/** One sample line of a Prometheus text page. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** The samples of a page in the Prometheus or OpenMetrics text format; comments and exemplars are passed over. */
export function parsePage(text: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(withoutExemplar(line));
    if (match === null) continue;
    const labels: Record<string, string> = {};
    for (const [, key, value] of (match[2] ?? '').matchAll(LABEL)) labels[key] = value;
    samples.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return samples;
}

function withoutExemplar(line: string): string {
  const at = line.indexOf(' # {');
  return at < 0 ? line : line.slice(0, at);
}

/** Sum of the samples called `name` whose labels include `labels`; 0 when there is none. */
export function sum(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  let total = 0;
  for (const sample of samples) {
    if (sample.name !== name) continue;
    if (Object.entries(labels).every(([key, value]) => sample.labels[key] === value)) total += sample.value;
  }
  return total;
}

/** The law of one stage as it stands on a page. */
export interface StageLaw {
  readonly stage: string;
  readonly produced: number;
  readonly delivered: number;
  readonly inFlight: number;
  readonly dropped: number;
  readonly skipped: number;
  /** `reason=count` of what was dropped. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** The law's terms of every stage on the page (docs/metrics.md: produced = delivered + in flight + dropped). */
export function lawOf(samples: readonly Sample[]): StageLaw[] {
  const stages = new Set(
    samples.filter(({ name }) => name === 'sonde_produced_total').map(({ labels }) => labels['stage']),
  );
  return [...stages].map((stage) => {
    const reasons: Record<string, number> = {};
    for (const { name, labels, value } of samples) {
      if (name === 'sonde_dropped_total' && labels['stage'] === stage && value > 0) reasons[labels['reason']] = value;
    }
    return {
      stage,
      produced: sum(samples, 'sonde_produced_total', { stage }),
      delivered: sum(samples, 'sonde_delivered_total', { stage }),
      inFlight: sum(samples, 'sonde_in_flight', { stage }),
      dropped: sum(samples, 'sonde_dropped_total', { stage }),
      skipped: sum(samples, 'sonde_skipped_total', { stage }),
      reasons,
    };
  });
}

/** What a stage's terms leave unexplained: 0 when the law holds. */
export function lawGap(law: StageLaw): number {
  return law.produced - law.delivered - law.inFlight - law.dropped;
}

/** Everything dropped at any stage. */
export function totalDropped(samples: readonly Sample[]): number {
  return sum(samples, 'sonde_dropped_total');
}

/** Reads a page. Rejects on anything but 200. */
export function fetchPage(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 20_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`${url} answered ${response.statusCode}`));
      });
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error(`${url} did not answer in 20 s`)));
    request.on('error', reject);
  });
}

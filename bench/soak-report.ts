import { curve } from './soak-curve.ts';
import type { SoakResult, SoakSample } from './soak-result.ts';
import { slope, spread } from './statistics.ts';

const MIB = 2 ** 20;
/** The part of a soak in which memory may still grow: the heap finds its size, series appear. */
const WARM_UP = 0.2;

/** Growth of the resident memory after the warm-up, in MiB an hour. */
export function growth(samples: readonly SoakSample[]): number {
  return slope(settled(samples).map(({ seconds, resident }) => ({ x: seconds / 3600, y: resident / MIB })));
}

function settled(samples: readonly SoakSample[]): readonly SoakSample[] {
  const last = samples.at(-1)?.seconds ?? 0;
  return samples.filter(({ seconds }) => seconds >= WARM_UP * last);
}

/** What a soak came to, in a few lines. */
export function soakSummary(result: SoakResult): string {
  const { samples } = result;
  const range = (values: readonly number[], digits = 1): string => {
    const found = spread(values);
    return found === null
      ? '–'
      : `${found.min.toFixed(digits)} / ${found.median.toFixed(digits)} / ${found.max.toFixed(digits)}`;
  };
  const after = settled(samples);
  const duration = samples.at(-1)?.seconds ?? 0;
  const reasons = Object.entries(result.reasons).map(([reason, count]) => `${reason} ${count}`);
  const gaps = Object.entries(result.lawGaps).map(([stage, gap]) => `${stage} ${gap}`);
  return [
    `${result.made.toLocaleString('en')} exchanges in ${(duration / 60).toFixed(1)} minutes ` +
      `(${Math.round(result.made / Math.max(1, duration)).toLocaleString('en')}/s) over ` +
      `${result.connectionsMade.toLocaleString('en')} connections.`,
    '',
    `- counted: server ${result.server.toLocaleString('en')} (${signed(result.server - result.made)}), ` +
      `client ${result.client.toLocaleString('en')} (${signed(result.client - result.made)}); ` +
      `failed by the generators’ word: ${result.failed}`,
    `- dropped: ${result.dropped}${reasons.length === 0 ? '' : ` (${reasons.join(', ')})`}; the law ${gaps.length === 0 ? 'holds at every stage' : `is off at ${gaps.join(', ')}`}`,
    `- resident memory after the warm-up, MiB (min / median / max): ${range(after.map(({ resident }) => resident / MIB))}; ` +
      `slope ${result.slopeMiBPerHour.toFixed(1)} MiB/h`,
    `- heap, MiB: ${range(after.map(({ heap }) => heap / MIB))}; kernel maps, MiB: ${range(after.map(({ mapBytes }) => mapBytes / MIB))}; ` +
      `samples on the page: ${range(
        after.map(({ series }) => series),
        0,
      )}`,
    `- CPU, % of a core: ${range(after.map(({ cores }) => 100 * cores))}`,
  ].join('\n');
}

/** Summary and curve for the page. */
export function soakSection(result: SoakResult): string {
  const points = result.samples.map(({ seconds, resident }) => ({ x: seconds, y: resident / MIB }));
  return `${soakSummary(result)}\n\n\`\`\`\n${curve(points, 'MiB')}\n\`\`\``;
}

const COLUMNS = [
  'seconds',
  'resident',
  'heap',
  'mapBytes',
  'series',
  'made',
  'server',
  'client',
  'dropped',
  'cores',
] as const;

export const CSV_HEADER = COLUMNS.join(',');

export function csvLine(sample: SoakSample): string {
  return COLUMNS.map((column) => Number(sample[column].toFixed(4))).join(',');
}

function signed(value: number): string {
  return value === 0 ? 'equal' : value > 0 ? `+${value}` : String(value);
}

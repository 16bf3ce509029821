import { table } from './document.ts';
import { cpuNsPerExchange, emptyNsPerExchange, kernelMultiple, kernelNsPerExchange } from './figures.ts';
import { lost, rateOf, surplus, throughputKept } from './figures.ts';
import { machineLine } from './machine.ts';
import { programsTable } from './programs-table.ts';
import type { Results } from './results.ts';
import type { Run } from './run.ts';
import { type Spread, spread } from './statistics.ts';

const MIB = 2 ** 20;

/** The goals of docs/overhead.md, in the units in which the table shows it. */
const GOAL = {
  kernelMultiple: 6,
  cpuNs: 300,
  /** What an empty pair of hooks took where that goal was set. */
  pairNs: 110,
  ratePerSecond: 50_000,
  keptPercent: 90,
  residentMiB: 90,
  mapMiB: 16,
  restPercent: 0.3,
  startMs: 1500,
} as const;

type Row = readonly [figure: string, goal: string, measured: string, range: string, reached: string];

/** The first table: each goal and what was measured, as far as there are results. */
export function goalsTable(results: Results): string {
  const rows = [
    ...saturationRows(results.saturation?.value ?? []),
    ...rateRows(results.rate?.value ?? []),
    ...memoryRows(results),
    ...restRows(results),
    ...startRows(results),
  ];
  if (rows.length === 0) return 'Not measured yet.';
  const parts = [
    circumstances(results),
    table(['per exchange seen from one side', 'goal', 'measured', 'min – max (runs)', 'reached'], rows),
  ];
  const programs = programsTable(undisturbed(results.saturation?.value ?? [], 'stats'));
  if (programs !== '') parts.push(`Where the kernel time goes:\n\n${programs}`);
  return parts.join('\n\n');
}

function saturationRows(all: readonly Run[]): Row[] {
  const badPairs = new Set(all.filter(({ disturbed }) => disturbed).map(({ pair }) => pair));
  const runs = all.filter(({ pair }) => !badPairs.has(pair));
  const of = (mode: Run['mode']): Run[] => runs.filter((run) => run.mode === mode);
  const stats = of('stats');
  const seen = runs.filter(({ probe }) => probe !== null);
  const rows: Row[] = [];
  const multiple = spread(stats.map(kernelMultiple));
  if (multiple !== null) {
    rows.push(
      row(
        'kernel time, as a multiple of an empty pair of hooks',
        `≤ ${GOAL.kernelMultiple}`,
        multiple,
        1,
        '',
        (value) => value <= GOAL.kernelMultiple,
      ),
      row('kernel time', '', spread(stats.map(kernelNsPerExchange)), 0, ' ns'),
      row('empty pair: one send hook, one receive hook', '', spread(stats.map(emptyPair)), 0, ' ns'),
      row('empty hooks, all their runs', '', spread(stats.map(emptyNsPerExchange)), 0, ' ns'),
    );
  }
  const on = of('on');
  if (on.length > 0) {
    rows.push(
      row(
        'CPU of its process, user and system',
        `≤ ${GOAL.cpuNs} ns`,
        spread(on.map(cpuNsPerExchange)),
        0,
        ' ns',
        (value) => value <= GOAL.cpuNs,
      ),
      row(
        `the same, in empty pairs (the goal's ${GOAL.cpuNs} ns were ${(GOAL.cpuNs / GOAL.pairNs).toFixed(1)} of its ${GOAL.pairNs} ns)`,
        '',
        spread(on.map((run) => cpuNsPerExchange(run) / (spread(stats.map(emptyPair))?.median ?? Number.NaN))),
        1,
        '',
      ),
      row(
        'nginx throughput kept at saturation',
        `≥ ${GOAL.keptPercent} %`,
        spread(throughputKept(runs).map((ratio) => 100 * ratio)),
        1,
        ' %',
        (value) => value >= GOAL.keptPercent,
      ),
      row('exchanges/s without the probe', '', spread(of('off').map(rateOf)), 0, ''),
      row('exchanges/s with it', '', spread(on.map(rateOf)), 0, ''),
    );
  }
  if (seen.length > 0) {
    rows.push(
      row('lost at saturation', '0', spread(seen.map(lost)), 0, '', undefined, (all) => all.max === 0),
      row(
        'counted beyond the generator’s count',
        '0',
        spread(seen.map(surplus)),
        0,
        '',
        undefined,
        (all) => all.max === 0,
      ),
    );
  }
  return rows;
}

function rateRows(all: readonly Run[]): Row[] {
  const runs = all.filter((run) => !run.disturbed);
  if (runs.length === 0) return [];
  const rate = spread(runs.map(rateOf));
  return [
    row(
      'held rate, scraped each second',
      `≥ ${GOAL.ratePerSecond}/s`,
      rate,
      0,
      '/s',
      (value) => value >= GOAL.ratePerSecond,
    ),
    row('lost at it', '0', spread(runs.map(lost)), 0, '', undefined, (all) => all.max === 0),
    row(
      'counted beyond the generator’s count',
      '0',
      spread(runs.map(surplus)),
      0,
      '',
      undefined,
      (all) => all.max === 0,
    ),
    row('CPU of its process at it', '', spread(runs.map(cpuNsPerExchange)), 0, ' ns'),
    row('slowest scrape', '', spread(runs.map(({ probe }) => probe?.slowestScrapeMs ?? Number.NaN)), 0, ' ms'),
  ];
}

function memoryRows({ series }: Results): Row[] {
  if (series === undefined) return [];
  const { labelSets, resident, peak, mapBytes, scrapeMs, samples } = series.value;
  const steady = spread(resident.slice(resident.length >> 1).map((bytes) => bytes / MIB));
  return [
    row(
      `resident memory, ${labelSets} label sets under full load`,
      `≤ ${GOAL.residentMiB} MiB`,
      steady,
      1,
      ' MiB',
      undefined,
      (all) => all.max <= GOAL.residentMiB,
    ),
    row('its peak', '', single(peak / MIB), 1, ' MiB'),
    row('kernel maps', `≤ ${GOAL.mapMiB} MiB`, single(mapBytes / MIB), 1, ' MiB', (value) => value <= GOAL.mapMiB),
    row(`one scrape of ${samples} samples`, '', single(scrapeMs), 0, ' ms'),
  ];
}

function restRows({ rest }: Results): Row[] {
  if (rest === undefined) return [];
  const percent = spread(rest.value.cores.map((cores) => 100 * cores));
  return [
    row(
      rest.value.seen > 100 ? `CPU with ${rest.value.seen} exchanges of others` : 'CPU at rest',
      `≤ ${GOAL.restPercent} %`,
      percent,
      2,
      ' %',
      (value) => value <= GOAL.restPercent,
    ),
    row('resident memory at rest', '', single(rest.value.resident / MIB), 1, ' MiB'),
  ];
}

function startRows({ start }: Results): Row[] {
  if (start === undefined) return [];
  const spreadOf = spread(start.value.startMs);
  return [
    row(
      'start to the ready line',
      `≤ ${GOAL.startMs} ms`,
      spreadOf,
      0,
      ' ms',
      undefined,
      (all) => all.max <= GOAL.startMs,
    ),
  ];
}

function emptyPair(run: Run): number {
  return run.probe?.kernel?.emptyPairNs ?? Number.NaN;
}

/** A row; whether the goal is reached is judged by the median, or by the whole spread where one bad run is too many. */
function row(
  figure: string,
  goal: string,
  values: Spread | null,
  digits: number,
  unit: string,
  byMedian?: (median: number) => boolean,
  bySpread?: (all: Spread) => boolean,
): Row {
  if (values === null) return [figure, goal, '–', '', ''];
  const show = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const verdict = bySpread?.(values) ?? byMedian?.(values.median);
  const range = values.count > 1 ? `${show(values.min)} – ${show(values.max)} (${values.count})` : '';
  return [
    figure,
    goal,
    `${show(values.median)}${unit}`,
    range,
    verdict === undefined ? '' : verdict ? 'yes' : '**no**',
  ];
}

function single(value: number): Spread {
  return { min: value, median: value, max: value, count: 1 };
}

function undisturbed(runs: readonly Run[], mode: Run['mode']): Run[] {
  return runs.filter((run) => run.mode === mode && !run.disturbed);
}

/** Where the results come from, and how many runs were left out. */
function circumstances(results: Results): string {
  const measured = [results.saturation, results.rate, results.series, results.rest, results.start].filter(
    (one) => one !== undefined,
  );
  const runs = [...(results.saturation?.value ?? []), ...(results.rate?.value ?? [])];
  const left = runs.filter(({ disturbed }) => disturbed).length;
  const lines = [...new Set(measured.map(({ machine }) => machineLine(machine)))];
  if (left > 0) lines.push(`${left} of ${runs.length} runs were disturbed, and left out with their pairs.`);
  if (measured.some(({ quick }) => quick))
    lines.push('Short runs (`--quick`) are among these: read nothing into them.');
  const foreign = Math.max(...runs.map(({ foreignPrograms }) => foreignPrograms ?? 0), 0);
  if (foreign > 0) lines.push(`Up to ${foreign} tracing programs of others were loaded meanwhile.`);
  return lines.join('\n');
}

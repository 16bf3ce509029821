import { cpuNsPerExchange, kernelMultiple, kernelNsPerExchange, lost, rateOf } from '../figures.ts';
import type { Run } from '../run.ts';

/** One run in one line, for a person who waits. */
export function describeRun(run: Run): string {
  const parts = [`${run.mode}: ${rateOf(run).toFixed(0)} exchanges/s`];
  if (run.probe !== null) {
    parts.push(`own CPU ${cpuNsPerExchange(run).toFixed(0)} ns`);
    if (run.probe.kernel !== null) {
      parts.push(`kernel ${kernelNsPerExchange(run).toFixed(0)} ns = ${kernelMultiple(run).toFixed(1)} empty pairs`);
    }
    parts.push(`lost ${lost(run)}${lossOf(run)}`, `RSS ${(run.probe.resident / 2 ** 20).toFixed(0)} MiB`);
  }
  if (run.disturbed)
    parts.push(
      `left out (steal ${run.steal.toFixed(2)}, others ${run.others.toFixed(2)} cores, ${run.probe?.foreign ?? 0} exchanges of others)`,
    );
  return parts.join(', ');
}

/** Where exchanges were lost: each side's count against the generator's, and the law's reasons. */
function lossOf({ probe, requests }: Run): string {
  if (probe === null) return '';
  const parts = [
    ...(probe.server < requests ? [`server counted ${probe.server} of ${requests}`] : []),
    ...(probe.sides === 2 && probe.client < requests ? [`client counted ${probe.client} of ${requests}`] : []),
    ...Object.entries({ ...probe.reasons, ...prefixed('law is off at ', probe.lawGaps) }).map(
      ([reason, count]) => `${reason} ${count}`,
    ),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function prefixed(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([key, count]) => [prefix + key, count]));
}

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
    parts.push(`lost ${lost(run)}`, `RSS ${(run.probe.resident / 2 ** 20).toFixed(0)} MiB`);
  }
  if (run.disturbed)
    parts.push(
      `left out (steal ${run.steal.toFixed(2)}, others ${run.others.toFixed(2)} cores, ${run.probe?.foreign ?? 0} exchanges of others)`,
    );
  return parts.join(', ');
}

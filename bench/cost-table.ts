import { table } from './document.ts';
import {
  cpuNsPerExchange,
  kernelMultiple,
  kernelNsPerExchange,
  lost,
  rateOf,
  surplus,
  throughputKept,
} from './figures.ts';
import { machineLine } from './machine.ts';
import type { CostRow } from './measure/cost.ts';
import type { Results } from './results.ts';

/** The second table: what an exchange costs as its size, the connections, the ends seen and the policy vary. */
export function costTable({ cost }: Results): string {
  if (cost === undefined) return 'Not measured yet.';
  const rows = cost.value.map(costRow);
  const notes = [machineLine(cost.machine)];
  if (cost.quick) notes.push('Short runs (`--quick`): read nothing into these.');
  if (cost.value.some(({ runs }) => runs.some(({ disturbed }) => disturbed))) {
    notes.push('Rows marked * were disturbed by something else on the machine.');
  }
  const header = [
    'varied',
    'value',
    'exchanges/s',
    'kept',
    'kernel ns',
    'empty pairs',
    'own CPU ns',
    'lost',
    'surplus',
  ];
  return `${notes.join('\n')}\n\n${table(header, rows)}`;
}

function costRow({ group, name, runs }: CostRow): readonly string[] {
  const on = runs.find(({ mode }) => mode === 'on');
  const off = runs.find(({ mode }) => mode === 'off');
  const stats = runs.find(({ mode }) => mode === 'stats');
  if (on === undefined || off === undefined || stats === undefined) throw new Error(`${group} ${name} lacks a run`);
  const seen = [on, stats];
  return [
    group,
    runs.some(({ disturbed }) => disturbed) ? `${name} *` : name,
    whole(rateOf(off)),
    `${(100 * throughputKept(runs)[0]).toFixed(0)} %`,
    whole(kernelNsPerExchange(stats)),
    kernelMultiple(stats).toFixed(1),
    whole(cpuNsPerExchange(on)),
    String(seen.reduce((sum, run) => sum + lost(run), 0)),
    String(seen.reduce((sum, run) => sum + surplus(run), 0)),
  ];
}

/** A dash when nothing was answered: a load too short for its connections. */
function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en') : '–';
}

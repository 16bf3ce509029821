import { table } from './document.ts';
import type { Run } from './run.ts';
import { spread } from './statistics.ts';

/** Which of the probe's programs the kernel's time goes to; empty without runs that counted it. */
export function programsTable(runs: readonly Run[]): string {
  const names = new Set(runs.flatMap(({ probe }) => probe?.kernel?.programs.map(({ name }) => name) ?? []));
  const rows = [...names].map((name) => {
    const per = (pick: (program: { ns: number; runs: number }, run: Run) => number): number =>
      spread(
        runs.map((run) => {
          const program = run.probe?.kernel?.programs.find((one) => one.name === name);
          return program === undefined ? 0 : pick(program, run);
        }),
      )?.median ?? 0;
    const perSide = (run: Run): number => run.requests * (run.probe?.sides ?? 1);
    return {
      name,
      ns: per(({ ns }, run) => ns / perSide(run)),
      runs: per(({ runs }, run) => runs / perSide(run)),
      each: per(({ ns, runs }) => ns / runs),
    };
  });
  if (rows.length === 0) return '';
  return table(
    ['attached to', 'ns an exchange and side', 'runs an exchange and side', 'ns a run'],
    rows
      .toSorted((a, b) => b.ns - a.ns)
      .filter(({ ns }) => ns >= 0.5)
      .map(({ name, ns, runs, each }) => [name, ns.toFixed(0), runs.toFixed(2), each.toFixed(0)]),
  );
}

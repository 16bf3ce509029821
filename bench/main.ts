import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { costTable } from './cost-table.ts';
import { replaceSection } from './document.ts';
import { goalsTable } from './goals-table.ts';
import { describeMachine } from './machine.ts';
import { measureCost } from './measure/cost.ts';
import { measureRate } from './measure/rate.ts';
import { measureRest } from './measure/rest.ts';
import { measureSaturation } from './measure/saturation.ts';
import { measureSeries } from './measure/series.ts';
import type { Setting } from './measure/setting.ts';
import { measureStart } from './measure/start.ts';
import { readResults, type Results, writeResults } from './results.ts';
import { makeWorkplace } from './workplace.ts';

const USAGE = `usage: npm run bench -- [options]

Measures what Sonde costs: nginx on CPU 1 under wrk on CPU 0, with and without it. Needs root, two cores,
nginx, wrk, h2load, clang and libbpf; takes about 15 minutes (a minute or two with --quick).

  --quick          short runs: they show that everything works
  --pairs N        pairs of runs with and without the probe (default 5, with --quick 1)
  --only NAME      measure only this (repeat for more): start, rest, saturation, rate, series, cost
  --keep           keep runs that something else on the machine disturbed
  --write          put the tables into docs/overhead.md and the figures into bench/results.json
  --program FILE   the program to measure (default bin/sonde)
  --instructions   something else: counts instructions in a guest; see \`npm run bench -- --instructions --help\`
`;

const MEASUREMENTS = {
  start: measureStart,
  rest: measureRest,
  saturation: measureSaturation,
  rate: measureRate,
  series: measureSeries,
  cost: measureCost,
} as const;
type Name = keyof typeof MEASUREMENTS;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      pairs: { type: 'string' },
      only: { type: 'string', multiple: true },
      keep: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      program: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const root = resolve(import.meta.dirname, '../..');
  const names = (values.only ?? Object.keys(MEASUREMENTS)) as Name[];
  const pairs = Number(values.pairs ?? (values.quick ? 1 : 5));
  const unknown = names.find((name) => !(name in MEASUREMENTS));
  if (values.help || unknown !== undefined || !(pairs >= 1)) {
    process.stderr.write(unknown === undefined ? USAGE : `no measurement is called ${unknown}\n\n${USAGE}`);
    return values.help ? 0 : 2;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('The bench loads BPF programs and reads what others run: run it as root.\n');
    return 3;
  }
  const setting: Setting = {
    program: resolve(values.program ?? join(root, 'bin/sonde')),
    directory: makeWorkplace(),
    sources: join(root, 'bench'),
    quick: values.quick,
    keep: values.keep,
    pairs,
    say: (line) => process.stderr.write(`${line}\n`),
  };
  const file = join(root, 'bench/results.json');
  const fresh: Record<string, unknown> = {};
  for (const name of names) {
    const value = await MEASUREMENTS[name](setting);
    fresh[name] = { machine: describeMachine(new Date()), quick: values.quick, value };
    if (values.write) writeResults(file, { ...readResults(file), ...fresh });
  }
  const shown = values.write ? readResults(file) : (fresh as Results);
  process.stdout.write(`${goalsTable(shown)}\n\n${costTable(shown)}\n`);
  if (values.write) {
    const page = join(root, 'docs/overhead.md');
    const text = replaceSection(readFileSync(page, 'utf8'), 'goals', goalsTable(shown));
    writeFileSync(page, replaceSection(text, 'cost', costTable(shown)));
  }
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  return 5;
});

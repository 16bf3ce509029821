// What a TCP connection costs in the kernel that is opened and closed, with and without its TCP counters: the table
// "Connections" of docs/overhead.md.
//   scripts/connections [--connections 5000] [--runs 7] [--write]
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type ProgramRuns, runsBetween } from './bpf-usage.ts';
import { Child } from './child.ts';
import { replaceSection, table } from './document.ts';
import { EmptyHooks } from './hooks.ts';
import { describeMachine, machineLine } from './machine.ts';
import { sum } from './metrics-page.ts';
import { Probe } from './probe.ts';
import { spread } from './statistics.ts';
import { makeWorkplace } from './workplace.ts';

const LOAD_LIMIT_MS = 120_000;
const MESSAGES = 20_000;
const PARTS = 10;
/** The connections carry no data, so these run for others; so does the sweep. */
const OF_OTHERS = new Set(['sock_send_length', 'sock_recv_length', 'bpf_sk_storage_map']);

/** One run. Times are of Sonde's programs, in ns, for a connection with both ends on this machine. */
interface Run {
  readonly ns: number;
  readonly emptyPairNs: number;
  readonly programs: readonly ProgramRuns[];
  readonly dropped: number;
}

interface Setting {
  readonly directory: string;
  readonly root: string;
  readonly connections: number;
  readonly tcp: boolean;
}

async function measure({ directory, root, connections, tcp }: Setting): Promise<Run> {
  const load = new Child(['python3', '-u', join(root, 'bench/open_and_close.py')], { stdio: ['pipe', 'pipe', 'pipe'] });
  const [, port] = await load.says('stdout', /port (\d+)/, LOAD_LIMIT_MS);
  const tell = async (line: string): Promise<void> => {
    const done = load.says('stdout', new RegExp(`done ${line}`), LOAD_LIMIT_MS);
    load.process.stdin?.write(`${line}\n`);
    await done;
  };
  const empty = await EmptyHooks.attach(join(root, 'bench'), directory);
  const probe = await Probe.start({
    program: join(root, 'bin/sonde'),
    directory,
    capture: { filter: { ports: [Number(port)] } },
    analyzers: { tcp: { enabled: tcp } },
  });
  await tell('connections 200');
  const emptyStart = empty.usage();
  const parts: ProgramRuns[][] = [];
  // In turn, so that what else the machine does falls on both alike.
  for (let part = 0; part < PARTS; part++) {
    const start = probe.bpf();
    await tell(`connections ${connections / PARTS}`);
    parts.push(runsBetween(start, probe.bpf()).filter(({ name }) => !OF_OTHERS.has(name)));
    await tell(`messages ${MESSAGES / PARTS}`);
  }
  const pair = runsBetween(emptyStart, empty.usage()).map(({ ns, runs }) => ns / runs);
  const programs = inAll(parts.flat(), connections);
  const dropped = sum(await probe.page(), 'sonde_dropped_total');
  await probe.stop();
  await empty.stop();
  load.process.stdin?.end();
  await load.end(LOAD_LIMIT_MS);
  return {
    ns: programs.reduce((total, { ns }) => total + ns, 0),
    emptyPairNs: pair.reduce((total, ns) => total + ns, 0),
    programs,
    dropped,
  };
}

/** By name, for one connection. */
function inAll(parts: readonly ProgramRuns[], connections: number): ProgramRuns[] {
  const byName = new Map<string, ProgramRuns>();
  for (const { name, ns, runs, recursionMisses } of parts) {
    const known = byName.get(name) ?? { name, ns: 0, runs: 0, recursionMisses: 0 };
    byName.set(name, {
      name,
      ns: known.ns + ns / connections,
      runs: known.runs + runs / connections,
      recursionMisses: known.recursionMisses + recursionMisses,
    });
  }
  return [...byName.values()];
}

function shown(values: readonly number[], digits: number): [string, string] {
  const found = spread(values);
  if (found === null) return ['–', '–'];
  const { median, min, max, count } = found;
  const text = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: digits });
  return [text(median), `${text(min)} – ${text(max)} (${count})`];
}

function row(name: string, runs: readonly Run[]): string[] {
  return [
    name,
    ...shown(
      runs.map(({ ns, emptyPairNs }) => ns / emptyPairNs),
      1,
    ),
    ...shown(
      runs.map(({ ns }) => ns),
      0,
    ),
    ...shown(
      runs.map(({ emptyPairNs }) => emptyPairNs),
      0,
    ),
  ];
}

function programsOf(runs: readonly Run[]): string {
  const names = [...new Set(runs.flatMap(({ programs }) => programs.map(({ name }) => name)))];
  const median = (name: string, pick: (program: ProgramRuns, run: Run) => number): number =>
    spread(
      runs.map((run) => {
        const program = run.programs.find((one) => one.name === name);
        return program === undefined ? 0 : pick(program, run);
      }),
    )?.median ?? 0;
  const rows = names
    .map((name) => ({
      name,
      pairs: median(name, ({ ns }, { emptyPairNs }) => ns / emptyPairNs),
      ns: median(name, ({ ns }) => ns),
      runs: median(name, (program) => program.runs),
    }))
    .filter(({ pairs }) => pairs >= 0.05)
    .toSorted((a, b) => b.pairs - a.pairs);
  return table(
    ['attached to', 'empty pairs a connection', 'ns', 'runs'],
    rows.map(({ name, pairs, ns, runs: times }) => [name, pairs.toFixed(1), ns.toFixed(0), times.toFixed(1)]),
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '5000' },
      runs: { type: 'string', default: '7' },
      write: { type: 'boolean', default: false },
    },
  });
  const root = resolve(import.meta.dirname, '../..');
  const directory = makeWorkplace();
  const connections = Number(values.connections);
  const plain: Run[] = [];
  const counted: Run[] = [];
  for (let i = 0; i < Number(values.runs); i++) {
    // In turn, so that a machine that grows slower does so for both.
    for (const [runs, tcp] of [
      [counted, true],
      [plain, false],
    ] as const) {
      const run = await measure({ directory, root, connections, tcp });
      process.stderr.write(
        `${tcp ? 'with' : 'without'} TCP counters: ${run.ns.toFixed(0)} ns, empty pair ${run.emptyPairNs.toFixed(0)} ns\n`,
      );
      runs.push(run);
    }
  }
  const dropped = [...plain, ...counted].reduce((total, run) => total + run.dropped, 0);
  const text = `${machineLine(describeMachine(new Date()))}
\`scripts/connections --connections ${connections} --runs ${values.runs}\`; dropped in all runs: ${dropped}.

${table(
  [
    'a connection, both ends',
    'empty pairs',
    'min – max (runs)',
    'ns',
    'min – max (runs)',
    'empty pair, ns',
    'min – max (runs)',
  ],
  [row('with the TCP counters', counted), row('`analyzers.tcp.enabled: false`', plain)],
)}

Where it goes, with the TCP counters:

${programsOf(counted)}`;
  process.stdout.write(`${text}\n`);
  if (values.write) {
    const file = join(root, 'docs/overhead.md');
    writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), 'connections', text));
  }
  return 0;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`connections: ${error instanceof Error ? error.message : String(error)}\n`);
  return 5;
});

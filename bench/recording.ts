// What recording and replay cost: `sonde record` beside nginx and wrk, then the recording replayed a few times.
//   scripts/recording-speed [--seconds 20] [--passes 4] [--write]
// With --write the table goes to docs/overhead.md.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Child } from './child.ts';
import { replaceSection, table } from './document.ts';
import { saturate } from './load.ts';
import { describeMachine, machineLine } from './machine.ts';
import { Nginx } from './nginx.ts';
import { cpuOf } from './process-cost.ts';
import { makeWorkplace } from './workplace.ts';

const READY_LIMIT_MS = 60_000;
const END_LIMIT_MS = 30_000;

interface Recorded {
  readonly file: string;
  readonly bytes: number;
  /** Requests that wrk made; each is two exchanges, one a side. */
  readonly requests: number;
  readonly open: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Records lost anywhere, by the law. */
  readonly dropped: number;
}

interface Pass {
  readonly exchanges: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const root = resolve(import.meta.dirname, '../..');

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '20' },
      passes: { type: 'string', default: '4' },
      write: { type: 'boolean', default: false },
    },
  });
  const load = loadavg()[0];
  const recorded = await record(Number(values.seconds));
  const decoded = replay(recorded.file, 'decoded', values.passes);
  const printed = replay(recorded.file, 'ndjson', values.passes);
  const text = report(recorded, { decoded, printed }, load);
  process.stdout.write(`${text}\n`);
  if (values.write) {
    const file = join(root, 'docs/overhead.md');
    writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), 'recording', text));
  }
  return 0;
}

async function record(seconds: number): Promise<Recorded> {
  const directory = makeWorkplace();
  const nginx = await Nginx.start(directory);
  const configuration = join(directory, 'record.yaml');
  writeFileSync(configuration, JSON.stringify({ capture: { filter: { ports: [nginx.port] } } }));
  const file = join(directory, 'bench.sonde');
  const sonde = new Child([join(root, 'bin/sonde'), 'record', file, '--config', configuration], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  await sonde.says('stderr', /sonde recording/, READY_LIMIT_MS);
  const before = cpuOf(sonde.pid);
  const { requests, open, seconds: took } = await saturate({ url: nginx.url(), seconds });
  const after = cpuOf(sonde.pid);
  process.kill(sonde.pid, 'SIGTERM');
  await sonde.end(END_LIMIT_MS);
  await nginx.stop();
  return {
    file,
    bytes: statSync(file).size,
    requests,
    open,
    seconds: took,
    cpuSeconds: after.user + after.system - before.user - before.system,
    dropped: [...sonde.errors.matchAll(/ dropped=(\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0),
  };
}

function replay(file: string, mode: 'decoded' | 'ndjson', passes: string): Pass[] {
  const program = join(root, 'bench/replay-speed.mjs');
  const output = execFileSync(process.execPath, [program, file, mode, passes], { encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Pass);
}

function report(recorded: Recorded, replays: Readonly<Record<'decoded' | 'printed', Pass[]>>, load: number): string {
  const { requests, open, bytes, seconds, cpuSeconds, dropped } = recorded;
  const exchanges = replays.decoded[0].exchanges;
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  const best = (passes: readonly Pass[], key: 'seconds' | 'cpuSeconds'): string =>
    `${whole(Math.max(...passes.map((pass) => pass.exchanges / pass[key])))}/s`;
  const missing = Math.max(0, 2 * requests - exchanges);
  const surplus = Math.max(0, exchanges - 2 * (requests + open));
  return `${machineLine(describeMachine(new Date()))} Load average before: ${load.toFixed(1)}.

${table(
  ['', 'goal', 'measured'],
  [
    ['recorded, both ends seen', '', `${whole((2 * requests) / seconds)} exchanges/s`],
    ['lost by the law; missing, surplus in the replay', '0', `${dropped}; ${missing}, ${surplus}`],
    ['CPU of `sonde record` an exchange', '', `${whole((cpuSeconds / (2 * requests)) * 1e9)} ns`],
    ['on disk an exchange', '', `${(bytes / exchanges).toFixed(1)} bytes`],
    ['replayed, decoded to exchanges, best pass', '1,000,000/s', best(replays.decoded, 'seconds')],
    ['the same by a second of CPU', '', best(replays.decoded, 'cpuSeconds')],
    ['replayed to NDJSON, best pass', '300,000/s', best(replays.printed, 'seconds')],
    ['the same by a second of CPU', '', best(replays.printed, 'cpuSeconds')],
  ],
)}`;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`recording-speed: ${error instanceof Error ? error.message : String(error)}\n`);
  return 5;
});

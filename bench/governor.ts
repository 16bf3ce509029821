// A load that steps up and down, and what the governor does about it, second by second: docs/limits.md shows a run.
//   scripts/governor [--cpu 8%] [--low 200] [--high 6000] [--write]
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { replaceSection } from './document.ts';
import { governorTable, type Second } from './governor-table.ts';
import { hold } from './load.ts';
import { type Sample, sum } from './metrics-page.ts';
import { Nginx } from './nginx.ts';
import { Probe } from './probe.ts';
import { makeWorkplace } from './workplace.ts';

const CONNECTIONS = 64;

interface Phase {
  readonly rate: number;
  readonly seconds: number;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cpu: { type: 'string', default: '8%' },
      low: { type: 'string', default: '200' },
      high: { type: 'string', default: '6000' },
      write: { type: 'boolean', default: false },
    },
  });
  const root = resolve(import.meta.dirname, '../..');
  const directory = makeWorkplace();
  const nginx = await Nginx.start(directory);
  const probe = await Probe.start({
    program: join(root, 'bin/sonde'),
    directory,
    capture: { filter: { ports: [nginx.port] } },
    limits: { cpu: values.cpu },
  });
  const low = Number(values.low);
  const high = Number(values.high);
  const phases: readonly Phase[] = [
    { rate: low, seconds: 30 },
    { rate: high, seconds: 60 },
    { rate: low, seconds: 40 },
  ];
  const trace: Second[] = [];
  const running = new AbortController();
  const watch = (async () => {
    let before = await probe.page();
    for (let second = 1; !running.signal.aborted; second++) {
      await delay(1000);
      const page = await probe.page();
      trace.push(readSecond(second, before, page));
      before = page;
    }
  })();
  let made = 0;
  for (const { rate, seconds } of phases) {
    const { requests } = await hold({ url: nginx.url(), rate, seconds, connections: CONNECTIONS });
    made += requests;
  }
  await delay(15_000);
  running.abort();
  await watch;
  const page = await probe.page();
  await probe.stop();
  await nginx.stop();
  const counted = sum(page, 'sonde_exchanges_total', { role: 'server' });
  const estimated = sum(page, 'sonde_exchanges_estimated_total', { role: 'server' });
  const text = `${governorTable(trace, values.cpu)}

${made} requests were made, ${counted} counted on the server's side, ${estimated} of them estimated.`;
  process.stdout.write(`${text}\n`);
  if (values.write) {
    const file = join(root, 'docs/limits.md');
    writeFileSync(file, replaceSection(readFileSync(file, 'utf8'), 'trace', text));
  }
  return 0;
}

function readSecond(second: number, before: readonly Sample[], page: readonly Sample[]): Second {
  const rise = (name: string): number => sum(page, name, { role: 'server' }) - sum(before, name, { role: 'server' });
  return {
    second,
    exchanges: rise('sonde_exchanges_total'),
    estimated: rise('sonde_exchanges_estimated_total'),
    cpu: sum(page, 'sonde_cpu_ratio'),
    level: sum(page, 'sonde_governor_level'),
    completeness: sum(page, 'sonde_completeness_ratio'),
  };
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`governor: ${error instanceof Error ? error.message : String(error)}\n`);
  return 5;
});

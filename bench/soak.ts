import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { replaceSection } from './document.ts';
import { churn, hold } from './load.ts';
import { describeMachine, machineLine } from './machine.ts';
import { lawGap, lawOf, type Sample, totalDropped } from './metrics-page.ts';
import { Nginx } from './nginx.ts';
import { countedOn, Probe } from './probe.ts';
import { droppedReasons } from './run.ts';
import { readResults, writeResults } from './results.ts';
import { CSV_HEADER, csvLine, growth, soakSection, soakSummary } from './soak-report.ts';
import type { SoakResult, SoakSample } from './soak-result.ts';
import { makeWorkplace } from './workplace.ts';

const USAGE = `usage: scripts/soak [--minutes M] [--rate R] [--csv FILE] [--write] [--program FILE]

Runs Sonde for M minutes (30) under R exchanges a second (10,000), one in ten over a connection of its own, and
samples its memory, maps, counts and law every ten seconds. Ends by itself. Exit code 1 when counts differ, anything
was dropped, or the law does not hold.

  --csv FILE   where the samples go (default dist/soak.csv)
  --write      put summary and curve into docs/overhead.md and the samples into bench/results.json
`;

/** One round of load: kept connections at a held rate, and beside them a burst of connections of one request each. */
const ROUND_SECONDS = 5;
const KEPT_CONNECTIONS = 50;
const CHURN_SHARE = 0.1;
const SAMPLE_MS = 10_000;
/** Beyond its minutes a soak may take so long to start and to settle; then it ends whatever it is doing. */
const GRACE_MS = 180_000;

interface Made {
  requests: number;
  failed: number;
  connections: number;
}

async function soak(options: {
  readonly minutes: number;
  readonly rate: number;
  readonly csv: string;
  readonly program: string;
}): Promise<SoakResult> {
  const { minutes, rate, csv, program } = options;
  const directory = makeWorkplace();
  writeFileSync(csv, `${CSV_HEADER}\n`);
  const nginx = await Nginx.start(directory);
  // What others on the machine say to each other is not what is measured here.
  const probe = await Probe.start({ program, directory, capture: { filter: { ports: [nginx.port] } } });
  const made: Made = { requests: 0, failed: 0, connections: 0 };
  const samples: SoakSample[] = [];
  const start = performance.now();
  const over = new AbortController();
  try {
    const sampling = sampleUntil(over.signal, probe, nginx.port, made, start, (sample) => {
      samples.push(sample);
      appendFileSync(csv, `${csvLine(sample)}\n`);
    });
    // A failure of the sampling shows when it is awaited.
    sampling.catch(() => undefined);
    while (performance.now() - start < minutes * 60_000) await round(nginx.url(), rate, made);
    over.abort();
    await sampling;
    const page = await probe.settled(nginx.port, { server: made.requests, client: made.requests });
    const counts = countedOn(page, nginx.port);
    return {
      minutes,
      rate,
      connectionsMade: made.connections,
      made: made.requests,
      failed: made.failed,
      ...counts,
      dropped: totalDropped(page),
      reasons: droppedReasons(page),
      lawGaps: gapsOf(page),
      slopeMiBPerHour: growth(samples),
      samples,
    };
  } finally {
    over.abort();
    await probe.stop();
    await nginx.stop();
  }
}

async function round(url: string, rate: number, made: Made): Promise<void> {
  const alone = Math.round(rate * ROUND_SECONDS * CHURN_SHARE);
  const kept = { url, rate: rate * (1 - CHURN_SHARE), seconds: ROUND_SECONDS, connections: KEPT_CONNECTIONS };
  for (const result of await Promise.all([hold(kept), churn({ url, requests: alone })])) {
    made.requests += result.requests;
    made.failed += result.failed;
  }
  made.connections += KEPT_CONNECTIONS + alone;
}

async function sampleUntil(
  signal: AbortSignal,
  probe: Probe,
  port: number,
  made: Readonly<Made>,
  start: number,
  take: (sample: SoakSample) => void,
): Promise<void> {
  let last = { at: performance.now(), cpu: cpuSeconds(probe) };
  while (!signal.aborted) {
    await delay(SAMPLE_MS, undefined, { signal }).catch(() => undefined);
    const page = await probe.page();
    const now = { at: performance.now(), cpu: cpuSeconds(probe) };
    take({
      seconds: (now.at - start) / 1000,
      resident: probe.memory().resident,
      heap: heapOf(page),
      mapBytes: probe.bpf().mapBytes,
      series: page.length,
      made: made.requests,
      ...countedOn(page, port),
      dropped: totalDropped(page),
      cores: ((now.cpu - last.cpu) * 1000) / (now.at - last.at),
    });
    last = now;
  }
}

function cpuSeconds(probe: Probe): number {
  const { user, system } = probe.cpu();
  return user + system;
}

function heapOf(page: readonly Sample[]): number {
  return page.find(({ name }) => name.endsWith('nodejs_heap_size_used_bytes'))?.value ?? 0;
}

function gapsOf(page: readonly Sample[]): Record<string, number> {
  return Object.fromEntries(
    lawOf(page)
      .map((law) => [law.stage, lawGap(law)] as const)
      .filter(([, gap]) => gap !== 0),
  );
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '10000' },
      csv: { type: 'string' },
      write: { type: 'boolean', default: false },
      program: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const rate = Number(values.rate);
  if (values.help || !(minutes > 0) || !(rate >= 100)) {
    process.stderr.write(USAGE);
    return values.help ? 0 : 2;
  }
  if (process.getuid?.() !== 0) {
    process.stderr.write('The soak loads BPF programs and reads what others run: run it as root.\n');
    return 3;
  }
  const root = resolve(import.meta.dirname, '../..');
  const csv = resolve(values.csv ?? join(root, 'dist/soak.csv'));
  setTimeout(() => process.exit(5), minutes * 60_000 + GRACE_MS).unref();
  const result = await soak({ minutes, rate, csv, program: resolve(values.program ?? join(root, 'bin/sonde')) });
  process.stdout.write(`${soakSummary(result)}\n\nsamples: ${csv}\n`);
  if (values.write) {
    const machine = describeMachine(new Date());
    const file = join(root, 'bench/results.json');
    writeResults(file, { ...readResults(file), soak: { machine, quick: minutes < 10, value: result } });
    const page = join(root, 'docs/overhead.md');
    const section = `${machineLine(machine)}\n\n${soakSection(result)}`;
    writeFileSync(page, replaceSection(readFileSync(page, 'utf8'), 'soak', section));
  }
  const exact = result.server === result.made && result.client === result.made;
  return exact && result.dropped === 0 && Object.keys(result.lawGaps).length === 0 ? 0 : 1;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
  return 5;
});

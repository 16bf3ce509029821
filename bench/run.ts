import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type BpfUsage, type ProgramRuns, runsBetween, tracingPrograms } from './bpf-usage.ts';
import type { EmptyHooks } from './hooks.ts';
import type { LoadResult } from './load.ts';
import { lawGap, lawOf, totalDropped } from './metrics-page.ts';
import type { Nginx } from './nginx.ts';
import { allCountedOn, countedOn, type Probe } from './probe.ts';
import { machineCpu, parseStat } from './process-cost.ts';

/** Time for the probe to work off what the load left in its rings, counted as part of the load. */
const DRAIN_MS = 1000;

/** A run is left out of the tables when the hypervisor, or other programs, took more than so many cores. */
const DISTURBED_CORES = { steal: 0.2, others: 0.3 } as const;
/** Or when the probe saw more than this part of the load again on top. */
const DISTURBED_TRAFFIC = 0.02;

/** One load, with or without the probe, and all that was read around it. */
export interface Run {
  /** Groups the runs of one comparison. */
  readonly pair: number;
  readonly mode: 'off' | 'on' | 'stats' | 'scrape';
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  /** Cores that the hypervisor gave to others. */
  readonly steal: number;
  /** Cores used by neither server, load, probe nor bench. */
  readonly others: number;
  /** Tracing programs of anyone but the probe on the machine; null if not known. */
  readonly foreignPrograms: number | null;
  /** Something else took so much of the machine that the run says little. */
  readonly disturbed: boolean;
  readonly probe: ProbeFigures | null;
}

export interface ProbeFigures {
  /** How many ends of an exchange the probe sees: 2, or 1 with a filter. */
  readonly sides: number;
  readonly userSeconds: number;
  readonly systemSeconds: number;
  /** HTTP exchanges counted at each side. */
  readonly server: number;
  readonly client: number;
  /** How many more than `requests` may rightly be counted at each side. */
  readonly open: number;
  /** HTTP exchanges of others on the machine that it counted meanwhile; the bench's own scrapes are among them. */
  readonly foreign: number;
  /** All terms of the law that say dropped. */
  readonly dropped: number;
  /** `stage/reason` of what was dropped. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Stages at which the law's terms do not add up, with the difference. */
  readonly lawGaps: Readonly<Record<string, number>>;
  readonly resident: number;
  readonly peak: number;
  readonly mapBytes: number;
  readonly scrapes: number;
  readonly slowestScrapeMs: number;
  readonly kernel: KernelFigures | null;
}

/** Run-time statistics of the kernel during a load. */
export interface KernelFigures {
  readonly ns: number;
  readonly programs: readonly ProgramRuns[];
  /** One run of the empty send hook and one of the empty receive hook, in ns. */
  readonly emptyPairNs: number;
  /** All runs of the empty hooks. */
  readonly emptyNs: number;
  readonly emptyRuns: number;
}

export interface ObserveOptions {
  readonly pair: number;
  readonly mode: Run['mode'];
  readonly nginx: Nginx;
  readonly load: () => Promise<LoadResult>;
  readonly probe?: Probe;
  /** Sides that the probe sees; 2 unless it filters. */
  readonly sides?: number;
  /** Attached and counting: asks for the kernel's figures. */
  readonly hooks?: EmptyHooks;
  /** Read the probe's page each second meanwhile. */
  readonly scrape?: boolean;
  /** Never call a run disturbed. */
  readonly keep: boolean;
}

/** Runs one load and reads everything before and after it. */
export async function observe(options: ObserveOptions): Promise<Run> {
  const { pair, mode, nginx, probe, load, hooks } = options;
  const loaded = tracingPrograms();
  const own = probe === undefined ? 0 : probe.bpf().programs.size + (hooks === undefined ? 0 : 2);
  const watched = probe === undefined ? null : await watch(probe, options);
  const before = { machine: machineCpu(), nginx: total(nginx.cpu()), self: ownCpu() };
  const result = await load();
  const after = { machine: machineCpu(), nginx: total(nginx.cpu()), self: ownCpu() };
  const figures = watched === null ? null : await watched(result);
  const probeCpu = figures === null ? 0 : figures.userSeconds + figures.systemSeconds;
  const othersSeconds =
    after.machine.busy - before.machine.busy - (after.nginx - before.nginx) - (after.self - before.self) - probeCpu;
  const steal = (after.machine.steal - before.machine.steal) / result.seconds;
  const others = Math.max(0, othersSeconds / result.seconds);
  return {
    pair,
    mode,
    requests: result.requests,
    failed: result.failed,
    seconds: result.seconds,
    steal,
    others,
    foreignPrograms: loaded === null ? null : Math.max(0, loaded - own),
    disturbed:
      !options.keep &&
      (steal > DISTURBED_CORES.steal ||
        others > DISTURBED_CORES.others ||
        (figures?.foreign ?? 0) > 100 + DISTURBED_TRAFFIC * result.requests),
    probe: figures,
  };
}

/** Reads the probe before a load; the function that it returns reads it after. */
async function watch(probe: Probe, options: ObserveOptions): Promise<(result: LoadResult) => Promise<ProbeFigures>> {
  const { sides = 2, hooks, scrape = false, nginx } = options;
  const page = await probe.settled(nginx.port);
  const counts = countedOn(page, nginx.port);
  const all = allCountedOn(page);
  const dropped = totalDropped(page);
  const reasonsBefore = droppedReasons(page);
  // A page that was just asked for is not part of the load.
  await delay(300);
  const bpf = probe.bpf();
  const empty = hooks?.usage();
  const cpu = probe.cpu();
  const stop = new AbortController();
  const scraping = scrape ? probe.scrapeEachSecond(stop.signal) : null;
  // A failure of the scraping shows when it is awaited.
  scraping?.catch(() => undefined);
  return async (result) => {
    stop.abort();
    const scraped = (await scraping) ?? { scrapes: 0, slowestMs: 0 };
    const kernel =
      hooks === undefined || empty === undefined ? null : kernelFigures(bpf, probe.bpf(), empty, hooks.usage());
    await delay(DRAIN_MS);
    const cpuAfter = probe.cpu();
    const memory = probe.memory();
    const { mapBytes } = probe.bpf();
    const last = await probe.settled(nginx.port, {
      server: counts.server + result.requests,
      client: counts.client + (sides === 2 ? result.requests : 0),
    });
    const countsAfter = countedOn(last, nginx.port);
    const ours = countsAfter.server - counts.server + countsAfter.client - counts.client;
    return {
      sides,
      userSeconds: cpuAfter.user - cpu.user,
      systemSeconds: cpuAfter.system - cpu.system,
      server: countsAfter.server - counts.server,
      client: countsAfter.client - counts.client,
      open: result.open,
      foreign: allCountedOn(last) - all - ours,
      dropped: totalDropped(last) - dropped,
      reasons: difference(droppedReasons(last), reasonsBefore),
      lawGaps: Object.fromEntries(
        lawOf(last)
          .map((law) => [law.stage, lawGap(law)] as const)
          .filter(([, gap]) => gap !== 0),
      ),
      ...memory,
      mapBytes,
      scrapes: scraped.scrapes,
      slowestScrapeMs: scraped.slowestMs,
      kernel,
    };
  };
}

function kernelFigures(before: BpfUsage, after: BpfUsage, emptyBefore: BpfUsage, emptyAfter: BpfUsage): KernelFigures {
  const programs = runsBetween(before, after);
  const empty = runsBetween(emptyBefore, emptyAfter);
  return {
    ns: programs.reduce((sum, program) => sum + program.ns, 0),
    programs,
    emptyPairNs: empty.reduce((sum, program) => sum + program.ns / program.runs, 0),
    emptyNs: empty.reduce((sum, program) => sum + program.ns, 0),
    emptyRuns: empty.reduce((sum, program) => sum + program.runs, 0),
  };
}

/** `stage/reason` of everything that a page says was dropped. */
export function droppedReasons(page: Parameters<typeof lawOf>[0]): Record<string, number> {
  const reasons: Record<string, number> = {};
  for (const law of lawOf(page)) {
    for (const [reason, count] of Object.entries(law.reasons)) reasons[`${law.stage}/${reason}`] = count;
  }
  return reasons;
}

function difference(after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>) {
  return Object.fromEntries(
    Object.entries(after)
      .map(([key, count]) => [key, count - (before[key] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  );
}

function total(cpu: { readonly user: number; readonly system: number }): number {
  return cpu.user + cpu.system;
}

/** The bench itself and the load generators that it has waited for. */
function ownCpu(): number {
  const line = parseStat(readFileSync('/proc/self/stat', 'latin1'));
  return line.user + line.system + line.childrenUser + line.childrenSystem;
}

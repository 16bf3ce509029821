/**
 * What `npm run bench -- --instructions` runs in a guest under instruction counting (QEMU's `-icount shift=0`, one CPU):
 * nginx under a fixed number of requests, first alone, then with Sonde. Each finding is a line of JSON on standard output.
 */
import { copyFileSync, existsSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { release } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { runsBetween } from '../bpf-usage.ts';
import { EmptyHooks } from '../hooks.ts';
import { exactly } from '../load.ts';
import { lawGap, lawOf, type Sample, sum, totalDropped } from '../metrics-page.ts';
import { Nginx } from '../nginx.ts';
import { countedOn, Probe, type ProbeOptions } from '../probe.ts';
import { cpuNsOf } from '../process-cost.ts';
import { makeWorkplace } from '../workplace.ts';
import type { Ends, Finding, Load, Watched } from './finding.ts';

/** Requests of a load that is measured, of one that is to be subtracted, and until Node has compiled what is hot. */
const LARGE = Number(process.env['requests'] ?? 10_000);
const SMALL = LARGE / 5;
const WARM_UP = LARGE;
/** For Sonde to work off what lies in its rings, as part of the load. */
const DRAIN_MS = 1000;
/** Longer than a window (5 s), so that the page tells all of the load. Idle time costs nothing here, a scrape does. */
const WINDOW_MS = 7000;

const root = resolve(import.meta.dirname, '../../..');
const directory = makeWorkplace();

function tell(finding: Finding): void {
  writeSync(1, `${JSON.stringify(finding)}\n`);
}

/** Idle time of the only CPU since the start. */
function idle(): number {
  const found = /idle_sleeptime\s*:\s*(\d+)/.exec(readFileSync('/proc/timer_list', 'latin1'));
  if (found === null) throw new Error('/proc/timer_list does not tell the idle time');
  return Number(found[1]);
}

const now = (): number => Number(process.hrtime.bigint());

async function measure(nginx: Nginx, requests: number): Promise<Load> {
  const server = cpuNsOf(nginx.worker) ?? Number.NaN;
  const idleBefore = idle();
  const start = now();
  const result = await exactly({ url: nginx.url(), requests });
  const elapsed = now() - start;
  if (result.requests !== requests) throw new Error(`h2load made ${result.requests} of ${requests} requests`);
  await delay(DRAIN_MS);
  const busy = now() - start - (idle() - idleBefore);
  return { requests, elapsed, busy, server: (cpuNsOf(nginx.worker) ?? Number.NaN) - server };
}

async function pageOf(probe: Probe): Promise<Sample[]> {
  await delay(WINDOW_MS);
  return probe.page();
}

const incompleteOn = (page: readonly Sample[]): number =>
  sum(page, 'sonde_exchanges_incomplete_total', { protocol: 'http' });

async function watch(nginx: Nginx, probe: Probe, ends: Ends): Promise<Watched> {
  const before = await pageOf(probe);
  const counts = countedOn(before, nginx.port);
  const own = cpuNsOf(probe.pid) ?? Number.NaN;
  const load = await measure(nginx, LARGE);
  const ownAfter = cpuNsOf(probe.pid) ?? Number.NaN;
  const page = await pageOf(probe);
  const after = countedOn(page, nginx.port);
  const hooks = await attachEmpty();
  const bpf = probe.bpf();
  const empty = hooks.usage();
  await measure(nginx, SMALL);
  const programs = runsBetween(bpf, probe.bpf());
  const emptyRuns = runsBetween(empty, hooks.usage());
  await hooks.stop();
  return {
    load,
    own: ownAfter - own,
    ends,
    counted: { server: after.server - counts.server, client: after.client - counts.client },
    incomplete: incompleteOn(page) - incompleteOn(before),
    dropped: totalDropped(page),
    broken: lawOf(page)
      .filter((law) => lawGap(law) !== 0)
      .map(({ stage }) => stage),
    programs,
    empty: emptyRuns,
    programsRequests: SMALL,
  };
}

/** At the tracepoints, or where the kernel has none of these at the functions. */
async function attachEmpty(): Promise<EmptyHooks> {
  const built = join(root, 'empty');
  return EmptyHooks.hold(join(built, 'hold_hooks'), join(built, 'empty.bpf.o')).catch(() =>
    EmptyHooks.hold(join(built, 'hold_hooks'), join(built, 'empty-fexit.bpf.o')),
  );
}

async function withSonde(
  nginx: Nginx,
  name: string,
  options: Partial<ProbeOptions> & { readonly ends?: Ends },
  then?: (probe: Probe) => Promise<void>,
): Promise<void> {
  const probe = await Probe.start({ program: join(root, 'bin/sonde'), directory, ...options });
  try {
    await exactly({ url: nginx.url(), requests: WARM_UP });
    tell({ check: 'sonde', name, watched: await watch(nginx, probe, options.ends ?? 'both') });
    await then?.(probe);
  } finally {
    await probe.stop();
  }
}

async function switchedOff(nginx: Nginx, probe: Probe): Promise<void> {
  await probe.switch('capture', 'off');
  tell({ check: 'sonde', name: 'switched off', watched: await watch(nginx, probe, 'none') });
}

async function main(): Promise<void> {
  tell({ check: 'kernel', name: release(), node: process.version });
  if (!existsSync('/proc/timer_list')) throw new Error('/proc/timer_list is missing');
  const nginx = await Nginx.start(directory);
  try {
    // The first loads start the guest's own programs for the first time.
    for (let at = 0; at < 3; at++) await measure(nginx, SMALL);
    tell({ check: 'alone', small: await measure(nginx, SMALL), large: await measure(nginx, LARGE) });
    const objects = join(root, 'objects');
    if (existsSync(objects)) {
      await withSonde(nginx, 'both ends', {});
      for (const object of readdirSync(objects).toSorted()) {
        copyFileSync(join(objects, object), join(root, 'build/bpf/sonde.bpf.o'));
        await withSonde(nginx, object, {});
      }
    } else {
      await withSonde(nginx, 'both ends', {}, (probe) => switchedOff(nginx, probe));
      await withSonde(nginx, 'both ends, without TCP', { analyzers: { tcp: { enabled: false } } });
      await withSonde(nginx, 'server only', { ends: 'server', capture: { filter: { pids: [nginx.worker] } } });
    }
  } finally {
    await nginx.stop();
  }
}

await main().catch((error: unknown) =>
  tell({ check: 'failed', detail: String(error instanceof Error ? (error.stack ?? error.message) : error) }),
);
tell({ check: 'end' });

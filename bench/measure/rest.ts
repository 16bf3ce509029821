import { setTimeout as delay } from 'node:timers/promises';
import { allCountedOn, Probe } from '../probe.ts';
import { cpuNsOf } from '../process-cost.ts';
import type { Setting } from './setting.ts';

/** What the probe takes of an idle machine. */
export interface RestResult {
  /** Cores used, one value a period of ten seconds. */
  readonly cores: readonly number[];
  /** HTTP exchanges that it saw meanwhile: a machine at rest has none. */
  readonly seen: number;
  readonly resident: number;
  readonly mapBytes: number;
}

/** Time for start-up work to end before the first period; V8 collects what it left after some 15 s. */
const SETTLE_MS = 20_000;

/** Leaves the probe alone and reads its CPU from the scheduler. */
export async function measureRest(setting: Setting): Promise<RestResult> {
  const periodMs = setting.quick ? 3000 : 10_000;
  const probe = await Probe.start(setting);
  try {
    await delay(SETTLE_MS);
    const before = allCountedOn(await probe.page());
    const cores: number[] = [];
    for (let period = 0; period < (setting.quick ? 1 : 3); period++) {
      const cpu = cpuOrThrow(probe.pid);
      const start = performance.now();
      await delay(periodMs);
      cores.push((cpuOrThrow(probe.pid) - cpu) / 1e6 / (performance.now() - start));
    }
    const seen = allCountedOn(await probe.page()) - before;
    setting.say(
      `rest: ${cores.map((ratio) => `${(100 * ratio).toFixed(2)} %`).join(', ')} of a core, ${seen} exchanges seen`,
    );
    return { cores, seen, resident: probe.memory().resident, mapBytes: probe.bpf().mapBytes };
  } finally {
    await probe.stop();
  }
}

function cpuOrThrow(pid: number): number {
  const ns = cpuNsOf(pid);
  if (ns === null) throw new Error('this kernel keeps no /proc/PID/schedstat');
  return ns;
}

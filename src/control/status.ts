import { release } from 'node:os';
import type { Stage } from '../model/law.ts';

/** A feature as the status tells it: on, or off and why. */
export interface Feature {
  readonly name: string;
  readonly state: 'on' | 'off';
  /** Why it is off, or what it does without where it is on; null if it is on as usual. */
  readonly reason: string | null;
  /** What to do about it; null if nothing is to do or can be done. */
  readonly remedy: string | null;
}

export interface StageStatus {
  readonly stage: string;
  readonly produced: number;
  readonly delivered: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly in_flight: number;
  readonly skipped: Readonly<Record<string, number>>;
}

export interface Cost {
  /** Time that the hooks took in the kernel since the start, estimated (docs/limits.md); null without a kernel side. */
  readonly kernel_ns: number | null;
  /** User and system time of this process per time passed. */
  readonly cpu_ratio: number;
  readonly rss_bytes: number;
  /** Memory of the BPF maps; null if not known. */
  readonly map_bytes: number | null;
}

/** `GET /status` and `sonde doctor --json`. */
export interface Status {
  readonly version: string;
  readonly kernel: string;
  readonly uptime_s: number;
  readonly features: readonly Feature[];
  readonly loss: readonly StageStatus[];
  readonly cost: Cost;
  readonly governor: { readonly level: number; readonly reason: string | null };
  /** How the last reload of the configuration went; null if there was none. */
  readonly reload?: ReloadStatus | null;
}

export interface ReloadStatus {
  /** RFC 3339. */
  readonly time: string;
  readonly cause: string;
  readonly result: 'applied' | 'refused' | 'unchanged';
  /** Keys whose new value holds. */
  readonly applied: readonly string[];
  /** Keys whose new value waits for a restart. */
  readonly restart: readonly string[];
  /** What is wrong with the new configuration. */
  readonly error: string | null;
}

/** What only the kernel side knows; absent in a replay. */
export interface KernelCost {
  readonly kernel_ns: number | null;
  readonly map_bytes: number | null;
}

export interface StatusOptions {
  readonly version: string;
  readonly features: () => readonly Feature[];
  readonly stages: readonly Stage[];
  readonly kernelCost?: () => KernelCost;
  readonly governor?: () => { readonly level: number; readonly reason: string | null };
  readonly reload?: () => ReloadStatus | null;
  /** ms, for tests. */
  readonly now?: () => number;
}

/** Reads the status at any time; costs nothing in between. */
export function createStatus(options: StatusOptions): () => Status {
  const now = options.now ?? (() => performance.now());
  const started = now();
  const before = process.cpuUsage();
  return () => {
    const uptimeMs = now() - started;
    const cpu = process.cpuUsage(before);
    const governor = options.governor?.() ?? { level: 0, reason: null };
    const kernel = options.kernelCost?.() ?? { kernel_ns: null, map_bytes: null };
    return {
      version: options.version,
      kernel: release(),
      uptime_s: Math.round(uptimeMs) / 1000,
      features: options.features(),
      loss: options.stages.map(readStage),
      cost: {
        ...kernel,
        cpu_ratio: uptimeMs > 0 ? round((cpu.user + cpu.system) / 1000 / uptimeMs) : 0,
        rss_bytes: process.memoryUsage.rss(),
      },
      governor: { level: governor.level, reason: governor.reason },
      ...(options.reload === undefined ? {} : { reload: options.reload() }),
    };
  };
}

function readStage(stage: Stage): StageStatus {
  const { produced, delivered, inFlight, dropped, skipped } = stage.read();
  return { stage: stage.name, produced, delivered, dropped, in_flight: inFlight, skipped };
}

/** Fine enough that times the uptime, after weeks, it still tells the CPU time to a millisecond. */
function round(ratio: number): number {
  return Math.round(ratio * 1e9) / 1e9;
}

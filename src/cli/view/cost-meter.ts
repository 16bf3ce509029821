import type { Status } from '../../control/status.ts';

/** What the probe takes at the moment. */
export interface CostShown {
  /** Shares of a core: user space, and the BPF programs (null where the kernel does not count). */
  readonly cpuRatio: number;
  readonly kernelRatio: number | null;
  readonly rssBytes: number;
}

export interface CostMeter {
  /** The share of a core since the status before, not since the start: what it takes now. */
  add(status: Pick<Status, 'uptime_s' | 'cost'>): CostShown;
}

/** Two statuses closer to each other are too close to measure between. */
const MIN_SECONDS = 0.5;

export function createCostMeter(): CostMeter {
  let last: { readonly seconds: number; readonly cpu: number; readonly kernelNs: number | null } | undefined;
  let shown: Omit<CostShown, 'rssBytes'> | undefined;
  return {
    add({ uptime_s: seconds, cost }) {
      const cpu = cost.cpu_ratio * seconds;
      const passed = last === undefined ? 0 : seconds - last.seconds;
      if (last === undefined || passed < 0) {
        shown = { cpuRatio: cost.cpu_ratio, kernelRatio: null };
      } else if (passed < MIN_SECONDS) {
        return {
          cpuRatio: shown?.cpuRatio ?? cost.cpu_ratio,
          kernelRatio: shown?.kernelRatio ?? null,
          rssBytes: cost.rss_bytes,
        };
      } else {
        const kernel = last.kernelNs === null || cost.kernel_ns === null ? null : cost.kernel_ns - last.kernelNs;
        shown = {
          cpuRatio: Math.max(0, cpu - last.cpu) / passed,
          kernelRatio: kernel === null ? null : kernel / 1e9 / passed,
        };
      }
      last = { seconds, cpu, kernelNs: cost.kernel_ns };
      return { ...shown, rssBytes: cost.rss_bytes };
    },
  };
}

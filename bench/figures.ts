import type { Run } from './run.ts';

/** Answered requests a second. */
export function rateOf(run: Run): number {
  return run.requests / run.seconds;
}

/** CPU of the probe per exchange and side, in ns; NaN without the probe. */
export function cpuNsPerExchange(run: Run): number {
  if (run.probe === null) return Number.NaN;
  return (1e9 * (run.probe.userSeconds + run.probe.systemSeconds)) / run.requests / run.probe.sides;
}

/** Time in the probe's BPF programs per exchange and side, in ns; NaN without the kernel's statistics. */
export function kernelNsPerExchange(run: Run): number {
  const kernel = run.probe?.kernel;
  return kernel == null || run.probe === null ? Number.NaN : kernel.ns / run.requests / run.probe.sides;
}

/** The same as a multiple of one run of each of the two empty hooks. */
export function kernelMultiple(run: Run): number {
  const kernel = run.probe?.kernel;
  return kernel == null ? Number.NaN : kernelNsPerExchange(run) / kernel.emptyPairNs;
}

/** Time in the two empty hooks per exchange, whoever's call ran them, per side that the probe sees. */
export function emptyNsPerExchange(run: Run): number {
  const kernel = run.probe?.kernel;
  return kernel == null ? Number.NaN : kernel.emptyNs / run.requests / 2;
}

/**
 * Exchanges that are missing against the generator's count, both sides together: those fewer than it was answered,
 * and what the law says was dropped.
 */
export function lost(run: Run): number {
  const { probe } = run;
  if (probe === null) return Number.NaN;
  const missing = (counted: number): number => Math.max(0, run.requests - counted);
  return missing(probe.server) + (probe.sides === 2 ? missing(probe.client) : 0) + probe.dropped;
}

/** Exchanges counted beyond the generator's count and what it may have had under way, both sides together. */
export function surplus(run: Run): number {
  const { probe } = run;
  if (probe === null) return Number.NaN;
  const beyond = (counted: number): number => Math.max(0, counted - run.requests - run.failed - probe.open);
  return beyond(probe.server) + (probe.sides === 2 ? beyond(probe.client) : 0);
}

/** For each pair, the rate with the probe over the rate without it. */
export function throughputKept(runs: readonly Run[]): number[] {
  return runs
    .filter(({ mode }) => mode === 'on')
    .flatMap((on) => {
      const off = runs.find(({ mode, pair }) => mode === 'off' && pair === on.pair);
      return off === undefined ? [] : [rateOf(on) / rateOf(off)];
    });
}

import type { Registry } from 'prom-client';
import type { SelfMetricsOptions } from './self-metrics.ts';

/** Loads prom-client this long after the start, ms: by then the probe is ready, and scrapers have hardly begun. */
const LOAD_AFTER_MS = 1000;

export interface LazySelfMetricsOptions extends SelfMetricsOptions {
  /** For tests. */
  readonly load?: () => Promise<Pick<Registry, 'metrics'>>;
  /** For tests, ms. */
  readonly loadAfterMs?: number;
}

/**
 * The program's metrics about itself, made a moment after the start or at the first scrape, whichever comes first:
 * loading prom-client takes a tenth of the time until the probe is ready.
 */
export function createLazySelfMetrics(options: LazySelfMetricsOptions): { metrics(): Promise<string> } {
  const { load = async () => (await import('./self-metrics.ts')).createSelfMetrics(options) } = options;
  let made: ReturnType<typeof load> | undefined;
  const registry = () => (made ??= load());
  // What fails here fails at the next scrape, which counts it.
  setTimeout(() => void registry().catch(() => {}), options.loadAfterMs ?? LOAD_AFTER_MS).unref();
  return { metrics: async () => (await registry()).metrics() };
}

import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export interface SelfMetricsOptions {
  readonly version: string;
  /** Shortest event loop delay that is noticed, ms; a timer wakes the program that often. Default 500. */
  readonly loopPrecisionMs?: number;
}

/** Their names end in `_total` without being counters, which promtool refuses. */
const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The program's metrics about itself: CPU, memory, garbage collection, event loop. Read only when asked for. */
export function createSelfMetrics(options: SelfMetricsOptions): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: options.loopPrecisionMs ?? 500 });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  new Gauge({
    name: 'sonde_build_info',
    help: 'Always 1; the version is a label.',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: options.version }, 1);
  return registry;
}

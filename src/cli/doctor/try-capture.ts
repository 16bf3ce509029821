import { setTimeout as delay } from 'node:timers/promises';
import type { Configuration } from '../../config/schema.ts';
import { createStatus } from '../../control/status.ts';
import type { Feature, Status } from '../../control/status.ts';
import type { Consumer } from '../../model/data-group.ts';
import type { ExchangeGroup } from '../../model/exchange.ts';
import { createKernelPipeline } from '../../pipeline/kernel-pipeline.ts';
import { createLifecycle } from '../../pipeline/lifecycle.ts';
import { startTalker } from './talker.ts';

/** How long a request may take from the socket to here. */
const PATIENCE_MS = 5000;

export interface CaptureAttempt {
  /** Whether an event that was made on purpose was seen, at both ends. */
  readonly capture: Feature;
  readonly status: Status;
}

/**
 * Loads and attaches what `sonde run` would, has another process make a request over loopback and waits until it is
 * seen at both ends. Looks at that request only, exports nothing, and leaves nothing behind.
 * @throws SondeError with what stands in the way
 */
export async function tryCapture(configuration: Configuration, version: string): Promise<CaptureAttempt> {
  const talker = await startTalker();
  const everything = { include: [], exclude: [] };
  const { capture, exporters } = configuration;
  const seen = new Set<string>();
  const seenAtBothEnds = new AbortController();
  const exchanges: Consumer = {
    consume(group) {
      const exchange = group as ExchangeGroup;
      if (exchange.resource() === '/sonde-doctor' || exchange.destination().endsWith(`:${talker.port}`)) {
        seen.add(pipeline.labels.labels(exchange.labels).role ?? '');
        if (seen.size === 2) {
          seenAtBothEnds.abort();
        }
      }
    },
  };
  const pipeline = createKernelPipeline({
    configuration: {
      ...configuration,
      capture: {
        ...capture,
        // `count` and `ignore` hold for a person's traffic; here a message is wanted.
        policy: capture.policy === 'count' || capture.policy === 'ignore' ? 'auto' : capture.policy,
        filter: { ports: { include: [talker.port], exclude: [] }, pids: everything, cgroups: everything },
      },
      exporters: {
        ...exporters,
        prometheus: { ...exporters.prometheus, enabled: false },
        stdout: { ...exporters.stdout, enabled: false },
      },
    },
    version,
    exchanges,
  });
  const status = createStatus({
    version,
    features: () => pipeline.features(configuration),
    stages: pipeline.stages,
    kernelCost: pipeline.kernelCost,
  });
  const lifecycle = createLifecycle({ components: pipeline.components });
  try {
    await lifecycle.start();
    // Loaded and attached: what the kernel refuses is told first.
    await talker.talk();
    await delay(PATIENCE_MS, undefined, { signal: seenAtBothEnds.signal }).catch(() => {});
    return { capture: judge(seen), status: status() };
  } finally {
    await lifecycle.stop();
    await talker.stop();
  }
}

function judge(seen: ReadonlySet<string>): Feature {
  if (seen.size === 2) {
    return { name: 'capture', state: 'on', reason: null, remedy: null };
  }
  const missing = ['client', 'server'].filter((role) => !seen.has(role)).join(' and ');
  return {
    name: 'capture',
    state: 'off',
    reason: `the programs are attached, but a request over loopback was not seen as ${missing} within ${PATIENCE_MS / 1000} s`,
    remedy: 'Please report it with the output of `sonde doctor --json`.',
  };
}

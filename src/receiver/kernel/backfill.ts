import { type Probe, isAddonError } from './addon.ts';
import { BACKFILL_PROGRAMS, type Feature, refuse } from './features.ts';

/** Bytes of struct backfill_progress in bpf/backfill.bpf.c. */
const FOUND = 8;
const LEFT = 12;

/** What looking for the connections of before came to. */
export interface FoundBefore {
  /** Connections that are followed from then on. */
  readonly connections: number;
  /** How long it took. */
  readonly durationNs: number;
}

/** Finds the connections that were open before the hooks were attached. Once, right after that; bounded in time. */
export function findOpenConnections(
  probe: Probe,
  features: readonly Feature[],
): FoundBefore & { readonly features: readonly Feature[] } {
  if (!features.some(({ name, state }) => name === 'backfill' && state === 'on')) {
    return { features, connections: 0, durationNs: 0 };
  }
  let durationNs = 0;
  let after = features;
  for (const program of BACKFILL_PROGRAMS) {
    try {
      durationNs += probe.sweep(program);
    } catch (error) {
      if (!isAddonError(error)) throw error;
      after = refuse(after, program, error.message);
    }
    probe.detach(program);
  }
  const progress = probe.mapLookup('backfilled', new Uint8Array(4));
  if (progress === undefined) return { features: after, connections: 0, durationNs };
  const view = new DataView(progress.buffer, progress.byteOffset, progress.byteLength);
  const left = view.getUint32(LEFT, true);
  if (left > 0) after = after.map((feature) => (feature.name === 'backfill' ? unfinished(feature, left) : feature));
  return { features: after, connections: view.getUint32(FOUND, true), durationNs };
}

function unfinished(feature: Feature, left: number): Feature {
  const reason = `its time was over with ${left} connections left, which are found at their next call`;
  return { ...feature, state: 'off', reason };
}

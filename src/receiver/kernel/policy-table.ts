import type { PolicySink } from '../../model/event-batch.ts';
import { POLICY } from '../../model/record.gen.ts';
import { POLICY_STRIDE } from './addon.ts';

/** The sink that analyzers write to, made before the kernel's table exists and valid after it is gone. */
export interface PolicyTable extends PolicySink {
  /** From here on words go to this memory (`Probe.policies`). */
  bind(words: Uint32Array): void;
  unbind(): void;
}

/**
 * Writes policy words into the kernel's table: plain stores into mapped memory, no system call. A word holds the
 * generation, so that a late write never meets the next socket of the same index.
 */
export function createPolicyTable(): PolicyTable {
  let table: Uint32Array | undefined;
  return {
    set(index, generation, word) {
      const at = index * POLICY_STRIDE;
      // Records of sockets without an index carry the highest number there is.
      if (table === undefined || at >= table.length) return;
      table[at] = (generation << 16) | POLICY.set | word;
    },
    bind(words) {
      table = words;
    },
    unbind() {
      table = undefined;
    },
  };
}

import type { Stage, StageCount } from '../../model/law.ts';
import { COUNTER } from '../../model/record.gen.ts';
import { type ProgramInfo, READER } from './addon.ts';
import { HOOK_PROGRAMS, LIFE_PROGRAMS } from './features.ts';

/** What the stages are read from. */
export interface KernelCounts {
  /** As {@link Probe.counters}. */
  readonly counters: Float64Array;
  readonly pending: number;
  readonly programs: readonly ProgramInfo[];
  /** Records that were still in the rings when the receiver closed them. */
  readonly abandoned: number;
}

const COUNTED: ReadonlySet<string> = new Set([...HOOK_PROGRAMS, ...LIFE_PROGRAMS]);

/**
 * Runs of the socket hooks: each run says itself, in the kernel, what became of it. Of the hooks on a socket's life only
 * the runs that the kernel refused are in it, as produced and as lost: the records of the others are the stage `ring`.
 */
export function createHookStage(read: () => KernelCounts): Stage {
  return {
    name: 'hook',
    read(): StageCount {
      const { counters, programs } = read();
      const count = (name: keyof typeof COUNTER): number => counters[COUNTER[name]] ?? 0;
      let missed = 0;
      // Runs that the kernel did not start, because the program was interrupted by itself.
      for (const { name, recursionMisses } of programs) if (COUNTED.has(name)) missed += recursionMisses;
      const skipped = {
        family: count('skipFamily'),
        empty: count('skipEmpty'),
        peek: count('skipPeek'),
        self: count('skipSelf'),
        filtered: count('skipFiltered'),
        policy: count('skipPolicy'),
        off: count('skipOff'),
      };
      // What is passed over by design is not in the law: it comes off the count that a run starts with.
      let passedOver = 0;
      for (const runs of Object.values(skipped)) passedOver += runs;
      return {
        produced: count('countRuns') - passedOver + missed,
        delivered: count('countMessages') + count('countContinued'),
        inFlight: 0,
        dropped: {
          ring_full: count('dropRingFull'),
          storage_full: count('dropStorageFull'),
          recursion: missed,
        },
        skipped,
      };
    },
  };
}

/**
 * Records: produced and refused by the kernel's own counts, delivered by the reader's. A message record that found no
 * room is the loss of a run (stage `hook`); all records of a socket's life, what TCP tells included, are counted here.
 */
export function createRingStage(read: () => KernelCounts): Stage {
  return {
    name: 'ring',
    read(): StageCount {
      const { counters, pending, abandoned } = read();
      const count = (name: keyof typeof COUNTER): number => counters[COUNTER[name]] ?? 0;
      const own = (name: keyof typeof READER): number => counters[COUNTER.counters + READER[name]] ?? 0;
      return {
        produced: count('countMessages') + count('ringLife') + count('ringLifeFull'),
        delivered: own('records'),
        inFlight: pending,
        dropped: { ring_full: count('ringLifeFull'), reader_stopped: abandoned, bad_record: own('bad') },
        skipped: {},
      };
    },
  };
}

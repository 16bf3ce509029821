import { expect, it } from 'vitest';
import { COUNTER } from '../../../../src/model/record.gen.ts';
import { type ProgramInfo, READER } from '../../../../src/receiver/kernel/addon.ts';
import { createHookStage, createRingStage } from '../../../../src/receiver/kernel/stages.ts';

const program = (name: string, recursionMisses: number): ProgramInfo => ({
  name,
  id: 1,
  attached: true,
  runs: 0,
  runTimeNs: 0,
  recursionMisses,
});

const counters = new Float64Array(COUNTER.counters + 5).map((_, i) => 1 << (i % 24));
const at = (index: number): number => counters[index] ?? Number.NaN;
const read = () => ({
  counters,
  pending: 7,
  programs: [
    program('sonde_send', 1),
    program('sonde_receive', 2),
    program('sonde_state', 3),
    program('sonde_drop', 4),
    program('sonde_queue', 100),
  ],
  abandoned: 3,
});

const SKIPPED = ['skipFamily', 'skipEmpty', 'skipPeek', 'skipSelf', 'skipFiltered', 'skipPolicy', 'skipOff'] as const;

it("hook: every way a run can end is a term of its own, and runs that never began are produced and dropped, those on a socket's life too", () => {
  expect(createHookStage(read).read()).toEqual({
    produced: at(COUNTER.countRuns) - SKIPPED.reduce((sum, name) => sum + at(COUNTER[name]), 0) + 10,
    delivered: at(COUNTER.countMessages) + at(COUNTER.countContinued),
    inFlight: 0,
    dropped: { ring_full: at(COUNTER.dropRingFull), storage_full: at(COUNTER.dropStorageFull), recursion: 10 },
    skipped: {
      family: at(COUNTER.skipFamily),
      empty: at(COUNTER.skipEmpty),
      peek: at(COUNTER.skipPeek),
      self: at(COUNTER.skipSelf),
      filtered: at(COUNTER.skipFiltered),
      policy: at(COUNTER.skipPolicy),
      off: at(COUNTER.skipOff),
    },
  });
});

it('ring: produced is the count of the kernel, delivered that of the reader', () => {
  const own = (name: keyof typeof READER): number => at(COUNTER.counters + READER[name]);
  expect(createRingStage(read).read()).toEqual({
    produced: at(COUNTER.countMessages) + at(COUNTER.ringLife) + at(COUNTER.ringLifeFull),
    delivered: own('records'),
    inFlight: 7,
    dropped: { ring_full: at(COUNTER.ringLifeFull), reader_stopped: 3, bad_record: own('bad') },
    skipped: {},
  });
});

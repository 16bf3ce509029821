import { expect, test } from 'vitest';
import type { Consumer, DataGroup } from '../../../src/model/data-group.ts';
import type { EventBatch, EventConsumer } from '../../../src/model/event-batch.ts';
import { StageClock } from '../../../src/pipeline/stage-clock.ts';

const BATCH: EventBatch = { bytes: new Uint8Array(), words: new Uint32Array(), halves: new Uint16Array(), length: 640 };
const GROUP = {} as DataGroup;

/** Each batch takes 3 ms in the analyzer and 32 exchanges of 0.25 ms behind it. */
function work(clock: StageClock, spend: (ms: number) => void): EventConsumer {
  const behind: Consumer = clock.exchanges({ consume: () => spend(0.25) });
  return clock.events({
    consume() {
      spend(3);
      for (let i = 0; i < 32; i++) behind.consume(GROUP);
    },
    tick: () => spend(2),
    flush: () => {},
  });
}

test('tells what all batches took from those that were timed', () => {
  let time = 0;
  const clock = new StageClock(() => time);
  const events = work(clock, (ms) => (time += ms));
  for (let i = 0; i < 800; i++) events.consume(BATCH);
  for (let i = 0; i < 50; i++) events.tick(i);
  expect(clock.seconds.analyzer).toBeCloseTo(800 * 0.003, 3);
  expect(clock.seconds.processors).toBeCloseTo(800 * 32 * 0.00025, 3);
  expect(clock.seconds.windows).toBeCloseTo(0.1, 6);
});

test('reads the clock for few of them', () => {
  let reads = 0;
  const clock = new StageClock(() => reads++);
  const before = reads;
  const events = work(clock, () => {});
  for (let i = 0; i < 800; i++) events.consume(BATCH);
  expect((reads - before) / 800).toBeLessThan(1);
  expect(new StageClock().seconds).toEqual({ analyzer: 0, processors: 0, windows: 0 });
});

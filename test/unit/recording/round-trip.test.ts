import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventConsumer } from '../../../src/model/event-batch.ts';
import { RecordWriter, Socket } from '../analyzer/records.ts';
import { CallLog, readBack, recorderTo, temporaryFolder } from './harness.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

type Step = { readonly records: readonly Uint8Array[] } | { readonly tick: number };

/** Some records in a batch, or a tick. */
const step = fc.oneof(
  fc.record({ records: fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 5 }) }),
  fc.record({ tick: fc.integer({ min: 0, max: 2_000_000_000 }) }),
);

function play(steps: readonly Step[], into: EventConsumer): void {
  const writer = new RecordWriter();
  const socket = new Socket({ writer }).open(1);
  into.consume(writer.take());
  let now = 0;
  let time = 1;
  for (const one of steps) {
    if ('tick' in one) {
      now += one.tick;
      into.tick(now);
    } else {
      for (const bytes of one.records) {
        time += 1;
        if (time % 2 === 0) socket.send(time, bytes);
        else socket.receive(time, bytes);
      }
      into.consume(writer.take());
    }
  }
  into.flush(now);
}

test('what was recorded is handed over again, call by call', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const path = join(folder.path, `${run++}.sonde`);
      const recorder = recorderTo(path);
      const live = new CallLog();
      await recorder.start();
      play(steps, recorder.tap(live));
      await recorder.stop();
      const { calls, damage, refused } = await readBack([readFileSync(path)]);
      expect({ damage, refused }).toEqual({ damage: [], refused: null });
      expect(calls).toEqual(live.calls);
      const law = recorder.stage.read();
      expect(law).toMatchObject({ inFlight: 0, produced: law.delivered });
    }),
    { numRuns: 60 },
  );
});

describe('a damaged file', () => {
  const steps = Array.from({ length: 30 }, (_, i) =>
    i % 3 === 2 ? { tick: 1_000_000_000 } : { records: [Buffer.from(`record ${i} ${'x'.repeat(i * 7)}`)] },
  );

  async function recorded(): Promise<{ file: Buffer; live: CallLog }> {
    const path = join(folder.path, 'small.sonde');
    const recorder = recorderTo(path);
    const live = new CallLog();
    await recorder.start();
    play(steps, recorder.tap(live));
    await recorder.stop();
    return { file: readFileSync(path), live };
  }

  test('cut at any byte, gives a beginning of what was recorded and says where it ends', async () => {
    const { file, live } = await recorded();
    const ends = new Set<number>();
    for (let length = 0; length < file.length; length++) {
      const { calls, damage, refused } = await readBack([file.subarray(0, length)]);
      if (refused !== null) {
        expect(calls).toEqual([]);
        continue;
      }
      expect(damage).toHaveLength(1);
      // Without its flush a recording ends where its last record does.
      const begun = calls.at(-1)?.kind === 'flush' ? calls.slice(0, -1) : calls;
      expect(live.calls.slice(0, begun.length)).toEqual(begun);
      ends.add(begun.length);
    }
    // More and more of it, block by block.
    expect(ends.size).toBeGreaterThan(3);
  }, 60_000);

  test('with any bit flipped is never taken for whole, and never gives what was not recorded', async () => {
    const { file, live } = await recorded();
    const known = new Set(live.calls.map((call) => JSON.stringify(call)));
    for (let at = 0; at < file.length; at += 1) {
      const flipped = Buffer.from(file);
      flipped[at] ^= 1 << (at % 8);
      const { calls, damage, refused } = await readBack([flipped]);
      expect(refused !== null || damage.length > 0 || at >= file.length - 16, `byte ${at}`).toBe(true);
      for (const call of calls.slice(0, -1)) expect(known.has(JSON.stringify(call)), `byte ${at}`).toBe(true);
    }
  }, 60_000);

  test('with a block damaged goes on with the next one, and says how many records are lost', async () => {
    const { file, live } = await recorded();
    const middle = Buffer.from(file);
    // Somewhere in the stored bytes of the second block.
    const first = 8 + 24 + file.readUInt32LE(8 + 4);
    const second = first + 24 + file.readUInt32LE(first + 4);
    middle[second + 30] ^= 0xff;
    const { calls, damage } = await readBack([middle]);
    expect(damage).toMatchObject([{ offset: second, records: file.readUInt32LE(second + 12) }]);
    expect(calls.length).toBeLessThan(live.calls.length);
    expect(calls.at(-1)).toEqual(live.calls.at(-1));
  });
});

test('a probe that is up for years is recorded like any other', async () => {
  const path = join(folder.path, 'old.sonde');
  const recorder = recorderTo(path);
  const live = new CallLog();
  const tap = recorder.tap(live);
  await recorder.start();
  for (const days of [103, 105, 10_000]) tap.tick(days * 86_400e9);
  tap.flush(10_001 * 86_400e9);
  await recorder.stop();
  expect(await readBack([readFileSync(path)])).toEqual({ calls: live.calls, damage: [], refused: null });
});

test('only its owner may read it, and a file that is there is not written over', async () => {
  const path = join(folder.path, 'mine.sonde');
  const recorder = recorderTo(path);
  await recorder.start();
  await recorder.stop();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  writeFileSync(join(folder.path, 'theirs.sonde'), 'theirs');
  await expect(recorderTo(join(folder.path, 'theirs.sonde')).start()).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(join(folder.path, 'theirs.sonde'), 'utf8')).toBe('theirs');
});

import { existsSync, readdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RECORD } from '../../../src/model/record.gen.ts';
import { REPLAY_FLAG } from '../../../src/model/replay-flags.ts';
import type { EndReason } from '../../../src/recording/part-writer.ts';
import type { Recorder } from '../../../src/recording/recorder.ts';
import { RecordWriter, Socket } from '../analyzer/records.ts';
import { CallLog, flat, readBack, recorderTo, temporaryFolder } from './harness.ts';

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => folder.remove());

/** Records that cannot be compressed, in batches with a second between them. */
async function record(recorder: Recorder, batches: number, between?: () => Promise<void>): Promise<CallLog> {
  const live = new CallLog();
  const tap = recorder.tap(live);
  await recorder.start();
  const writer = new RecordWriter();
  const socket = new Socket({ writer }).open(1);
  for (let i = 0; i < batches; i++) {
    for (let j = 0; j < 10; j++) socket.send(i * 1e9 + j + 2, randomBytes(1500));
    tap.consume(writer.take());
    tap.tick((i + 1) * 1e9);
    // As the disk would have it: blocks are written between the receiver's turns.
    await new Promise((resolve) => setTimeout(resolve, 2));
    await between?.();
  }
  tap.flush(batches * 1e9);
  await recorder.stop();
  return live;
}

function checkLaw(recorder: Recorder): Readonly<Record<string, number>> {
  const { produced, delivered, inFlight, dropped } = recorder.stage.read();
  expect(inFlight).toBe(0);
  expect(produced).toBe(delivered + Object.values(dropped).reduce((sum, count) => sum + count, 0));
  return dropped;
}

test('a full file ends the recording: whole, within its size, and what did not fit is counted', async () => {
  const ends: EndReason[] = [];
  const path = join(folder.path, 'a.sonde');
  const recorder = recorderTo(path, {
    limits: { maxFileBytes: 100_000, maxFiles: 1, minFreeBytes: 0 },
    onEnd: (reason) => ends.push(reason),
  });
  const live = await record(recorder, 20);
  expect(ends).toEqual(['size_cap']);
  expect(statSync(path).size).toBeLessThanOrEqual(100_000);
  expect(checkLaw(recorder)['size_cap']).toBeGreaterThan(0);
  const { calls, damage } = await readBack([readFileSync(path)]);
  expect(damage).toEqual([]);
  expect(calls.length).toBeGreaterThan(4);
  // The flush is the replay's own.
  expect(flat(live.calls).startsWith(flat(calls.slice(0, -1)))).toBe(true);
});

test('with more files it goes on in the next one; together they are what was recorded', async () => {
  const path = join(folder.path, 'a.sonde');
  const recorder = recorderTo(path, { limits: { maxFileBytes: 100_000, maxFiles: 100, minFreeBytes: 0 } });
  const live = await record(recorder, 20);
  expect(recorder.files.slice(0, 3)).toEqual([path, join(folder.path, 'a.2.sonde'), join(folder.path, 'a.3.sonde')]);
  for (const file of recorder.files) expect(statSync(file).size).toBeLessThanOrEqual(100_000);
  expect(Object.values(checkLaw(recorder))).toEqual([0, 0, 0, 0]);
  const { calls, damage } = await readBack(recorder.files.map((file) => readFileSync(file)));
  expect(damage).toEqual([]);
  expect(flat(calls) === flat(live.calls)).toBe(true);
});

test('the oldest file makes room for the newest, which can be read by itself', async () => {
  const recorder = recorderTo(join(folder.path, 'a.sonde'), {
    limits: { maxFileBytes: 100_000, maxFiles: 2, minFreeBytes: 0 },
  });
  const live = await record(recorder, 20);
  expect(readdirSync(folder.path)).toHaveLength(2);
  const last = recorder.files.at(-1) ?? '';
  const { calls, damage } = await readBack([readFileSync(last)]);
  expect(damage).toEqual([]);
  // First of all, who talks to whom on the connection: its open record is in a file that made room.
  const [first, ...rest] = calls;
  expect(first).toMatchObject({ kind: 'records' });
  const named = Buffer.from('bytes' in first ? first.bytes : '', 'hex');
  const opened = live.calls[0];
  const flags = RECORD.head.flags;
  expect(named.readUInt16LE(flags) & REPLAY_FLAG.namesOnly).not.toBe(0);
  named.writeUInt16LE(0, flags);
  expect('bytes' in opened && opened.bytes.startsWith(named.toString('hex'))).toBe(true);
  expect(rest.length).toBeGreaterThan(2);
  expect(flat(live.calls).endsWith(flat(rest))).toBe(true);
});

test('it does not start where the file system has too little free', async () => {
  const recorder = recorderTo(join(folder.path, 'a.sonde'), {
    limits: { maxFileBytes: 100_000, maxFiles: 2, minFreeBytes: 2 ** 52 },
  });
  await expect(recorder.start()).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(readdirSync(folder.path)).toEqual([]);
});

test('a file that was moved away meanwhile makes room too', async () => {
  const ends: string[] = [];
  const recorder = recorderTo(join(folder.path, 'a.sonde'), {
    limits: { maxFileBytes: 100_000, maxFiles: 2, minFreeBytes: 0 },
    onEnd: (reason, detail) => ends.push(`${reason}: ${detail}`),
  });
  const moved: string[] = [];
  const live = await record(recorder, 20, async () => {
    await vi.waitFor(() => expect(recorder.stage.read().inFlight).toBe(0), { timeout: 20_000, interval: 1 });
    for (const file of recorder.files.slice(0, -1)) {
      if (!existsSync(file)) continue;
      moved.push(`${file}.kept`);
      renameSync(file, `${file}.kept`);
    }
  });
  expect(ends).toEqual([]);
  expect(moved.length).toBeGreaterThan(1);
  expect(Object.values(checkLaw(recorder))).toEqual([0, 0, 0, 0]);
  // The last but one may have been finished by the end alone.
  const rest = recorder.files.filter((file) => existsSync(file));
  const { calls, damage } = await readBack([...moved, ...rest].map((file) => readFileSync(file)));
  expect(damage).toEqual([]);
  expect(flat(calls) === flat(live.calls)).toBe(true);
});

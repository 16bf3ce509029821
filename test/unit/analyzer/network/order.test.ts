import { describe, expect, test } from 'vitest';
import type { EventBatch } from '../../../../src/model/event-batch.ts';
import { Harness } from '../harness.ts';
import { RecordWriter } from '../records.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n';

/** The records of a batch, in another order. */
function reordered(batch: EventBatch, order: (count: number) => number[]): EventBatch {
  const records: EventBatch[] = [];
  for (let offset = 0; offset < batch.length; offset += batch.words[offset >>> 2]) {
    const length = batch.words[offset >>> 2];
    const buffer = batch.bytes.buffer.slice(offset, offset + length) as ArrayBuffer;
    records.push({
      bytes: new Uint8Array(buffer),
      words: new Uint32Array(buffer),
      halves: new Uint16Array(buffer),
      length,
    });
  }
  const writer = new RecordWriter();
  for (const place of order(records.length)) writer.append(records[place]);
  return writer.take();
}

function shuffle(seed: number, distance: number): (count: number) => number[] {
  return (count) => {
    let state = seed * 2_654_435_761;
    const keys = Array.from({ length: count }, (_, place) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return { place, key: place + ((state >>> 0) / 2 ** 32) * distance };
    });
    return keys.toSorted((a, b) => a.key - b.key).map(({ place }) => place);
  };
}

function write(harness: Harness, count: number): EventBatch {
  const socket = harness.socket().open(1);
  for (let i = 1; i <= count; i++) {
    socket
      .receive(100 * i, GET)
      .send(100 * i + 10, OK)
      .send(100 * i + 20, 'eightbyt');
    if (i % 3 === 0) socket.totals(100 * i + 30);
  }
  socket.close(1e6);
  return harness.writer.take();
}

describe('records out of order', () => {
  test.each(Array.from({ length: 30 }, (_, i) => i + 1))('seed %i: come out as if they had been in order', (seed) => {
    const harness = new Harness({ policy: { set: () => {} } });
    harness.analyzer.consume(reordered(write(harness, 10), shuffle(seed, 5)));
    harness.tick(2e6).tick(3e6).tick(4e6);
    expect(harness.seen).toHaveLength(10);
    for (const one of harness.seen) expect(one).toMatchObject({ complete: true, duration: 20, status: '200' });
    expect(harness.analyzer.statistics.lostRecords).toBe(0);
    expect(harness.lawGap).toBe(0);
  });

  test('the open record may come after the first message', () => {
    const harness = new Harness();
    const socket = harness.socket();
    const other = new RecordWriter();
    socket.open(1);
    other.append(harness.writer.take());
    socket.receive(100, GET).send(110, `${OK}eightbyt`);
    other.append(harness.writer.take());
    harness.analyzer.consume(reordered(other.take(), () => [1, 0, 2]));
    expect(harness.seen).toMatchObject([{ complete: true, duration: 10, source: '10.0.0.2:40000' }]);
  });

  test('what is missing is waited for until a tick has passed, and is a gap then', () => {
    const harness = new Harness({ policy: { set: () => {} } });
    const socket = harness.socket().open(1);
    socket.receive(100, GET).send(110, OK, { lost: true }).send(120, 'eightbyt');
    harness.deliver();
    expect(harness.seen).toHaveLength(0);
    expect(harness.analyzer.stage.read()).toMatchObject({ produced: 2, inFlight: 2 });
    harness.tick(200).tick(300);
    socket.receive(400, GET).send(410, `${OK}eightbyt`);
    harness.deliver();
    expect(harness.seen.map((one) => one.complete)).toEqual([false, true]);
    expect(harness.lawGap).toBe(0);
  });

  test('a record that comes after its place was given up is dropped and counted', () => {
    const harness = new Harness({ policy: { set: () => {} } });
    const socket = harness.socket().open(1);
    socket.receive(100, GET);
    harness.deliver();
    socket.send(110, OK);
    const late = harness.writer.take();
    socket.send(120, 'eightbyt');
    harness.tick(200).tick(300);
    harness.analyzer.consume(late);
    expect(harness.analyzer.stage.read().dropped).toMatchObject({ gap: 1 });
    expect(harness.lawGap).toBe(0);
  });

  test('the same record twice counts once', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(100, GET);
    const batch = harness.writer.take();
    harness.analyzer.consume(batch);
    harness.analyzer.consume(batch);
    socket.send(110, `${OK}eightbyt`);
    harness.deliver();
    expect(harness.seen).toHaveLength(1);
    expect(harness.lawGap).toBe(0);
  });

  test('what is held is bounded', () => {
    const harness = new Harness({ policy: { set: () => {} } });
    const socket = harness.socket().open(1);
    socket.receive(50, GET, { lost: true });
    socket.send(60, OK, { lost: true });
    for (let i = 1; i <= 300; i++) socket.receive(100 * i, GET).send(100 * i + 10, `${OK}eightbyt`);
    harness.deliver();
    expect(harness.seen.filter((one) => one.complete).length).toBeGreaterThan(200);
    harness.tick(1e6).tick(2e6);
    expect(harness.seen).toHaveLength(301);
    expect(harness.lawGap).toBe(0);
  });
});

describe('bad batches', () => {
  test.each([0, 1, 63, 66, 1 << 20])('a record of length %i ends the batch and is counted', (length) => {
    const harness = new Harness();
    harness.socket().open(1).receive(10, GET);
    const batch = harness.writer.take();
    batch.words[0] = length;
    harness.analyzer.consume(batch);
    expect(harness.analyzer.stage.read()).toMatchObject({ dropped: { bad_record: 1 } });
    expect(harness.lawGap).toBe(0);
  });

  test('a record of an unknown kind is passed over', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    harness.deliver();
    socket.receive(10, GET);
    const batch = harness.writer.take();
    batch.bytes[4] = 99;
    harness.analyzer.consume(batch);
    expect(harness.analyzer.stage.read()).toMatchObject({ dropped: { bad_record: 1 } });
    expect(harness.lawGap).toBe(0);
  });

  test('an index beyond the table is counted', () => {
    const harness = new Harness({ maxConnections: 4 });
    harness.socket({ index: 4 }).open(1).receive(10, GET).send(20, `${OK}eightbyt`);
    harness.deliver();
    expect(harness.seen).toHaveLength(0);
    expect(harness.analyzer.stage.read()).toMatchObject({ produced: 2, dropped: { table_full: 2 } });
    expect(harness.lawGap).toBe(0);
  });
});

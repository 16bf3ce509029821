import { describe, expect, test } from 'vitest';
import { CLOSE, POLICY } from '../../../../src/model/record.gen.ts';
import { Harness } from '../harness.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx';

const skippedOff = (harness: Harness): number | undefined => harness.analyzer.stage.read().skipped['off'];

describe('a protocol that is switched while connections speak it', () => {
  test('off: what is open ends incomplete without an error, the rest is generic; on: it is recognised again', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, GET).send(20, OK).receive(30, GET);
    harness.tick(35);
    harness.analyzer.enableProtocol('http', false);
    expect(harness.seen.map(({ protocol, complete, error }) => [protocol, complete, error])).toEqual([
      ['http', true, null],
      ['http', false, null],
    ]);
    socket.send(40, OK).receive(50, GET).send(60, OK).receive(70, GET).send(80, OK).receive(85, GET).send(87, OK);
    harness.deliver();
    harness.analyzer.enableProtocol('http', true);
    expect(new Set(harness.seen.slice(2).map(({ protocol }) => protocol))).toEqual(new Set(['generic']));
    const before = harness.seen.length;
    socket.receive(90, GET).send(100, OK).close(110);
    harness.flush(200);
    expect(harness.seen.slice(before).map(({ protocol, operation, status }) => [protocol, operation, status])).toEqual([
      ['http', 'GET', '200'],
    ]);
    expect(harness.lawGap).toBe(0);
    expect(harness.analyzer.statistics.lostTurns).toBe(0);
  });

  test('off: new connections are not recognised, and with generic off too their records are skipped by design', () => {
    const harness = new Harness();
    harness.analyzer.enableProtocol('http', false);
    harness.analyzer.enableProtocol('generic', false);
    harness.socket().open(1).receive(10, GET).send(20, OK).close(30);
    harness.flush(40);
    expect(harness.seen).toEqual([]);
    expect(skippedOff(harness)).toBe(2);
    expect(harness.lawGap).toBe(0);
  });

  test('a name that is no protocol changes nothing', () => {
    const harness = new Harness();
    harness.analyzer.enableProtocol('httpp', false);
    harness.socket().open(1).receive(10, GET).send(20, OK).close(30);
    harness.flush(40);
    expect(harness.seen[0]?.protocol).toBe('http');
  });
});

test('a connection that is ignored for a while is taken up again, and what passed meanwhile is not called lost', () => {
  const harness = new Harness();
  const socket = harness.socket().open(1);
  socket.receive(10, GET).send(20, OK).receive(30, GET);
  harness.tick(35);
  harness.analyzer.ignore(socket.index, socket.generation, true);
  expect(harness.seen.at(-1)).toMatchObject({ complete: false, error: null });
  // What was on its way.
  socket.send(36, OK).receive(37, GET);
  harness.deliver();
  expect(skippedOff(harness)).toBe(2);
  socket.policy = 'count';
  socket.send(40, OK).receive(50, GET).send(60, OK).receive(70, GET).send(80, OK).totals(1000);
  harness.deliver();
  socket.policy = 'stream';
  harness.analyzer.ignore(socket.index, socket.generation, false);
  expect(harness.seen).toHaveLength(2);
  socket.receive(2000, GET).send(2010, OK).close(3000);
  harness.flush(4000);
  expect(harness.seen).toHaveLength(3);
  expect(harness.seen.at(-1)).toMatchObject({
    operation: 'GET',
    status: '200',
    complete: true,
    requestBytes: GET.length,
  });
  expect(harness.analyzer.statistics).toMatchObject({ lostTurns: 0, lostRecords: 0 });
  expect(harness.lawGap).toBe(0);
});

test('what comes before the next request is passed over, but not for ever', () => {
  const harness = new Harness();
  const socket = harness.socket().open(1);
  socket.receive(10, GET).send(20, OK);
  harness.tick(25);
  harness.analyzer.ignore(socket.index, socket.generation, true);
  harness.analyzer.ignore(socket.index, socket.generation, false);
  socket.send(30, OK);
  for (let i = 0; i < 40; i++) {
    const time = 1e8 * (i + 1);
    socket.receive(time, '', { size: 50 }).send(time + 1, '', { size: 60 });
  }
  socket.close(5e9);
  harness.flush(6e9);
  const { skipped } = harness.analyzer.stage.read();
  expect(skipped['off']).toBeGreaterThan(30);
  expect(skipped['off']).toBeLessThan(45);
  expect(harness.seen.length).toBeGreaterThan(10);
  expect(harness.lawGap).toBe(0);
});

test('a connection that is ignored from its beginning yields nothing, and is not called failed at its end', () => {
  const policy = {
    set: () => undefined,
    life: () => harness.analyzer.ignore(0, 1, true),
  };
  const harness = new Harness({ policy });
  const socket = harness.socket().open(1);
  socket.receive(10, GET).send(20, OK).receive(30, GET).close(40);
  harness.flush(50);
  expect(harness.seen).toEqual([]);
  expect(skippedOff(harness)).toBe(3);
  expect(harness.lawGap).toBe(0);
});

test('an interruption that is meant for an older connection does nothing', () => {
  const harness = new Harness();
  const socket = harness.socket().open(1);
  socket.receive(10, GET);
  harness.deliver();
  harness.analyzer.ignore(socket.index, socket.generation + 1, true);
  harness.analyzer.ignore(63, 1, true);
  socket.send(20, OK).close(30);
  harness.flush(40);
  expect(harness.seen).toEqual([expect.objectContaining({ status: '200', complete: true })]);
});

test('capture that is switched off ends what is open as incomplete, not as failed', () => {
  const harness = new Harness();
  harness.socket().open(1).receive(10, GET).close(20, CLOSE.switchedOff);
  harness.deliver();
  expect(harness.seen).toEqual([expect.objectContaining({ complete: false, error: null, operation: 'GET' })]);
});

test('another timeout holds for what is recognised from then on', () => {
  const harness = new Harness();
  harness.analyzer.configureProtocol('http', { timeoutNs: 1e9 });
  harness.socket().open(1).receive(10, GET);
  harness.tick(100).tick(3e9);
  expect(harness.seen).toEqual([expect.objectContaining({ error: 'no_response' })]);
  expect(harness.policies.every(({ word }) => (word & POLICY.set) !== 0)).toBe(true);
});

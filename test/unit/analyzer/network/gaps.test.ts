import { describe, expect, test } from 'vitest';
import { CLOSE } from '../../../../src/model/record.gen.ts';
import { Harness } from '../harness.ts';
import type { Socket } from '../records.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n';

function randomFrom(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

interface Loss {
  readonly request?: boolean;
  readonly response?: boolean;
  readonly body?: boolean;
}

/** One exchange of three calls; times are spaced by 10. */
function exchange(socket: Socket, time: number, loss: Loss = {}): void {
  socket.receive(time, GET, { lost: loss.request === true });
  socket.send(time + 10, OK, { lost: loss.response === true });
  socket.send(time + 20, 'eightbyt', { lost: loss.body === true });
}

function newHarness(): Harness {
  return new Harness({ policy: { set: () => {} } });
}

describe('records that were lost', () => {
  test('a lost response leaves its exchange incomplete, and the next one whole', () => {
    const harness = newHarness();
    const socket = harness.socket().open(1);
    exchange(socket, 100);
    exchange(socket, 200, { response: true, body: true });
    exchange(socket, 300);
    harness.tick(400).tick(500);
    expect(harness.seen).toMatchObject([
      { complete: true, status: '200', duration: 20 },
      { complete: false, status: null, operation: 'GET', duration: null },
      { complete: true, status: '200', duration: 20 },
    ]);
    expect(harness.lawGap).toBe(0);
  });

  test('a lost request still counts, with the status of its response', () => {
    const harness = newHarness();
    const socket = harness.socket().open(1);
    exchange(socket, 100);
    exchange(socket, 200, { request: true });
    exchange(socket, 300);
    harness.tick(400).tick(500);
    expect(harness.seen).toMatchObject([
      { complete: true },
      { complete: false, operation: null, status: '200', duration: null },
      { complete: true },
    ]);
  });

  test('whole exchanges are counted by the number of turns', () => {
    const harness = newHarness();
    const socket = harness.socket().open(1);
    exchange(socket, 100);
    for (let i = 0; i < 7; i++) exchange(socket, 200 + i * 100, { request: true, response: true, body: true });
    exchange(socket, 1000);
    harness.tick(2000).tick(3000);
    expect(harness.seen).toHaveLength(9);
    expect(harness.seen.filter((one) => one.complete)).toHaveLength(2);
    const bytes = harness.seen.reduce((sum, one) => sum + one.responseBytes, 0);
    expect(bytes).toBe(9 * (OK.length + 8));
    expect(harness.seen.reduce((sum, one) => sum + one.requestBytes, 0)).toBe(9 * GET.length);
    expect(harness.analyzer.statistics.lostRecords).toBe(21);
  });

  test('a body lost within its message is covered by its length', () => {
    const harness = newHarness();
    const socket = harness.socket().open(1);
    exchange(socket, 100, { body: true });
    exchange(socket, 200);
    harness.tick(300).tick(400);
    expect(harness.seen).toMatchObject([
      { complete: true, status: '200', responseBytes: OK.length + 8, duration: 20 },
      { complete: true },
    ]);
  });

  test('a lost head of a response leaves the status unknown', () => {
    const harness = newHarness();
    const socket = harness.socket().open(1);
    exchange(socket, 100, { response: true });
    exchange(socket, 200);
    harness.tick(300).tick(400);
    expect(harness.seen).toMatchObject([
      { complete: false, status: null, operation: 'GET', responseBytes: OK.length + 8, duration: 20 },
      { complete: true },
    ]);
  });

  test('the close record tells what was lost at the end', () => {
    const harness = newHarness();
    const socket = harness.socket().open(1);
    exchange(socket, 100);
    exchange(socket, 200, { request: true, response: true, body: true });
    exchange(socket, 300, { request: true, response: true, body: true });
    socket.close(400);
    harness.tick(500).tick(600);
    expect(harness.seen.map((one) => one.complete)).toEqual([true, false, false]);
  });

  test('a sweep tells it too, and the connection goes on', () => {
    const harness = newHarness();
    const socket = harness.socket().open(1);
    exchange(socket, 100);
    exchange(socket, 200, { request: true, response: true, body: true });
    socket.totals(300);
    harness.tick(400).tick(500);
    expect(harness.seen.map((one) => one.complete)).toEqual([true, false]);
    exchange(socket, 600);
    harness.deliver();
    expect(harness.seen.map((one) => one.complete)).toEqual([true, false, true]);
  });

  test('a connection of which only its life is known counts as what its port spoke before', () => {
    const harness = newHarness();
    const known = harness.socket({ index: 1 }).open(1);
    exchange(known, 100);
    const lost = harness.socket({ index: 2 }).open(1);
    exchange(lost, 200, { request: true, response: true, body: true });
    lost.close(300);
    harness.tick(400).tick(500);
    expect(harness.seen).toMatchObject([
      { protocol: 'http', complete: true },
      { protocol: 'http', complete: false, requestBytes: GET.length, responseBytes: OK.length + 8 },
    ]);
  });

  test('an open record that was late tells what was lost before it', () => {
    const harness = newHarness();
    const socket = harness.socket();
    exchange(socket, 100, { request: true, response: true, body: true });
    socket.open(150);
    exchange(socket, 200);
    harness.tick(300).tick(400);
    expect(harness.seen.map((one) => one.complete)).toEqual([false, true]);
  });

  test('a connection without its open record is read all the same', () => {
    const harness = newHarness();
    const socket = harness.socket();
    exchange(socket, 100);
    harness.tick(200).tick(300);
    expect(harness.seen).toMatchObject([{ status: '200', role: 'server', source: '', destination: '' }]);
    expect(harness.lawGap).toBe(0);
  });
});

describe('joined in the middle', () => {
  test('a response that nobody was seen to ask for is no exchange', () => {
    const harness = newHarness();
    const socket = harness.socket({ joined: true }).open(1);
    socket.send(100, OK);
    socket.send(110, 'eightbyt');
    exchange(socket, 200);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ complete: true, status: '200', time: 200 }]);
    expect(harness.analyzer.stage.read()).toMatchObject({ dropped: { gap: 0 }, skipped: { unrequested: 2 } });
    expect(harness.lawGap).toBe(0);
  });

  test('within a request body, the protocol is found with the next request', () => {
    const harness = newHarness();
    const socket = harness.socket({ joined: true }).open(1);
    socket.receive(100, 'the rest of a form\n');
    socket.send(110, `${OK}eightbyt`);
    exchange(socket, 200);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      {
        protocol: 'http',
        operation: null,
        error: null,
        complete: false,
        duration: null,
        attributes: { 'sonde.joined': true },
      },
      { protocol: 'http', operation: 'GET', status: '200', time: 200, complete: true },
    ]);
    expect(harness.seen[1]?.attributes).not.toHaveProperty('sonde.joined');
    expect(harness.lawGap).toBe(0);
  });

  test('a request that is whole is complete, and marked if it is the first that was seen', () => {
    const harness = newHarness();
    const socket = harness.socket({ joined: true }).open(1);
    exchange(socket, 100);
    exchange(socket, 200);
    harness.deliver();
    expect(harness.seen.map(({ complete, attributes }) => [complete, attributes['sonde.joined']])).toEqual([
      [true, true],
      [true, undefined],
    ]);
  });

  test('what nothing is known of may have begun before: its first exchange is incomplete and has no duration', () => {
    const harness = newHarness();
    const socket = harness.socket({ joined: true }).open(1);
    for (let i = 1; i <= 3; i++) socket.receive(100 * i, '\x01\x02').send(100 * i + 10, '\x03');
    socket.close(1000);
    const other = harness.socket({ index: 1, joined: true }).open(1);
    other.send(100, '\x03');
    for (let i = 2; i <= 3; i++) other.receive(100 * i, '\x01\x02').send(100 * i + 10, '\x03');
    other.close(1000);
    harness.flush(2000);
    const brief = harness.seen.map(({ time, complete, duration, attributes }) => ({
      time,
      complete,
      duration,
      attributes,
    }));
    expect(brief).toEqual([
      { time: 100, complete: false, duration: null, attributes: { 'sonde.joined': true } },
      { time: 200, complete: true, duration: 10, attributes: {} },
      { time: 300, complete: true, duration: 10, attributes: {} },
      // The first message was an answer: what follows is seen from its beginning.
      { time: 200, complete: true, duration: 10, attributes: {} },
      { time: 300, complete: true, duration: 10, attributes: {} },
    ]);
    expect(harness.lawGap).toBe(0);
  });

  test('a connection that another process takes over in the middle of a message is marked', () => {
    const harness = newHarness();
    const socket = harness.socket({ joined: true });
    socket.receive(90, 'GET /a HTTP/1.1\r\n', { lost: true });
    socket.number = 0;
    socket.open(95).receive(100, 'Host: h\r\n\r\n').send(110, `${OK}eightbyt`);
    exchange(socket, 200);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { complete: false, error: null, attributes: { 'sonde.joined': true } },
      { complete: true, operation: 'GET' },
    ]);
    expect(harness.lawGap).toBe(0);
  });
});

describe.each(['stream', 'headers'] as const)('at random, in policy %s', (policy) => {
  test.each(Array.from({ length: 40 }, (_, i) => i + 1))('seed %i: complete and incomplete make up all', (seed) => {
    const random = randomFrom(seed);
    const harness = new Harness(policy === 'stream' ? { policy: { set: () => {} } } : {});
    const socket = harness.socket().open(1);
    const count = 30;
    const rate = random() * 0.8;
    for (let i = 0; i < count; i++) {
      exchange(socket, 1000 * (i + 1), {
        request: random() < rate,
        response: random() < rate,
        body: random() < rate,
      });
      if (random() < 0.2) socket.totals(1000 * (i + 1) + 500);
      if (random() < 0.3) harness.tick(1000 * (i + 1) + 600);
    }
    socket.close(1e6, CLOSE.local);
    harness.tick(2e6).tick(3e6);
    expect(harness.seen).toHaveLength(count);
    expect(harness.seen.reduce((sum, one) => sum + one.requestBytes, 0)).toBe(count * GET.length);
    expect(harness.seen.reduce((sum, one) => sum + one.responseBytes, 0)).toBe(count * (OK.length + 8));
    expect(harness.seen.every((one) => one.protocol === 'http')).toBe(true);
    for (const one of harness.seen) {
      if (one.complete) expect(one).toMatchObject({ operation: 'GET', status: '200', duration: 20, error: null });
    }
    expect(harness.lawGap).toBe(0);
    expect(harness.analyzer.stage.read().inFlight).toBe(0);
  });
});

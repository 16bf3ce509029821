import { describe, expect, test } from 'vitest';
import { CLOSE } from '../../../../src/model/record.gen.ts';
import { Harness } from '../harness.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const SECOND = 1e9;

describe('an exchange that gets no answer', () => {
  test.each([
    ['local', CLOSE.local, 'closed'],
    ['remote', CLOSE.remote, 'closed'],
    ['reset here', CLOSE.resetLocal, 'reset'],
    ['reset there', CLOSE.resetRemote, 'reset'],
    ['timed out', CLOSE.timeout, 'no_response'],
  ])('ends with its connection, %s, with the time it waited', (_, reason, error) => {
    const harness = new Harness();
    harness.socket().open(1).receive(1000, GET).close(51_000, reason);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { error, status: null, duration: 50_000, ttfb: null, contentDownload: null, complete: true, operation: 'GET' },
    ]);
    expect(harness.lawGap).toBe(0);
  });

  test('ends after the protocol’s timeout, on the tick’s time', () => {
    const harness = new Harness({ protocols: { http: { timeoutNs: 5 * SECOND } } });
    const socket = harness.socket().open(1).receive(SECOND, GET);
    harness.tick(5 * SECOND);
    expect(harness.seen).toHaveLength(0);
    harness.tick(7 * SECOND);
    expect(harness.seen).toMatchObject([{ error: 'no_response', duration: 5 * SECOND, status: null }]);
    // What comes too late belongs to it, and to no other.
    socket
      .send(8 * SECOND, OK)
      .receive(9 * SECOND, GET)
      .send(10 * SECOND, OK);
    harness.deliver();
    expect(harness.seen).toHaveLength(2);
    expect(harness.seen[1]).toMatchObject({ error: null, duration: SECOND });
    expect(harness.analyzer.stage.read().skipped).toMatchObject({ late: 1 });
    expect(harness.lawGap).toBe(0);
  });

  test('does not time out while its request is under way, nor while its response is', () => {
    const harness = new Harness({ protocols: { http: { timeoutNs: 5 * SECOND } } });
    const socket = harness.socket().open(1);
    socket.receive(SECOND, 'POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\n');
    for (let i = 1; i <= 10; i++) {
      socket.receive((1 + 3 * i) * SECOND, 'x');
      harness.tick((2 + 3 * i) * SECOND);
    }
    socket.send(32 * SECOND, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    harness.tick(60 * SECOND);
    expect(harness.seen).toHaveLength(0);
    socket.send(61 * SECOND, 'k');
    harness.deliver();
    expect(harness.seen).toMatchObject([{ error: null, status: '200', duration: 60 * SECOND }]);
  });

  test('half a request at the close is closed and not complete', () => {
    const harness = new Harness();
    harness.socket({ index: 0 }).open(1).receive(10, 'POST /a HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc').close(60);
    harness.socket({ index: 1 }).open(1).receive(10, 'GET /half HTTP/1.1\r\nHo').close(60);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { error: 'closed', complete: false, operation: 'POST', resource: '/a' },
      { error: 'closed', complete: false },
    ]);
  });

  test('half a response at the close keeps its status', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1).receive(10, GET);
    socket.send(20, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this').close(60, CLOSE.resetRemote);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { error: 'reset', status: '200', complete: false, duration: 50, ttfb: 10, contentDownload: null },
    ]);
  });

  test('a reset after a whole response is no error', () => {
    const harness = new Harness();
    harness.socket().open(1).receive(10, GET).send(20, OK).close(60, CLOSE.resetRemote);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ error: null, status: '200', complete: true }]);
  });

  test('a reset cuts a body that ends with the connection', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1).receive(10, GET);
    socket.send(20, 'HTTP/1.1 200 OK\r\n\r\nabc').close(60, CLOSE.resetRemote);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ error: 'reset', status: '200', complete: false }]);
  });
});

describe('a half-closed connection', () => {
  test('may answer long after the client has finished', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1).receive(10, GET);
    socket.send(500, OK.slice(0, 20)).send(900, OK.slice(20)).close(1000, CLOSE.remote);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ error: null, status: '200', duration: 890, complete: true }]);
  });
});

describe('a connect that fails', () => {
  test('is an exchange with the time it took', () => {
    const harness = new Harness();
    const socket = harness.socket({
      role: 'client',
      connectNs: 3000,
      local: { address: [10, 0, 0, 1], port: 40_000 },
      remote: { address: [10, 0, 0, 2], port: 8080 },
      comm: 'curl',
    });
    socket.open(5000).close(5000, CLOSE.connectFailed);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      {
        error: 'connect_failed',
        protocol: 'http',
        role: 'client',
        time: 2000,
        duration: 3000,
        operation: null,
        connect: null,
        destination: '10.0.0.2:8080',
        comm: 'curl',
        attributes: {},
      },
    ]);
  });
});

describe('connect and queue times', () => {
  test('the first exchange of a client carries the connect time', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'client', connectNs: 777 }).open(1);
    socket.send(10, GET).receive(20, OK).send(30, GET).receive(40, OK);
    harness.deliver();
    expect(harness.seen.map((one) => one.connect)).toEqual([777, null]);
  });

  test('a second open record does not bring it again', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'client', connectNs: 777 }).open(1);
    socket.send(10, GET).receive(20, OK).open(25).send(30, GET).receive(40, OK);
    harness.deliver();
    expect(harness.seen.map((one) => one.connect)).toEqual([777, null]);
  });

  test('a server’s connection has none', () => {
    const harness = new Harness();
    harness.socket({ role: 'server', connectNs: 777 }).open(1).receive(10, GET).send(20, OK);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ connect: null }]);
  });

  test('queue times come in ticks of the kernel or in microseconds', () => {
    const harness = new Harness();
    harness.analyzer.setTickNs(1e6);
    const socket = harness.socket().open(1);
    socket.receive(10, GET, { queueTicks: 3 }).send(20, OK, { queueTicks: 9 });
    socket.receive(30, GET, { queueUs: 150 }).send(40, OK).receive(50, GET).send(60, OK);
    harness.deliver();
    expect(harness.seen.map((one) => one.queue)).toEqual([3e6, 150_000, null]);
  });

  test('a client’s receives have no queue time of a request', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'client' }).open(1);
    socket.send(10, GET).receive(20, OK, { queueTicks: 3 });
    harness.deliver();
    expect(harness.seen).toMatchObject([{ queue: null }]);
  });
});

describe('an index that is used again', () => {
  test('belongs to another connection, whether or not the close was seen', () => {
    const harness = new Harness();
    harness.socket({ generation: 1, cookie: 11 }).open(1).receive(10, GET);
    harness.socket({ generation: 2, cookie: 22 }).open(20).receive(30, 'GET /b HTTP/1.1\r\n\r\n').send(40, OK);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { connection: '11', resource: '/a', error: null, complete: false },
      { connection: '22', resource: '/b', status: '200', complete: true },
    ]);
    expect(harness.analyzer.statistics.connectionsLost).toBe(1);
    expect(harness.lawGap).toBe(0);
  });

  test('a record of the old generation that comes late is dropped', () => {
    const harness = new Harness();
    const old = harness.socket({ generation: 1 }).open(1).receive(10, GET);
    harness.deliver();
    old.send(15, OK);
    const late = harness.writer.take();
    harness.socket({ generation: 2 }).open(20).receive(30, GET);
    harness.deliver();
    harness.analyzer.consume(late);
    expect(harness.analyzer.stage.read().dropped).toMatchObject({ gap: 1 });
    expect(harness.lawGap).toBe(0);
  });

  test.each([0x4000, 0x8000, 0xc000, 0xfffe])('an open record %i generations on begins a connection', (distance) => {
    const harness = new Harness();
    harness.socket({ generation: 7, cookie: 11 }).open(1).receive(10, GET);
    const generation = (7 + distance) & 0xffff;
    harness.socket({ generation, cookie: 22 }).open(20).receive(30, GET).send(40, OK);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { connection: '11', error: null },
      { connection: '22', status: '200', complete: true },
    ]);
    expect(harness.lawGap).toBe(0);
  });

  test('generations wrap around', () => {
    const harness = new Harness();
    for (const generation of [65_534, 65_535, 0, 1]) {
      harness.socket({ generation }).open(1).receive(10, GET).send(20, OK).close(30);
    }
    harness.deliver();
    expect(harness.seen).toHaveLength(4);
  });

  test('nothing of the old connection stays', () => {
    const harness = new Harness();
    harness.socket({ generation: 1, pid: 1, comm: 'one' }).open(1).receive(10, GET).send(20, OK).close(30);
    const client = { role: 'client', pid: 2, comm: 'two', connectNs: 5 } as const;
    harness
      .socket({ generation: 2, ...client })
      .open(40)
      .send(50, GET)
      .receive(60, OK)
      .close(70);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { role: 'server', pid: 1, comm: 'one', connect: null },
      { role: 'client', pid: 2, comm: 'two', connect: 5 },
    ]);
  });
});

describe('the owner of a connection', () => {
  test('is who called, by name when the kernel tells it', () => {
    const harness = new Harness();
    const socket = harness.socket({ pid: 7, comm: 'master' }).open(1).receive(10, GET).send(20, OK);
    socket.owner(25, 9, 'worker').receive(30, GET, { pid: 9 }).send(40, OK, { pid: 9 });
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { pid: 7, comm: 'master' },
      { pid: 9, comm: 'worker' },
    ]);
  });
});

describe('a flush', () => {
  test('ends what is open, incomplete, without an error, and leaves nothing in flight', () => {
    const harness = new Harness();
    harness.socket({ index: 0 }).open(1).receive(10, GET);
    harness.socket({ index: 1 }).open(1).receive(10, 'GE');
    harness.socket({ index: 2 }).open(1).receive(10, GET, { lost: true }).send(20, OK);
    harness.socket({ index: 3 }).receive(10, GET);
    harness.deliver();
    expect(harness.analyzer.stage.read().inFlight).toBe(4);
    harness.flush(500);
    expect(harness.analyzer.stage.read()).toMatchObject({ produced: 4, inFlight: 0 });
    expect(harness.lawGap).toBe(0);
    expect(harness.seen.every((one) => one.error === null && !one.complete)).toBe(true);
    expect(harness.seen).toContainEqual(expect.objectContaining({ resource: '/a', status: null, duration: 490 }));
    expect(harness.labels.size).toBe(0);
  });
});

describe('origin', () => {
  test('times count from it, exactly, however long the machine is up', () => {
    const origin = 2n ** 60n;
    const harness = new Harness({ origin });
    const socket = harness.socket();
    const at = (ns: number): number => Number(origin) + ns * 4096;
    socket.open(at(1)).receive(at(10), GET).send(at(30), OK);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ time: 40_960, duration: 81_920 }]);
  });
});

import { describe, expect, test } from 'vitest';
import { CLOSE, POLICY } from '../../../../../../src/model/record.gen.ts';
import { Harness } from '../../../harness.ts';
import { writeDatagram } from '../../../records.ts';

const SECOND = 1e9;

describe('a protocol that nobody knows', () => {
  test('is paired by its turns, with times and bytes', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(100, '\x01ask').receive(110, 'more', { queueTicks: 1 }).send(150, '\x02an').send(160, 'swer');
    socket.receive(200, '\x01ask').send(220, '\x02answer').close(300);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      {
        protocol: 'generic',
        role: 'server',
        operation: null,
        resource: null,
        status: null,
        error: null,
        duration: 60,
        ttfb: 50,
        requestSent: 10,
        contentDownload: 10,
        requestBytes: 8,
        responseBytes: 7,
        complete: true,
        attributes: {},
      },
      { duration: 20, requestBytes: 4, responseBytes: 7 },
    ]);
    expect(harness.lawGap).toBe(0);
  });

  test('needs no payload after its first exchange', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    for (let i = 0; i < 4; i++) {
      socket.receive(100 * i + 10, '\x01ask').receive(100 * i + 15, 'more');
      socket.send(100 * i + 50, '\x02an').send(100 * i + 60, 'swer');
      harness.deliver();
    }
    socket.close(1000);
    harness.deliver();
    expect(harness.policies).toHaveLength(1);
    expect(harness.policies[0].word).toBe(POLICY.headers | POLICY.set);
    expect(harness.seen).toHaveLength(4);
    for (const one of harness.seen) expect(one).toMatchObject({ duration: 50, requestBytes: 8, responseBytes: 7 });
  });

  test('ends an exchange when the answer has been over for a while', () => {
    const harness = new Harness();
    harness
      .socket()
      .open(1)
      .receive(SECOND, '\x01')
      .send(2 * SECOND, '\x02');
    harness.tick(3 * SECOND);
    expect(harness.seen).toHaveLength(0);
    harness.tick(6 * SECOND);
    expect(harness.seen).toMatchObject([{ duration: SECOND, error: null }]);
  });

  test('a greeting of the server is no exchange, nor is a push', () => {
    const harness = new Harness({ policy: { set: () => {} } });
    const socket = harness.socket().open(1);
    socket.send(10, '220 mail ready\r\n').receive(20, 'EHLO x\r\n').send(30, '250 ok\r\n');
    harness.tick(10 * SECOND);
    socket.send(11 * SECOND, '421 bye\r\n').close(12 * SECOND);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ duration: 10, requestBytes: 8, responseBytes: 8 }]);
    expect(harness.analyzer.stage.read().skipped).toMatchObject({ unrequested: 2 });
    expect(harness.lawGap).toBe(0);
  });

  test('an unanswered message ends like any request', () => {
    const harness = new Harness();
    harness.socket({ index: 0 }).open(1).receive(10, '\x01').close(60, CLOSE.resetRemote);
    harness.socket({ index: 1 }).open(1).receive(10, '\x01');
    harness.deliver();
    harness.tick(100 * SECOND);
    expect(harness.seen).toMatchObject([
      { error: 'reset', duration: 50 },
      { error: 'no_response', duration: 60 * SECOND },
    ]);
  });

  test('lost turns are counted', () => {
    const harness = new Harness({ policy: { set: () => {} } });
    const socket = harness.socket().open(1);
    for (let i = 0; i < 6; i++) {
      const lost = i > 0 && i < 5;
      socket.receive(100 * i + 10, '\x01ask', { lost }).send(100 * i + 20, '\x02answer', { lost });
    }
    socket.close(1000);
    harness.tick(2000).tick(3000);
    expect(harness.seen.map((one) => one.complete)).toEqual([false, false, false, false, false, true]);
    expect(harness.seen.reduce((sum, one) => sum + one.requestBytes, 0)).toBe(24);
  });

  test('HTTP is not taken for it, nor it for HTTP', () => {
    const first = [
      'GET / HTTP/2.0\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'OPTIONS rtsp://a RTSP/1.0\r\n\r\n',
      'GET key\r\n',
      '\x16\x03\x01',
    ];
    for (const bytes of first) {
      const harness = new Harness();
      harness.socket().open(1).receive(10, bytes).send(20, 'x').close(30);
      harness.deliver();
      expect(harness.seen).toMatchObject([{ protocol: 'generic' }]);
    }
  });
});

describe('a role that is not known', () => {
  const GET = 'GET /a HTTP/1.1\r\n\r\n';
  const OK = 'HTTP/1.1 204 No\r\n\r\n';
  const near = { address: [10, 0, 0, 1], port: 5000 };
  const far = { address: [10, 0, 0, 2], port: 9000 };

  test.each([
    ['a request that is received', 'receive', 'server', '10.0.0.2:9000', '10.0.0.1:5000'],
    ['a request that is sent', 'send', 'client', '10.0.0.1:5000', '10.0.0.2:9000'],
  ] as const)('follows from %s', (_, direction, role, source, destination) => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'unknown', local: near, remote: far }).open(1);
    if (direction === 'receive') socket.receive(10, GET).send(20, OK);
    else socket.send(10, GET).receive(20, OK);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ protocol: 'http', role, source, destination, status: '204' }]);
  });

  test('follows from a response too, when the connection was joined in the middle', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'unknown', local: near, remote: far, joined: true }).open(1);
    socket.receive(10, OK).send(20, GET).receive(30, OK);
    harness.deliver();
    expect(harness.seen).toMatchObject([{ role: 'client', status: '204', time: 20 }]);
  });

  test('else the lower port is the server’s', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'unknown', local: near, remote: far }).open(1);
    for (let i = 0; i < 3; i++) socket.receive(100 * i + 10, '\x01').send(100 * i + 20, '\x02');
    const other = harness.socket({ index: 1, role: 'unknown', local: far, remote: near }).open(1);
    for (let i = 0; i < 3; i++) other.send(100 * i + 10, '\x01').receive(100 * i + 20, '\x02');
    socket.close(1000);
    other.close(1000);
    harness.deliver();
    expect(harness.seen.filter((one) => one.role === 'server')).toHaveLength(3);
    expect(harness.seen.filter((one) => one.role === 'client')).toHaveLength(3);
    expect(harness.lawGap).toBe(0);
  });
});

describe('UDP', () => {
  test('pairs by peer', () => {
    const harness = new Harness();
    const { writer } = harness;
    writeDatagram(writer, { direction: 'send', time: 10, data: 'ask', remote: [10, 0, 0, 53] });
    writeDatagram(writer, { direction: 'send', time: 12, data: 'ask', remote: [10, 0, 0, 54] });
    writeDatagram(writer, { direction: 'receive', time: 20, data: 'answer', remote: [10, 0, 0, 54] });
    writeDatagram(writer, { direction: 'receive', time: 30, data: 'answer!', remote: [10, 0, 0, 53] });
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { role: 'client', destination: '10.0.0.54:53', source: '10.0.0.1:40000', duration: 8, responseBytes: 6 },
      { role: 'client', destination: '10.0.0.53:53', duration: 20, responseBytes: 7, pid: 55 },
    ]);
    expect(harness.lawGap).toBe(0);
  });

  test('takes the peer from the answer where the receive cannot tell it', () => {
    const harness = new Harness();
    const { writer } = harness;
    writeDatagram(writer, { direction: 'receive', time: 10, data: 'ask', localPort: 53, remotePort: 0 });
    writeDatagram(writer, {
      direction: 'send',
      time: 15,
      data: 'answer',
      localPort: 53,
      remotePort: 4321,
      remote: [10, 9, 9, 9],
    });
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { role: 'server', source: '10.9.9.9:4321', destination: '10.0.0.1:53', duration: 5 },
    ]);
  });

  test('what gets no answer is no_response, bounded in number and time', () => {
    const harness = new Harness();
    for (let i = 0; i < 100; i++) writeDatagram(harness.writer, { direction: 'send', time: SECOND + i, data: 'x' });
    harness.deliver();
    expect(harness.seen).toHaveLength(36);
    harness.tick(2 * SECOND).tick(60 * SECOND);
    expect(harness.seen).toHaveLength(100);
    expect(harness.seen.every((one) => one.error === 'no_response')).toBe(true);
    expect(harness.lawGap).toBe(0);
  });

  test('an unasked datagram is no exchange', () => {
    const harness = new Harness();
    writeDatagram(harness.writer, { direction: 'receive', time: 10, data: 'x', localPort: 40_000, remotePort: 53 });
    harness.deliver();
    expect(harness.seen).toHaveLength(0);
    expect(harness.analyzer.stage.read().skipped).toMatchObject({ unrequested: 1 });
  });

  test('sockets beyond the bound are counted', () => {
    const harness = new Harness({ maxConnections: 2 });
    for (let cookie = 1; cookie <= 5; cookie++) {
      writeDatagram(harness.writer, { cookie, direction: 'send', time: cookie, data: 'x' });
    }
    harness.deliver();
    expect(harness.analyzer.stage.read()).toMatchObject({ produced: 5, inFlight: 2, dropped: { table_full: 3 } });
    harness.flush(100);
    expect(harness.lawGap).toBe(0);
  });
});

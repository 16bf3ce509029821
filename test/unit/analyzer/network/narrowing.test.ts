import { describe, expect, test } from 'vitest';
import { POLICY } from '../../../../src/model/record.gen.ts';
import { Harness } from '../harness.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function classes(word: number): { policy: number; receive: number; send: number } {
  return {
    policy: word & POLICY.mask,
    receive: (word >>> POLICY.receiveClassShift) & 0xf,
    send: (word >>> POLICY.sendClassShift) & 0xf,
  };
}

describe('narrowing', () => {
  test.each([
    ['server', { policy: POLICY.headers, receive: 4, send: 3 }],
    ['client', { policy: POLICY.headers, receive: 3, send: 4 }],
  ] as const)('a %s’s connection keeps the first bytes of messages after one whole exchange', (role, expected) => {
    const harness = new Harness();
    const socket = harness.socket({ role }).open(1);
    if (role === 'server') socket.receive(10, GET).send(20, ok('x'));
    else socket.send(10, GET).receive(20, ok('x'));
    harness.deliver();
    expect(harness.policies).toHaveLength(1);
    expect(classes(harness.policies[0].word)).toEqual(expected);
    expect(harness.policies[0].word & POLICY.set).toBe(POLICY.set);
  });

  test('sizes and times stay exact when only the first call of a message is seen', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, GET).send(20, ok('x'));
    harness.deliver();
    const body = 'y'.repeat(100_000);
    for (let i = 1; i <= 3; i++) {
      const time = i * 1000;
      socket.receive(time, 'POST /up HTTP/1.1\r\nContent-Length: 3000\r\n\r\n').receive(time + 1, 'z'.repeat(3000));
      socket.send(time + 20, ok(body).slice(0, 50_000)).send(time + 25, ok(body).slice(50_000));
      harness.deliver();
    }
    // The last byte of the last response is known when a sweep says so.
    expect(harness.seen).toHaveLength(3);
    socket.totals(9000);
    harness.deliver();
    expect(harness.seen).toHaveLength(4);
    for (const one of harness.seen.slice(1)) {
      expect(one).toMatchObject({
        operation: 'POST',
        resource: '/up',
        status: '200',
        complete: true,
        duration: 25,
        ttfb: 20,
        contentDownload: 5,
        requestSent: 1,
        responseBytes: ok(body).length,
        requestBytes: 43 + 3000,
      });
    }
    expect(harness.lawGap).toBe(0);
  });

  test('a response that is whole in its first call ends at once, larger than what is captured or not', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    for (let i = 1; i <= 4; i++) {
      socket.receive(i * 100, GET).send(i * 100 + 10, ok('y'.repeat(1000 * i)));
      harness.deliver();
      expect(harness.seen).toHaveLength(i);
      expect(harness.seen[i - 1]).toMatchObject({ duration: 10, complete: true, status: '200' });
    }
    expect(socket.policy).toBe('headers');
  });

  test('chunked responses keep their connection in stream', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    socket.receive(10, GET).send(20, chunked).receive(30, GET).send(40, chunked);
    harness.deliver();
    expect(harness.seen).toHaveLength(2);
    expect(harness.policies).toEqual([]);
  });

  test('a chunked response on a narrowed connection widens it again, and is measured by its turn', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, GET).send(20, ok('x'));
    harness.deliver();
    socket.receive(100, GET);
    socket.send(110, `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n${'a'.repeat(1000)}\r\n`);
    socket.send(120, '5\r\nhello\r\n');
    socket.send(130, '0\r\n\r\n');
    harness.deliver();
    expect(socket.policy).toBe('stream');
    socket.receive(200, GET).send(210, ok('x'));
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { complete: true },
      { complete: true, duration: 30, responseBytes: 47 + 1007 + 10 + 5 },
      { complete: true, duration: 10 },
    ]);
  });

  test('a connection that goes back and forth stays wide in the end', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
    for (let i = 0; i < 10; i++) {
      socket.receive(100 * i + 10, GET).send(100 * i + 20, ok('x'));
      harness.deliver();
      socket.receive(100 * i + 30, GET).send(100 * i + 40, chunked);
      harness.deliver();
    }
    expect(harness.seen).toHaveLength(20);
    expect(harness.policies.length).toBeLessThan(8);
    expect(socket.policy).toBe('stream');
  });

  test('a pipelining connection is never narrowed', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    for (let i = 0; i < 3; i++) {
      socket.receive(10 + 100 * i, GET.repeat(4)).send(20 + 100 * i, ok('x').repeat(4));
      harness.deliver();
    }
    expect(harness.seen).toHaveLength(12);
    expect(harness.policies).toEqual([]);
  });

  test('one that begins to pipeline when it is narrow is widened for good', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, GET).send(20, ok('x'));
    harness.deliver();
    socket.receive(100, GET.repeat(8)).send(110, ok('x').repeat(8));
    harness.deliver();
    expect(socket.policy).toBe('stream');
    for (let i = 0; i < 3; i++) {
      socket.receive(1000 + 100 * i, GET.repeat(8)).send(1010 + 100 * i, ok('x').repeat(8));
      harness.deliver();
    }
    expect(harness.seen.filter((one) => one.time >= 1000)).toHaveLength(24);
    expect(harness.seen.filter((one) => one.time >= 1000).every((one) => one.complete)).toBe(true);
    expect(socket.policy).toBe('stream');
  });

  test('heads that are longer than what is captured widen the capture', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    const long = `GET /a HTTP/1.1\r\nHost: h\r\nCookie: ${'c'.repeat(900)}\r\n\r\n`;
    socket.receive(10, long).send(20, ok('x'));
    harness.deliver();
    socket.receive(100, long).send(110, ok('x'));
    harness.deliver();
    expect(socket.receiveClass).toBe(5);
    socket.receive(200, long).send(210, ok('x'));
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { complete: true },
      { complete: true, resource: '/a', requestBytes: long.length, duration: 10 },
      { complete: true, duration: 10 },
    ]);
  });

  test('a head that comes in two calls is needed whole', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, GET).send(20, ok('x'));
    harness.deliver();
    socket.receive(100, GET.slice(0, 20)).receive(105, GET.slice(20)).send(110, ok('x'));
    harness.deliver();
    expect(socket.policy).toBe('stream');
    socket.receive(200, GET.slice(0, 9)).receive(205, GET.slice(9)).send(210, ok('x'));
    harness.deliver();
    expect(harness.seen.at(-1)).toMatchObject({ resource: '/a', complete: true, duration: 10, requestSent: 5 });
  });

  test('records that were on their way when the policy changed are read as they are', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    for (let i = 0; i < 5; i++) {
      socket.receive(100 * i + 10, GET);
      socket.send(100 * i + 20, ok('abcdef').slice(0, -3)).send(100 * i + 25, 'def');
    }
    harness.deliver();
    expect(harness.seen).toHaveLength(5);
    expect(harness.seen.every((one) => one.complete && one.duration === 15)).toBe(true);
  });

  test('bytes that cannot be read leave what they would have said unknown', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'client', remote: { address: [10, 0, 0, 9], port: 80 } }).open(1);
    for (let i = 0; i < 3; i++) {
      socket.send(100 * i + 10, GET, { unreadable: true }).receive(100 * i + 30, ok('x'), { unreadable: true });
    }
    socket.close(1000);
    harness.deliver();
    expect(harness.seen).toHaveLength(3);
    for (const one of harness.seen) {
      expect(one).toMatchObject({
        protocol: 'http',
        operation: null,
        status: null,
        complete: false,
        duration: 20,
        requestBytes: GET.length,
        responseBytes: ok('x').length,
      });
    }
  });

  test('a body by sendfile is covered by its length', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    for (let i = 0; i < 3; i++) {
      socket.receive(100 * i + 10, GET);
      socket.send(100 * i + 20, 'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n');
      socket.send(100 * i + 30, 'f'.repeat(4000), { unreadable: true });
    }
    socket.close(1000);
    harness.deliver();
    expect(harness.seen).toHaveLength(3);
    expect(harness.seen.every((one) => one.complete && one.status === '200' && one.duration === 20)).toBe(true);
  });
});

import { describe, expect, test } from 'vitest';
import { Harness } from '../../../harness.ts';
import type { Seen } from '../../../harness.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';

/** What a server's connection makes of these messages, client's first. */
function exchanges(...messages: readonly string[]): { seen: Seen[]; harness: Harness } {
  const harness = new Harness();
  const socket = harness.socket().open(1);
  for (const [i, message] of messages.entries()) {
    if (i % 2 === 0) socket.receive(100 * i + 100, message);
    else socket.send(100 * i + 100, message);
  }
  harness.deliver();
  return { seen: harness.seen, harness };
}

function request(fields: string, line = 'GET /a HTTP/1.1'): string {
  return `${line}\r\n${fields.replaceAll('\n', '\r\n')}\r\n\r\n`;
}

describe('attributes', () => {
  test('have the names of OpenTelemetry, and never the query or credentials', () => {
    const { seen } = exchanges(
      request(
        'Host: shop.example:8443\nUser-Agent: test/1\nAuthorization: secret\nCookie: secret',
        'PUT /items/7?q=secret HTTP/1.1',
      ),
      'HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n',
    );
    expect(seen[0].attributes).toEqual({
      'http.request.method': 'PUT',
      'http.route': '/items/{id}',
      'url.path': '/items/7',
      'server.address': 'shop.example',
      'server.port': 8443,
      'http.response.status_code': 201,
      'network.protocol.version': '1.1',
      'user_agent.original': 'test/1',
    });
    expect(JSON.stringify(seen)).not.toContain('secret');
  });

  test.each([
    ['[::1]:80', '::1', 80],
    ['example.org', 'example.org', undefined],
    ['a b', 'a b', undefined],
    ['', undefined, undefined],
  ])('Host %s', (host, address, port) => {
    const { seen } = exchanges(request(`Host: ${host}`), OK);
    expect(seen[0].attributes['server.address']).toBe(address);
    expect(seen[0].attributes['server.port']).toBe(port);
  });

  test('the same field lines say the same again, others say others', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    const hosts = ['a', 'a', 'b', 'a', 'b', 'b'];
    for (const [i, host] of hosts.entries()) {
      socket.receive(100 * i + 10, request(`Host: ${host}.example\nAccept: */*`)).send(100 * i + 20, OK);
    }
    harness.deliver();
    expect(harness.seen.map((one) => one.attributes['server.address'])).toEqual(hosts.map((host) => `${host}.example`));
  });
});

describe('trace ids', () => {
  const w3c = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  test.each([
    [`traceparent: ${w3c}`, '0af7651916cd43dd8448eb211c80319c'],
    [`TraceParent:${w3c}`, '0af7651916cd43dd8448eb211c80319c'],
    ['b3: 80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1', '80f198ee56343ba864fe8b2a57d3eff7'],
    ['b3: 0', null],
    ['X-B3-TraceId: 463ac35c9f6413ad', '463ac35c9f6413ad'],
    ['uber-trace-id: 269537d4f3ad8d9d:1:0:1', '269537d4f3ad8d9d'],
    ['uber-trace-id: 269537d4f3ad8d9d%3A1%3A0%3A1', '269537d4f3ad8d9d'],
    [`sw8: 1-${Buffer.from('a.b.c').toString('base64')}-c2Vn-3-c2Vydg==-aW5z-L2E=-aDo4MA==`, 'a.b.c'],
    ['apm-transactionid: tx-42', 'tx-42'],
    [`sw8: 1-eHg=-x-3\ntraceparent: ${w3c}`, '0af7651916cd43dd8448eb211c80319c'],
    ['traceparent: nonsense', null],
    ['traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01', null],
    ['traceparent: 00-0af7651916cd43dd8448eb211c80319', null],
    ['x-b3-traceid: not hex', null],
    ['x-trace: 1', null],
  ])('%s', (fields, traceId) => {
    expect(exchanges(request(`Host: h\n${fields}`), OK).seen).toMatchObject([{ traceId }]);
  });

  test('each request has its own', () => {
    const first = 'a'.repeat(32);
    const second = 'b'.repeat(32);
    const { seen } = exchanges(
      request(`traceparent: 00-${first}-b7ad6b7169203331-01`),
      OK,
      request(`traceparent: 00-${second}-b7ad6b7169203331-01`),
      OK,
      GET,
      OK,
    );
    expect(seen.map((one) => one.traceId)).toEqual([first, second, null]);
  });
});

describe('what cannot be', () => {
  test.each([
    ['a request line without a version', 'GET /a\r\n\r\n'],
    ['a strange version', 'GET /a HTTP/3.7\r\n\r\n'],
    ['a method with a bracket', 'G[T /a HTTP/1.1\r\n\r\n'],
    ['no target', 'GET  HTTP/1.1\r\n\r\n'],
    ['bytes', '\x00\x01\x02\x03\x04'],
  ])('%s is malformed, with the status that it got', (_, bad) => {
    const { seen, harness } = exchanges(GET, OK, bad, 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n', GET, OK);
    expect(seen).toMatchObject([
      { error: null, status: '200' },
      { error: 'malformed', status: '400' },
      { error: null, status: '200', operation: 'GET' },
    ]);
    expect(harness.lawGap).toBe(0);
  });

  test.each([
    ['two lengths', 'Content-Length: 5\nContent-Length: 6'],
    ['a length that is no number', 'Content-Length: five'],
    ['a coding that is not chunked last', 'Transfer-Encoding: chunked, gzip'],
  ])('a request with %s is malformed', (_, fields) => {
    const { seen } = exchanges(request(fields, 'POST /a HTTP/1.1'), OK, GET, OK);
    expect(seen).toMatchObject([{ error: 'malformed', operation: 'POST', status: '200' }, { error: null }]);
  });

  test.each([
    ['no status line', 'HTP/1.1 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a strange version', 'HTTP/7.1 200 OK\r\n\r\n'],
  ])('a response with %s is malformed', (_, bad) => {
    const { seen, harness } = exchanges(GET, OK, GET, bad, GET, OK);
    expect(seen).toMatchObject([{ error: null }, { error: 'malformed', status: null }, { error: null, status: '200' }]);
    expect(harness.lawGap).toBe(0);
  });

  test('a connection that is not HTTP after all is given up after a few', () => {
    const noise = '\x00\x01\x02\x03';
    const { seen, harness } = exchanges(GET, OK, noise, noise, noise, noise, noise, noise, noise, noise, GET, OK);
    expect(harness.analyzer.statistics.handedOver).toBe(1);
    expect(seen.filter((one) => one.protocol === 'generic').length).toBeGreaterThan(0);
    expect(harness.lawGap).toBe(0);
  });

  test('a head without end is read as far as it is kept', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, `GET /long HTTP/1.1\r\n`);
    for (let i = 0; i < 40; i++) socket.receive(20 + i, `x-field-${i}: ${'v'.repeat(1000)}\r\n`);
    socket.receive(90, '\r\n').send(100, OK);
    socket.receive(200, GET).send(210, OK);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { operation: 'GET', resource: '/long', status: '200', duration: 90 },
      { resource: '/a', duration: 10 },
    ]);
  });

  test('a path longer than the capture is not told by half', () => {
    const harness = new Harness({ policy: { set: () => {} } });
    const socket = harness.socket({ payload: 64 }).open(1);
    const long = `GET /${'p'.repeat(100)} HTTP/1.1\r\nHost: h\r\n\r\n`;
    const query = `GET /find?${'q'.repeat(100)} HTTP/1.1\r\nHost: h\r\n\r\n`;
    socket.receive(10, long).send(20, OK).receive(30, query).send(40, OK);
    harness.deliver();
    socket.receive(50, GET);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { operation: 'GET', resource: null, route: null, complete: false, status: '200', requestBytes: long.length },
      { operation: 'GET', resource: '/find', complete: true, requestBytes: query.length },
    ]);
  });
});

describe('an upgrade', () => {
  const ask = 'GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';
  const answer = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n';

  test('ends HTTP with the 101: what follows is generic', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, ask).send(20, `${answer}\x81\x02hi`);
    socket.receive(30, '\x81\x82aaaaGE').send(40, '\x81\x02ok').receive(50, 'x').send(60, 'y').close(70);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { protocol: 'http', status: '101', operation: 'GET', responseBytes: answer.length, error: null },
      { protocol: 'generic', operation: null, duration: 10 },
      { protocol: 'generic', duration: 10 },
    ]);
    expect(harness.lawGap).toBe(0);
    expect(harness.analyzer.stage.read().inFlight).toBe(0);
  });

  test('a CONNECT that is granted is a tunnel', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, 'CONNECT db:5432 HTTP/1.1\r\n\r\n').send(20, 'HTTP/1.1 200 Connection established\r\n\r\n');
    socket.receive(30, GET).send(40, OK).close(50);
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { protocol: 'http', operation: 'CONNECT', status: '200', resource: 'db:5432' },
      { protocol: 'generic', operation: null, status: null },
    ]);
  });

  test('that is declined goes on as HTTP', () => {
    const { seen } = exchanges(ask, OK, GET, OK);
    expect(seen).toMatchObject([
      { protocol: 'http', status: '200' },
      { protocol: 'http', status: '200' },
    ]);
  });
});

describe('times under pipelining', () => {
  test('each request begins at its own first byte, each response ends at its own last', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10, GET + GET.slice(0, 5)).receive(30, GET.slice(5));
    socket
      .send(100, OK.slice(0, -1))
      .send(110, `k${OK.slice(0, 8)}`)
      .send(150, OK.slice(8));
    harness.deliver();
    expect(harness.seen).toMatchObject([
      { time: 10, duration: 100, ttfb: 90, requestSent: 0, contentDownload: 10 },
      { time: 10, duration: 140, ttfb: 100, requestSent: 20, contentDownload: 40 },
    ]);
  });

  test('a stream of events has its first byte early and its end late', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1).receive(10, GET);
    socket.send(20, 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (let i = 1; i <= 5; i++) {
      socket.send(i * 1e9, '9\r\ndata: x\n\n\r\n');
      harness.tick(i * 1e9);
    }
    harness.tick(500e9);
    expect(harness.seen).toHaveLength(0);
    socket.send(600e9, '0\r\n\r\n');
    harness.deliver();
    expect(harness.seen).toMatchObject([{ ttfb: 10, duration: 600e9 - 10, complete: true }]);
  });
});

test('an answer before the request is over waits for the rest of it', () => {
  const harness = new Harness();
  const socket = harness.socket().open(1);
  socket.receive(10, 'POST /up HTTP/1.1\r\nContent-Length: 10\r\n\r\n123');
  socket.send(20, 'HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n');
  socket.receive(30, '4567890').receive(40, GET).send(50, OK);
  harness.deliver();
  expect(harness.seen).toMatchObject([
    { status: '413', requestBytes: 51, duration: 10, complete: true },
    { status: '200', resource: '/a' },
  ]);
});

test('methods are told as they are, whatever they are', () => {
  const { seen } = exchanges('X!y-1 /a HTTP/1.1\r\n\r\n', OK);
  expect(seen).toMatchObject([{ operation: 'X!y-1', protocol: 'http' }]);
});

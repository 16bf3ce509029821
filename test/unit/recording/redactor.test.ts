import { describe, expect, test } from 'vitest';
import { createNetworkAnalyzer } from '../../../src/analyzer/network/network-analyzer.ts';
import type { EventBatch } from '../../../src/model/event-batch.ts';
import { LabelSets } from '../../../src/model/label-sets.ts';
import { MaskedConversation } from '../../../src/recording/http-mask.ts';
import { Redactor } from '../../../src/recording/redactor.ts';
import { Collector } from '../analyzer/harness.ts';
import type { Seen } from '../analyzer/harness.ts';
import { RecordWriter, Socket } from '../analyzer/records.ts';

/** Calls of a server's socket; `<` what it received, `>` what it sent. */
type Calls = readonly (readonly ['<' | '>', string])[];

const SECRET = 's3cr3t';

const conversations: Readonly<Record<string, Calls>> = {
  'a body of known length': [
    [
      '<',
      `POST /orders/17?token=${SECRET} HTTP/1.1\r\nHost: shop\r\nCookie: id=${SECRET}\r\nContent-Length: 12\r\n\r\nabc ${SECRET}\n\n`,
    ],
    ['>', `HTTP/1.1 201 Created\r\nSet-Cookie: ${SECRET}\r\nContent-Length: 6\r\n\r\n${SECRET}`],
    ['<', 'GET /next HTTP/1.1\r\nHost: shop\r\n\r\n'],
    ['>', 'HTTP/1.1 204 No Content\r\n\r\n'],
  ],
  'chunks with extensions and trailers': [
    ['<', `PUT /upload HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n6;name=${SECRET}\r\n${SECRET}\r\n0\r\n`],
    ['<', `X-Sum: ${SECRET}\r\n\r\n`],
    ['>', `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nbody ${SECRET}\r\n0\r\n\r\n`],
    ['<', 'GET /after HTTP/1.1\r\n\r\n'],
    ['>', 'HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'],
  ],
  'HEAD, which announces a body that does not come': [
    ['<', 'HEAD /big HTTP/1.1\r\n\r\n'],
    ['>', 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n'],
    ['<', 'GET /then HTTP/1.1\r\n\r\n'],
    ['>', `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n${SECRET}`],
  ],
  'pipelined requests': [
    ['<', `GET /1 HTTP/1.1\r\nAuthorization: Basic ${SECRET}\r\n\r\nGET /2?q=${SECRET} HTTP/1.1\r\n\r\n`],
    ['>', `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n${SECRET}HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n`],
  ],
  'a body until the end': [
    ['<', 'GET /old HTTP/1.0\r\n\r\n'],
    ['>', `HTTP/1.0 200 OK\r\nServer: ${SECRET}\r\n\r\nlong ${SECRET}`],
    ['>', `GET /no/request?${SECRET} HTTP/1.1\r\n`],
  ],
  '100 Continue': [
    ['<', 'POST /slow HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 30\r\n\r\n'],
    ['>', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['<', `GET /${SECRET} HTTP/1.1\r\n\r\n${SECRET}`.slice(0, 30)],
    ['>', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ],
  'trace ids': [
    [
      '<',
      `GET /t HTTP/1.1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\nX-Request: ${SECRET}\r\n\r\n`,
    ],
    ['>', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
  ],
};

function recordAll(calls: Calls, step = Number.POSITIVE_INFINITY): EventBatch {
  const writer = new RecordWriter();
  const socket = new Socket({ writer, role: 'server' }).open(1);
  let time = 10;
  for (const [direction, text] of calls) {
    for (let at = 0; at < text.length; at += step) {
      const part = text.slice(at, at + step);
      if (direction === '<') socket.receive(time++, part);
      else socket.send(time++, part);
    }
  }
  socket.close(time);
  return writer.take();
}

function mask(batch: EventBatch, what: 'bodies' | 'paths'): EventBatch {
  const bytes = new Uint8Array(batch.bytes.subarray(0, batch.length));
  new Redactor(what).mask(bytes);
  return { ...batch, bytes, words: new Uint32Array(bytes.buffer), halves: new Uint16Array(bytes.buffer) };
}

function analyze(batch: EventBatch): Seen[] {
  const labels = new LabelSets();
  const collector = new Collector(labels);
  const analyzer = createNetworkAnalyzer({ maxConnections: 16, labels, next: collector });
  analyzer.consume(batch);
  analyzer.flush(1e9);
  return collector.seen;
}

const text = ({ bytes, length }: EventBatch): string => Buffer.from(bytes.subarray(0, length)).toString('latin1');

describe.each(Object.entries(conversations))('%s', (_, calls) => {
  test.each([1, 2, 3, 7, 20, Number.POSITIVE_INFINITY])('cut into calls of %d bytes', (step) => {
    const batch = recordAll(calls, step);
    const masked = mask(batch, 'bodies');
    const payload = text(masked).replaceAll('\0', '');
    if (step > 6) expect(payload).not.toContain(SECRET);
    expect(analyze(masked).map(comparable)).toEqual(analyze(batch).map(comparable));
  });

  test('nothing of a secret is left in the stream', () => {
    // One call a direction's turn, so that the stream can be read in the records.
    for (const what of ['bodies', 'paths'] as const) {
      expect(text(mask(recordAll(calls), what))).not.toMatch(/s3cr|3cr3|cr3t/);
    }
  });
});

/** What must not change. */
function comparable({ operation, resource, status, error, ...rest }: Seen): object {
  const { requestBytes, responseBytes, complete, traceId } = rest as unknown as Record<string, unknown>;
  return { operation, resource, status, error, requestBytes, responseBytes, complete, traceId };
}

test('what is not HTTP is masked whole, lengths and all else stay', () => {
  const batch = recordAll([
    ['<', `*2\r\n$3\r\nGET\r\n$6\r\n${SECRET}\r\n`],
    ['>', `$6\r\n${SECRET}\r\n`],
    ['<', `GET ${SECRET}\r\n`],
  ]);
  const masked = mask(batch, 'bodies');
  expect(text(masked)).not.toContain(SECRET);
  expect(text(masked)).not.toContain('GET ');
  expect(masked.length).toBe(batch.length);
  expect(analyze(masked)).toHaveLength(analyze(batch).length);
});

test('with paths, their depth stays and nothing else', () => {
  const masked = text(mask(recordAll([['<', 'GET /users/anna/cart?x=1 HTTP/1.1\r\nHost: h\r\n\r\n']]), 'paths'));
  expect(masked).toContain('GET /xxxxx/xxxx/xxxx?xxx HTTP/1.1\r\nHost: h\r\n\r\n');
});

test('bytes that nobody saw never make a body pass for a head', () => {
  const writer = new RecordWriter();
  const socket = new Socket({ writer, role: 'server', payload: 60 }).open(1);
  // The call's end is not captured; what follows belongs to the same body.
  socket.receive(10, `POST /a HTTP/1.1\r\nContent-Length: 200\r\n\r\n${'x'.repeat(100)}`);
  socket.receive(11, `GET /${SECRET} HTTP/1.1\r\n\r\n${'y'.repeat(76)}`);
  socket.receive(12, 'GET /b HTTP/1.1\r\n\r\n');
  const masked = text(mask(writer.take(), 'bodies'));
  expect(masked).not.toContain(SECRET);
  expect(masked).toContain('GET /b');
});

/** One direction's stream, masked in calls of so many bytes. */
function maskStream(stream: string, step: number): string {
  const mask = new MaskedConversation(false).direction(0);
  const masked: Buffer[] = [];
  for (let at = 0; at < stream.length; at += step) {
    const part = Buffer.from(stream.slice(at, at + step), 'latin1');
    mask.call(part, at, part.length, at === 0);
    masked.push(part);
  }
  return Buffer.concat(masked).toString('latin1');
}

const END = 'Host: h\r\n\r\n';
test.each([
  ['a target with spaces', `GET /find?q=John ${SECRET} 4711 HTTP/1.1\r\n${END}`],
  ['a line that goes on behind the version', `GET / HTTP/1.1 ${SECRET}\r\n${END}`],
  ['another version', `GET / HTTP/1.${SECRET}\r\n${END}`],
  ['a line without version', `GET /a/${SECRET}\r\n${SECRET}: ${SECRET}\r\n`],
  ['a query without version', `GET /a?${SECRET}\r\n${SECRET}: ${SECRET}\r\n`],
  ['a word that begins like an absolute target', `GET h${SECRET}-my-password\r\n`],
  ['a word that begins like a scheme', `GET http:/${SECRET} HTTP/1.1\r\n${END}`],
  ['a word behind an asterisk', `OPTIONS *${SECRET} HTTP/1.1\r\n${END}`],
  ['a user before the host', `GET http://user:${SECRET}@h/ HTTP/1.1\r\n${END}`],
  ['a user before the host, with a query at once', `GET https://${SECRET}@h?${SECRET} HTTP/1.1\r\n${END}`],
  ['a user before the host of a tunnel', `CONNECT user:${SECRET}@h:443 HTTP/1.1\r\n${END}`],
  ['a reason phrase', `HTTP/1.1 403 ${SECRET} was here\r\n${END}`],
])('%s is masked, wherever it is cut', (name, stream) => {
  // Cut so fine, a path without a version behind it cannot be told from a path until it is over.
  const wholeOnly = name === 'a line without version';
  for (let step = wholeOnly ? stream.length : 1; step <= stream.length; step++) {
    expect(maskStream(stream, step), `in calls of ${step}`).not.toMatch(/s3cr|3cr3|cr3t/);
  }
});

test('of targets stays what tells the route: paths, hosts of tunnels, the asterisk', () => {
  for (const line of [
    'GET /a/b HTTP/1.1',
    'GET /a?xxx HTTP/1.0',
    'OPTIONS * HTTP/1.1',
    'CONNECT shop.example:443 HTTP/1.1',
    'GET http://xxxx/a/b?xxx HTTP/1.1',
  ]) {
    const request = `${line}\r\n${END}`;
    expect(maskStream(request, request.length)).toBe(request);
  }
});

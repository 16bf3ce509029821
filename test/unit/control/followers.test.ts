import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createControlServer } from '../../../src/control/control-server.ts';
import type { ControlServer } from '../../../src/control/control-server.ts';
import { createExchangeFeed } from '../../../src/control/exchange-feed.ts';
import type { ExchangeFeed } from '../../../src/control/exchange-feed.ts';
import { exchangesRoute } from '../../../src/control/routes/exchanges.ts';
import { healthRoutes } from '../../../src/control/routes/health.ts';
import { exchangeLine } from '../cli/exchange-line.fixture.ts';
import { exchange } from '../processor/exchange-fixture.ts';
import { ask } from './ask.ts';

let feed: ExchangeFeed;
let server: ControlServer;
let socket: Socket;
let text: string;

const polled = <T>(what: () => T) => expect.poll(what, { timeout: 10_000 });

beforeEach(async () => {
  feed = createExchangeFeed({ labelsOf: () => ({}), toLine: () => exchangeLine() });
  server = createControlServer({
    listen: { host: '127.0.0.1', port: 0 },
    routes: [exchangesRoute(feed), ...healthRoutes({ ready: () => true })],
    answerMs: 100,
  });
  await server.start();
  text = '';
  socket = connect(Number(new URL(server.url()).port), '127.0.0.1');
  socket.setEncoding('utf8').on('data', (part: string) => (text += part));
});

afterEach(async () => {
  socket.destroy();
  feed.stop();
  await server.stop();
});

const asked = (query: string): string => `GET /exchanges?follow=1${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const statuses = (): string[] => text.match(/(?<=HTTP\/1\.1 )\d+/g) ?? [];

test('who asks for many streams in one go on a connection gets one, and leaves room when gone', async () => {
  socket.write(asked('').repeat(9));
  await polled(statuses).toEqual(['200']);
  expect(feed.isFull()).toBe(false);
  socket.destroy();
  // All eight places are free again.
  const streams = Array.from({ length: 8 }, () => ask(`${server.url()}/exchanges?follow=1&limit=1`));
  await polled(() => feed.isFull()).toBe(true);
  feed.consume(exchange({}));
  expect((await Promise.all(streams)).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  await polled(() => feed.isFull()).toBe(false);
});

test('a second stream is refused when its turn comes, which ends the connection', async () => {
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(asked('&limit=1').repeat(2));
  await polled(statuses).toEqual(['200']);
  feed.consume(exchange({}));
  await closed;
  expect(statuses()).toEqual(['200', '400']);
  expect(text).toContain('ask for a stream on one of its own');
});

test('another stream may follow on the same connection when the first one has ended', async () => {
  for (let round = 1; round <= 2; round++) {
    socket.write(asked('&limit=1'));
    await polled(() => statuses().length).toBe(round);
    feed.consume(exchange({}));
    await polled(() => text.match(/\r\n0\r\n\r\n/g)).toHaveLength(round);
  }
  expect(statuses()).toEqual(['200', '200']);
});

test('a stream is not held to the time of other answers, nor is what waits behind it', async () => {
  socket.write(`${asked('&limit=1')}GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await polled(statuses).toEqual(['200']);
  await new Promise((resolve) => setTimeout(resolve, 300));
  feed.consume(exchange({}));
  await polled(() => text.endsWith('{"status":"ok"}\n')).toBe(true);
  expect(statuses()).toEqual(['200', '200']);
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { createControlServer } from '../../../src/control/control-server.ts';
import type { ControlOptions, ControlServer } from '../../../src/control/control-server.ts';
import { healthRoutes } from '../../../src/control/routes/health.ts';
import { withOpenapi } from '../../../src/control/routes/openapi.ts';
import { profileRoute } from '../../../src/control/routes/profile.ts';
import { statusRoute } from '../../../src/control/routes/status.ts';
import { createStatus } from '../../../src/control/status.ts';
import type { Route } from '../../../src/control/route.ts';
import { readToken } from '../../../src/control/token.ts';
import type { SondeError } from '../../../src/model/errors.ts';

const servers: ControlServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

const status = createStatus({
  version: '1.2.3',
  features: () => [{ name: 'tcp', state: 'off', reason: 'not in this build yet', remedy: null }],
  stages: [
    {
      name: 'hook',
      read: () => ({ produced: 5, delivered: 3, inFlight: 1, dropped: { ring_full: 1 }, skipped: { peek: 2 } }),
    },
  ],
  kernelCost: () => ({ kernel_ns: 1000, map_bytes: 4096 }),
});

/** Takes a body and does nothing with it. */
const body: Route = {
  method: 'PUT',
  path: '/body',
  summary: '',
  body: z.unknown(),
  responses: {},
  handle: () => ({ status: 200, body: {} }),
};

function routesWhen(ready: () => boolean): Route[] {
  return withOpenapi([...healthRoutes({ ready }), statusRoute(status), profileRoute(), body]);
}

async function serve(change: Partial<ControlOptions> = {}): Promise<ControlServer> {
  const server = createControlServer({
    listen: { host: '127.0.0.1', port: 0 },
    routes: routesWhen(() => true),
    ...change,
  });
  servers.push(server);
  await server.start();
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly body: unknown;
}

function ask(url: string, options: { method?: string; headers?: OutgoingHttpHeaders; body?: string } = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const call = request(url, { method: options.method, headers: options.headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, body: text === '' ? null : JSON.parse(text) }));
    });
    call.once('error', reject);
    call.end(options.body);
  });
}

test('/status has the shape of the contract', async () => {
  const server = await serve();
  const { status: code, body } = await ask(`${server.url()}/status`);
  expect(code).toBe(200);
  expect(body).toEqual({
    version: '1.2.3',
    kernel: release(),
    uptime_s: expect.closeTo(0, -2) as number,
    features: [{ name: 'tcp', state: 'off', reason: 'not in this build yet', remedy: null }],
    loss: [{ stage: 'hook', produced: 5, delivered: 3, dropped: { ring_full: 1 }, in_flight: 1, skipped: { peek: 2 } }],
    cost: {
      kernel_ns: 1000,
      cpu_ratio: expect.closeTo(0, -2) as number,
      rss_bytes: expect.closeTo(0, -11) as number,
      map_bytes: 4096,
    },
    governor: { level: 0, reason: null },
  });
  expect((body as { cost: { rss_bytes: number } }).cost.rss_bytes).toBeGreaterThan(1e6);
});

test('/healthz says that it lives, /readyz whether everything has started', async () => {
  let ready = false;
  const server = await serve({ routes: routesWhen(() => ready) });
  expect(await ask(`${server.url()}/healthz`)).toEqual({ status: 200, body: { status: 'ok' } });
  expect((await ask(`${server.url()}/readyz`)).status).toBe(503);
  ready = true;
  expect((await ask(`${server.url()}/readyz?x=1`)).status).toBe(200);
});

test.each<[string, string, Parameters<typeof ask>[1], number]>([
  ['what is not there', '/nothing', {}, 404],
  ['what is not in the build', '/profile', { method: 'POST' }, 501],
  ['that with a body, too', '/profile', { method: 'POST', body: '{', headers: { 'content-type': 'text/plain' } }, 501],
  ['a body', '/body', { method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } }, 200],
  ['no body', '/body', { method: 'PUT' }, 415],
  [
    'a body that is no JSON',
    '/body',
    { method: 'PUT', body: '{', headers: { 'content-type': 'application/json' } },
    400,
  ],
  ['a body of another type', '/body', { method: 'PUT', body: '{}', headers: { 'content-type': 'text/plain' } }, 415],
  [
    'a body that is too long',
    '/body',
    { method: 'PUT', body: `"${'x'.repeat(65_536)}"`, headers: { 'content-type': 'application/json' } },
    413,
  ],
  ['other methods', '/status', { method: 'POST' }, 405],
  ['a body where none belongs', '/status', { body: 'x', headers: { 'content-length': 1 } }, 413],
  ['a foreign name', '/status', { headers: { host: 'evil.example:9503' } }, 403],
  ['localhost', '/status', { headers: { host: 'localhost:9503' } }, 200],
  ['an IPv6 address', '/status', { headers: { host: '[::1]:9503' } }, 200],
  ['HEAD', '/status', { method: 'HEAD' }, 200],
])('answers %s', async (_, path, options, expected) => {
  const server = await serve();
  expect((await ask(`${server.url()}${path}`, options)).status).toBe(expected);
});

describe('with a token', () => {
  function token(content: string): string {
    const folder = mkdtempSync(join(tmpdir(), 'sonde-token-'));
    folders.push(folder);
    const file = join(folder, 'token');
    writeFileSync(file, content);
    return file;
  }
  const folders: string[] = [];
  afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

  test('only who sends it sees the status; health needs none', async () => {
    const server = await serve({ authorize: readToken(token('0123456789abcdef\n')) });
    const url = `${server.url()}/status`;
    expect((await ask(url)).status).toBe(401);
    expect((await ask(url, { headers: { authorization: 'Bearer 0123456789abcdeX' } })).status).toBe(401);
    expect((await ask(url, { headers: { authorization: 'Basic 0123456789abcdef' } })).status).toBe(401);
    expect((await ask(url, { headers: { authorization: 'Bearer 0123456789abcdef' } })).status).toBe(200);
    expect((await ask(`${server.url()}/healthz`)).status).toBe(200);
  });

  test('a file without a token is refused', () => {
    expect(() => readToken(token(''))).toThrow(/holds no token/);
    expect(() => readToken(token('short'))).toThrow(/holds no token/);
    expect(() => readToken('/nonexistent/token')).toThrow(/cannot be read \(ENOENT\)/);
  });
});

test('a taken port is an error that names the address', async () => {
  const server = await serve();
  const port = Number(new URL(server.url()).port);
  const second = createControlServer({ listen: { host: '127.0.0.1', port }, routes: [] });
  const error = await Promise.resolve(second.start()).then(
    () => undefined,
    (reason: unknown) => reason as SondeError,
  );
  expect(error).toMatchObject({ code: 'SONDE_PORT_TAKEN', exitCode: 4 });
  expect(error?.message).toContain(`127.0.0.1:${port}`);
});

test('a caller that does not take its answer is let go', async () => {
  // More than the kernel keeps for both ends of a connection.
  const large: Route = {
    ...statusRoute(status),
    path: '/large',
    handle: () => ({ status: 200, body: 'x'.repeat(3e7) }),
  };
  const server = await serve({ routes: [...routesWhen(() => true), large], answerMs: 200, maxConnections: 1 });
  const idle = connect(Number(new URL(server.url()).port), '127.0.0.1').pause();
  idle.on('error', () => undefined);
  await once(idle, 'connect');
  idle.write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await expect(ask(`${server.url()}/healthz`)).rejects.toThrow('socket hang up');
  await expect.poll(() => ask(`${server.url()}/healthz`).catch(() => undefined), { timeout: 20_000 }).toBeDefined();
  idle.destroy();
}, 30_000);

test('an idle connection does not keep it from stopping', async () => {
  const server = await serve();
  const socket = connect(Number(new URL(server.url()).port), '127.0.0.1');
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  await server.stop();
  await closed;
  expect(socket.destroyed).toBe(true);
});

import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { lawOf, sumOf } from '../../traffic/metrics.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { countAt, startSonde } from '../../traffic/sonde.ts';
import type { Sonde } from '../../traffic/sonde.ts';
import { ask } from '../../unit/control/ask.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.end());

interface Load {
  readonly port: number;
  /** Requests answered so far. */
  done(): number;
  /** Ends after the request that is under way. */
  stop(): Promise<void>;
}

/** A server and a client that asks it on one connection without a pause until it is stopped. */
async function startLoad(): Promise<Load> {
  const server = createServer((_, response) => response.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let done = 0;
  const end = new AbortController();
  const request = (): Promise<void> =>
    new Promise((resolve, reject) => {
      get({ port, host: '127.0.0.1', path: '/load', agent }, (response) => {
        response.resume().once('end', resolve);
      }).once('error', reject);
    });
  const run = async (): Promise<void> => {
    while (!end.signal.aborted) {
      await request();
      done += 1;
    }
  };
  const ended = run();
  scene.onEnd(async () => {
    end.abort();
    await ended;
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  return {
    port,
    done: () => done,
    async stop() {
      end.abort();
      await ended;
    },
  };
}

const further = (load: Load, count: number): Promise<unknown> => {
  const goal = load.done() + count;
  return until(() => load.done() >= goal, { what: `${count} more requests`, timeoutMs: 30_000 });
};

async function put(sonde: Sonde, path: string, body: unknown): Promise<unknown> {
  const answer = await ask(`${sonde.controlUrl}${path}`, { method: 'PUT', body: JSON.stringify(body) });
  expect([path, answer.status, answer.text]).toEqual([path, 200, answer.text]);
  return answer.body;
}

async function counted(sonde: Sonde, port: number, role: 'client' | 'server' = 'server'): Promise<number> {
  return countAt(await sonde.scrape(), port, role);
}

async function expectLaw(sonde: Sonde): Promise<void> {
  for (const { stage, produced, delivered, inFlight, dropped } of lawOf(await sonde.scrape())) {
    if (stage.startsWith('export')) continue;
    const lost = Object.values(dropped).reduce((a, b) => a + b, 0);
    expect([stage, delivered + inFlight + lost]).toEqual([stage, produced]);
  }
}

test('capture off under load: counts stop, nothing is called failed; on again they go on, and the law holds', async () => {
  const load = await startLoad();
  const sonde = await startSonde(scene, { ports: [load.port] });
  await further(load, 100);
  await put(sonde, '/features', { name: 'capture', state: 'off' });
  await until(async () => (await counted(sonde, load.port)) > 0, { what: 'exchanges from before', timeoutMs: 10_000 });
  // What was in the open window comes out with it.
  await further(load, 500);
  let before = -1;
  await until(
    async () => {
      const now = await counted(sonde, load.port);
      const still = now === before;
      before = now;
      return still;
    },
    { what: 'the count to stand still', timeoutMs: 20_000, everyMs: 2000 },
  );
  await further(load, 200);
  const page = await sonde.scrape();
  expect(sumOf(page, 'sonde_skipped_total', { stage: 'hook', reason: 'off' })).toBeGreaterThan(500);
  expect(countAt(page, load.port, 'server')).toBe(before);

  // It is on again from some moment on while the request is answered.
  const earliest = load.done();
  await put(sonde, '/features', { name: 'capture', state: 'on' });
  const from = load.done();
  await further(load, 300);
  await load.stop();
  const made = load.done() - from;
  await sonde.settle();
  await until(async () => (await counted(sonde, load.port)) - before >= made - 2, {
    what: 'the requests since',
    timeoutMs: 15_000,
  });
  const after = await sonde.scrape();
  expect(countAt(after, load.port, 'server') - before).toBeLessThanOrEqual(load.done() - earliest + 2);
  const failed = after.filter(
    ({ name, labels }) =>
      name.endsWith('request_duration_seconds_count') && labels.error_type !== undefined && labels.error_type !== '',
  );
  expect(failed).toEqual([]);
  await expectLaw(sonde);
  expect(await sonde.stop()).toBe(0);
});

test('a rule ignores a port on a connection that is open, and its removal takes it up again', async () => {
  const [load, other] = [await startLoad(), await startLoad()];
  const sonde = await startSonde(scene, { ports: [load.port, other.port], lines: true });
  await until(() => sonde.at(load.port).length > 50, { what: 'exchanges', timeoutMs: 20_000 });
  await put(sonde, '/policies', { rules: [{ port: load.port, policy: 'ignore' }] });
  await sonde.settle();
  const before = sonde.at(load.port).length;
  const others = sonde.at(other.port).length;
  await further(load, 300);
  await until(() => sonde.at(other.port).length > others + 100, { what: 'the other port goes on', timeoutMs: 20_000 });
  await sonde.settle();
  expect(sonde.at(load.port).length).toBe(before);
  expect(await ask(`${sonde.controlUrl}/policies`)).toMatchObject({
    body: { default: 'auto', rules: [{ port: load.port, policy: 'ignore', connections: 2 }] },
  });
  await put(sonde, '/policies', { rules: [] });
  await until(() => sonde.at(load.port).length > before + 50, { what: 'it is taken up', timeoutMs: 20_000 });
  await Promise.all([load.stop(), other.stop()]);
  await sonde.settle();
  const lines = sonde.at(load.port);
  expect(new Set(lines.map(({ error }) => error))).toEqual(new Set([null]));
  expect(lines.slice(before).filter(({ protocol, status }) => protocol !== 'http' || status !== '200')).toEqual([]);
  await expectLaw(sonde);
  expect(await sonde.stop()).toBe(0);
});

test('http off: the connection goes on as generic; udp on: datagrams are seen from then on', async () => {
  const load = await startLoad();
  const echo = createSocket('udp4').bind(0, '127.0.0.1');
  scene.onEnd(() => void echo.close());
  await once(echo, 'listening');
  echo.on('message', (data, from) => echo.send(data, from.port, from.address));
  const udp = echo.address().port;
  const sonde = await startSonde(scene, { ports: [load.port, udp], lines: true });
  const client = createSocket('udp4');
  scene.onEnd(() => void client.close());
  const talk = async (): Promise<void> => {
    client.send('ping', udp, '127.0.0.1');
    await once(client, 'message');
  };
  await until(() => sonde.at(load.port).length > 20, { what: 'exchanges', timeoutMs: 20_000 });
  await talk();
  await put(sonde, '/features', { http: 'off', udp: 'on' });
  await until(
    () =>
      sonde
        .at(load.port)
        .slice(-20)
        .every(({ protocol }) => protocol === 'generic'),
    {
      what: 'generic exchanges',
      timeoutMs: 20_000,
    },
  );
  expect(sonde.at(udp)).toEqual([]);
  await talk();
  await until(() => sonde.at(udp).length > 0, { what: 'the datagrams', timeoutMs: 20_000 });
  await put(sonde, '/features', { http: 'on' });
  await until(
    () =>
      sonde
        .at(load.port)
        .slice(-20)
        .every(({ protocol }) => protocol === 'http'),
    {
      what: 'http again on the same connection',
      timeoutMs: 20_000,
    },
  );
  await load.stop();
  expect(await sonde.stop()).toBe(0);
});

test('exchanges are followed with a filter; a reader who pauses loses lines that are counted, and holds up nothing', async () => {
  const load = await startLoad();
  const sonde = await startSonde(scene, { ports: [load.port] });
  const url = `${sonde.controlUrl}/exchanges?follow=1`;
  const lines = (await ask(`${url}&limit=5&filter=${encodeURIComponent('role=client and resource="/load"')}`)).text;
  const parsed = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(parsed).toHaveLength(5);
  expect(
    parsed.every(({ role, resource, status }) => role === 'client' && resource === '/load' && status === '200'),
  ).toBe(true);

  const { hostname, port } = new URL(sonde.controlUrl);
  const slow = connect({ host: hostname, port: Number(port) });
  slow.pause();
  scene.onEnd(() => void slow.destroy());
  slow.write('GET /exchanges?follow=1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  // Kernel buffers and the queue of 1 MiB: some 10 MB of lines are more than fit.
  await further(load, 12_000);
  const start = performance.now();
  expect((await ask(`${sonde.controlUrl}/status`)).status).toBe(200);
  expect(performance.now() - start).toBeLessThan(10_000);
  let text = '';
  slow.setEncoding('utf8').on('data', (data: string) => {
    text += data;
  });
  slow.resume();
  await until(() => /\{"lost":\d+\}/.test(text), { what: 'the count of lost lines', timeoutMs: 30_000 });
  await load.stop();
  await expectLaw(sonde);
  expect(await sonde.stop()).toBe(0);
}, 180_000);

test('SIGHUP and the file itself reload; what is wrong leaves the old configuration and is named', async () => {
  const load = await startLoad();
  const sonde = await startSonde(scene, { ports: [load.port] });
  const { file: config } = (await ask(`${sonde.controlUrl}/config`)).body as { file: string };
  const text = await readFile(config, 'utf8');
  const reload = async () =>
    (
      (await ask(`${sonde.controlUrl}/status`)).body as {
        reload: { result: string; cause: string; error: string | null; applied: string[]; restart: string[] } | null;
      }
    ).reload;
  expect(await reload()).toBeNull();

  await writeFile(config, text.replace('level: info', 'level: loud'));
  process.kill(sonde.process.pid, 'SIGHUP');
  await until(async () => (await reload())?.result === 'refused', { what: 'the refusal', timeoutMs: 10_000 });
  expect((await reload())?.error).toMatch(/sonde-\d+\.yaml:\d+:\d+: log\.level: "loud" is not allowed/);
  expect(sonde.process.output.stderr).toContain('the old one stays in force');

  await writeFile(config, text.replace('level: info', 'level: debug').replace('window: 1s', 'window: 2s'));
  await until(async () => (await reload())?.result === 'applied', {
    what: 'the reload by the file',
    timeoutMs: 20_000,
  });
  expect(await reload()).toMatchObject({
    cause: 'file',
    applied: ['log.level'],
    restart: ['processors.aggregate.window'],
    error: null,
  });
  const { settings } = (await ask(`${sonde.controlUrl}/config`)).body as {
    settings: Record<string, { value: unknown }>;
  };
  expect([settings['log.level']?.value, settings['processors.aggregate.window']?.value]).toEqual(['debug', '1s']);
  await load.stop();
  expect(await sonde.stop()).toBe(0);
});

test('with a token from the environment nobody steers without it, and it is shown nowhere', async () => {
  const token = 'a-token-of-enough-length';
  const sonde = await startSonde(scene, { ports: [1], env: { SONDE_CONTROL_TOKEN: token } });
  const body = '{"udp":"on"}';
  const url = `${sonde.controlUrl}/features`;
  expect((await ask(url, { method: 'PUT', body })).status).toBe(401);
  expect((await ask(url, { method: 'PUT', body, headers: { authorization: 'Bearer wrong-token-wrong' } })).status).toBe(
    401,
  );
  const headers = { authorization: `Bearer ${token}` };
  expect((await ask(url, { method: 'PUT', body, headers })).status).toBe(200);
  const config = await ask(`${sonde.controlUrl}/config`, { headers });
  expect(config.body).toMatchObject({
    settings: { 'control.token': { value: '***', origin: 'environment SONDE_CONTROL_TOKEN' } },
  });
  expect(config.text + sonde.process.output.stderr).not.toContain(token);
  expect((await ask(`${sonde.controlUrl}/readyz`)).status).toBe(200);
  expect(await sonde.stop()).toBe(0);
});

test('a token file that is written anew holds at once, by itself and by SIGHUP; without a token nothing changes', async () => {
  const file = join(scene.directory, 'token');
  const [first, second, third] = ['one', 'two', 'three'].map((name) => `a-token-of-length-${name}`);
  await writeFile(file, `${first}\n`);
  const sonde = await startSonde(scene, { ports: [1], env: { SONDE_CONTROL_TOKEN_FILE: file } });
  const status = async (token: string | undefined) =>
    (await ask(`${sonde.controlUrl}/status`, { headers: { authorization: `Bearer ${token}` } })).status;
  expect([await status(first), await status(second)]).toEqual([200, 401]);
  await writeFile(file, `${second}\n`);
  await until(async () => (await status(second)) === 200, { what: 'the second token', timeoutMs: 20_000 });
  expect(await status(first)).toBe(401);

  await rm(file);
  process.kill(sonde.process.pid, 'SIGHUP');
  await until(() => sonde.process.output.stderr.includes('cannot be read (ENOENT)'), {
    what: 'the complaint',
    timeoutMs: 10_000,
  });
  expect(await status(second)).toBe(200);
  await writeFile(file, `${third}\n`);
  process.kill(sonde.process.pid, 'SIGHUP');
  await until(async () => (await status(third)) === 200, { what: 'the third token', timeoutMs: 20_000 });
  expect(await status(second)).toBe(401);
  expect(await sonde.stop()).toBe(0);
});

test('a page of another name cannot reach it, nor can a form of another origin steer it', async () => {
  const sonde = await startSonde(scene, { ports: [1] });
  const url = `${sonde.controlUrl}/features`;
  expect((await ask(url, { headers: { host: 'rebound.example' } })).status).toBe(403);
  const form = { method: 'PUT', body: '{"capture":"off"}', headers: { 'content-type': 'text/plain' } };
  expect((await ask(url, form)).status).toBe(415);
  expect((await ask(url, { method: 'OPTIONS' })).status).toBe(405);
  const { features } = (await ask(url)).body as { features: { name: string; state: string }[] };
  expect(features.find(({ name }) => name === 'capture')?.state).toBe('on');
  expect(await sonde.stop()).toBe(0);
});

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { sumOf, parseMetrics } from '../../traffic/metrics.ts';
import { freePorts } from '../../traffic/port.ts';
import { openRaw } from '../../traffic/raw.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startScriptServer } from '../../traffic/servers/scripts.ts';
import { startSonde } from '../../traffic/sonde.ts';
import { PROGRAM } from './sonde-process.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.end());

const GET = 'GET /fixed/10 HTTP/1.1\r\nHost: localhost\r\n\r\n';

test('a keep-alive connection of before: from its next request on it is seen, the first one is marked', async () => {
  const [port = 0] = await freePorts(1);
  await startScriptServer(scene, { kind: 'node', port });
  const raw = await openRaw(scene, { port });
  await raw.send(GET);
  await raw.responses(1);
  const sonde = await startSonde(scene, { ports: [port], lines: true });
  for (let i = 2; i <= 4; i++) {
    await raw.send(GET);
    await raw.responses(i);
  }
  await sonde.settle();
  const lines = sonde.at(port);
  const of = (role: string) =>
    lines
      .filter((line) => line.role === role)
      .map(({ complete, status, attributes, request_bytes: bytes }) => ({
        complete,
        status,
        bytes,
        joined: attributes['sonde.joined'],
      }));
  const whole = { complete: true, status: '200', bytes: GET.length };
  const expected = [
    { ...whole, joined: true },
    { ...whole, joined: undefined },
    { ...whole, joined: undefined },
  ];
  expect({ client: of('client'), server: of('server') }).toEqual({ client: expected, server: expected });
  const samples = await sonde.scrape();
  expect(sumOf(samples, 'sonde_connections')).toBeGreaterThanOrEqual(2);
  expect(sumOf(samples, 'sonde_connections_opened_total')).toBeGreaterThanOrEqual(2);
});

test('run | head: says at once that nobody reads, counts what is dropped, and goes on', async () => {
  const server = createServer((_, response) => response.end('ok')).listen(0, '127.0.0.1');
  scene.onEnd(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  // The shell keeps no end of the pipe; head ends with the first line.
  const child = spawn('/bin/sh', ['-c', `"${PROGRAM}" run --for 60 | head -1; sleep 600`], {
    detached: true,
    env: {
      ...process.env,
      SONDE_CONFIG: '/dev/null',
      SONDE_CAPTURE_FILTER_PORTS: String(port),
      SONDE_EXPORTERS_STDOUT_ENABLED: 'true',
      SONDE_EXPORTERS_PROMETHEUS_LISTEN: '127.0.0.1:0',
      SONDE_CONTROL_LISTEN: '127.0.0.1:0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  scene.onEnd(async () => {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await once(child, 'close');
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const metrics = await until(() => /^sonde ready metrics=(\S+)/m.exec(stderr)?.[1], {
    what: 'the ready line',
    timeoutMs: 30_000,
  });
  const notice = 'nobody reads standard output any more';
  await until(
    async () => {
      await (await fetch(`http://127.0.0.1:${port}/`)).text();
      return stderr.includes(notice);
    },
    { what: notice, timeoutMs: 20_000, everyMs: 200 },
  );
  expect(stderr).not.toContain('sonde done');
  await (await fetch(`http://127.0.0.1:${port}/`)).text();
  const dropped = await until(
    async () => {
      const samples = parseMetrics(await (await fetch(metrics)).text());
      return samples.find(
        ({ name, labels }) =>
          name === 'sonde_dropped_total' && labels.stage === 'export.stdout' && labels.reason === 'closed',
      )?.value;
    },
    { what: 'the count of dropped exchanges' },
  );
  expect(dropped).toBeGreaterThan(0);
  expect(stderr.split(notice)).toHaveLength(2);
});

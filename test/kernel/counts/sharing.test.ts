import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileProgram, runClient, startCServer } from '../../traffic/compile.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { requestLength } from '../../traffic/generators/request-length.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectBothSides, expectLawWithoutLoss, seenBy, settled, sum, wholeHttp } from '../expectations.ts';

describe('several processes, several threads, io_uring', () => {
  let scene: Scene;
  let sonde: Sonde;
  let server: string;
  let client: string;
  const ports: number[] = [];
  const port = (): number => ports.pop() as number;

  beforeAll(async () => {
    scene = await createScene();
    server = await compileProgram(scene, { name: 'server' });
    client = await compileProgram(scene, { name: 'client' });
    ports.push(...(await freePorts(16)));
    sonde = await startSonde(scene, { ports, lines: true });
  });
  afterAll(async () => scene?.end());

  test.each([
    ['a thread for each connection', 'threads'],
    ['a child for each connection, accepted by its parent', 'fork'],
    ['three children accepting from one socket', 'prefork'],
    ['three children with a listening socket each', 'reuseport'],
  ])('a server with %s', async (_, model) => {
    const at = port();
    const running = await startCServer(scene, server, { port: at, model });
    const path = '/shared';
    const load = await h2load(scene, { url: `http://127.0.0.1:${at}${path}`, exchanges: 600, connections: 12 });
    const one = await requestLength(scene, {
      path,
      run: (url) => h2load(scene, { url, exchanges: 1, connections: 1 }),
    });
    await expectBothSides(sonde, at, {
      exchanges: 600,
      requestBytes: 600 * one,
      responseBytes: load.responseBytes,
    });
    await running.end();
  });

  test('the process that answers is the one that is named, not the one that accepted', async () => {
    const at = port();
    const running = await startCServer(scene, server, { port: at, model: 'fork' });
    await runClient(scene, client, { port: at, count: 20, fresh: 1 });
    const lines = (await settled(sonde, at, 40)).filter(({ role }) => role === 'server');
    expect(lines).toHaveLength(20);
    expect(lines.filter(({ pid }) => pid === running.pid)).toEqual([]);
    expect(new Set(lines.map(({ pid }) => pid)).size).toBe(20);
    await running.end();
  });

  test.each([
    ['take turns on one socket', 'alternate'],
    ['share a socket, one sending and one receiving', 'split'],
  ])('two threads that %s', async (_, share) => {
    const at = port();
    const running = await startCServer(scene, server, { port: at });
    const made = await runClient(scene, client, { port: at, count: 500, share });
    await expectBothSides(sonde, at, { exchanges: 500, requestBytes: made.sent, responseBytes: made.received });
    await running.end();
  });

  test.each([
    ['inside io_uring_enter', 0],
    ['on kernel worker threads', 1],
  ])('an io_uring client, %s: bytes and exchanges right, nothing made up', async (_, async) => {
    const at = port();
    const uring = await compileProgram(scene, { name: 'uring_client' });
    const nginx = await startNginx(scene, { port: at });
    const made = await runClient(scene, uring, { port: at, count: 200, path: '/index.html', async });
    const entries = await nginx.entries();
    expect(sum(entries.map(({ responseBytes }) => responseBytes))).toBe(made.received);
    const lines = await settled(sonde, at, 400);
    const plain = { exchanges: 200, requestBytes: made.sent, responseBytes: made.received };
    expect(seenBy(lines, 'server')).toEqual(wholeHttp(plain));
    const { exchanges, complete, statuses, requestBytes, responseBytes } = seenBy(lines, 'client');
    expect({ exchanges, complete, statuses, requestBytes, responseBytes }).toEqual({
      ...plain,
      complete: 0,
      statuses: { null: 200 },
    });
    await nginx.process.end();
  });

  test('the law holds with zero drops', () => expectLawWithoutLoss(sonde));
});

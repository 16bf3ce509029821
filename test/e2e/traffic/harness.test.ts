import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compileProgram, runClient, startCServer } from '../../traffic/compile.ts';
import { ab, h2load, nodeClient } from '../../traffic/generators/load.ts';
import { requestLength } from '../../traffic/generators/request-length.ts';
import { lawOf, parseMetrics, sumOf } from '../../traffic/metrics.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';

/** The numbers that Sonde is compared with are themselves compared: what one end made with what the other saw. */
describe('the traffic of the tests', () => {
  let scene: Scene;
  let port: number;

  beforeEach(async () => {
    scene = await createScene();
    [port = 0] = await freePorts(1);
  });
  afterEach(async () => scene?.end());

  test('h2load, ab and the Node client agree with the log of nginx on requests and bytes', async () => {
    const nginx = await startNginx(scene, { port });
    const url = `${nginx.url}/index.html`;
    let seen = 0;
    for (const run of [
      (to: string, exchanges: number) => h2load(scene, { url: to, exchanges, connections: Math.min(exchanges, 4) }),
      (to: string, exchanges: number) => ab(scene, { url: to, exchanges, connections: 1, keepAlive: true }),
      (to: string, exchanges: number) => nodeClient(scene, { url: to, exchanges, connections: 4, keepAlive: false }),
    ]) {
      const load = await run(url, 40);
      const length = await requestLength(scene, { path: '/index.html', run: (to) => run(to, 1) });
      const entries = (await nginx.entries()).slice(seen);
      seen += entries.length;
      expect(load.exchanges).toBe(40);
      expect(entries).toEqual(
        Array.from({ length: 40 }, () => ({
          status: '200',
          requestBytes: length,
          responseBytes: load.responseBytes / 40,
        })),
      );
    }
  });

  test('the C client and server move the same bytes by every call', async () => {
    const server = await compileProgram(scene, { name: 'server' });
    const client = await compileProgram(scene, { name: 'client' });
    const ways = [
      { send: 'sendmmsg', receive: 'recvmmsg' },
      { send: 'splice', receive: 'splice' },
      { send: 'sendfile', receive: 'peek' },
      { send: 'nonblock', receive: 'nonblock' },
    ];
    for (const { send, receive } of ways) {
      const [own = 0] = await freePorts(1);
      await startCServer(scene, server, { port: own, send, receive, body: 70_000 });
      const made = await runClient(scene, client, { port: own, count: 5, send, head: receive, post: 90_000 });
      expect(made.statuses).toEqual({ 200: 5 });
      expect(made.received).toBeGreaterThan(5 * 70_000);
      expect(made.sent).toBeGreaterThan(5 * 90_000);
    }
  });

  test('after its end a scene leaves no process, no listener and no file', async () => {
    const nginx = await startNginx(scene, { port, workers: 2 });
    await scene.end();
    expect(existsSync(scene.directory)).toBe(false);
    expect(() => process.kill(-nginx.process.pid, 0)).toThrow('ESRCH');
    const refused = await new Promise((resolve) => {
      connect({ port, host: '127.0.0.1' }).on('error', resolve).on('connect', resolve);
    });
    expect(refused).toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('a page of metrics is read with its labels, and the stages of the law from it', () => {
    const samples = parseMetrics(
      [
        '# HELP sonde_produced_total x',
        'sonde_produced_total{stage="hook"} 10',
        'sonde_delivered_total{stage="hook"} 7',
        'sonde_in_flight{stage="hook"} 1',
        'sonde_dropped_total{stage="hook",reason="ring_full"} 2',
        'a_total{route="/say \\"hi\\"",x="1"} 3 # {trace_id="1"} 1',
      ].join('\n'),
    );
    expect(sumOf(samples, 'a_total', { route: '/say "hi"' })).toBe(3);
    expect(lawOf(samples)).toEqual([
      { stage: 'hook', produced: 10, delivered: 7, inFlight: 1, dropped: { ring_full: 2 }, skipped: {} },
    ]);
  });
});

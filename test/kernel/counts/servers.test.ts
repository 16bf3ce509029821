import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ab, h2load, type Load, nodeClient } from '../../traffic/generators/load.ts';
import { requestLength } from '../../traffic/generators/request-length.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startApache } from '../../traffic/servers/apache.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { startScriptServer } from '../../traffic/servers/scripts.ts';
import { type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectBothSides, expectLawWithoutLoss, sum } from '../expectations.ts';

/** Servers by name: how to start one on a port, and a path that it serves. */
const SERVERS: Record<string, { path: string; start: (scene: Scene, port: number) => Promise<unknown> }> = {
  'nginx, static': { path: '/index.html', start: (scene, port) => startNginx(scene, { port }) },
  'nginx, sendfile on': { path: '/index.html', start: (scene, port) => startNginx(scene, { port, sendfile: true }) },
  'nginx, three workers on one socket': {
    path: '/index.html',
    start: (scene, port) => startNginx(scene, { port, workers: 3 }),
  },
  'nginx, three workers with SO_REUSEPORT': {
    path: '/index.html',
    start: (scene, port) => startNginx(scene, { port, workers: 3, reuseport: true }),
  },
  'Node http': { path: '/fixed/1000', start: (scene, port) => startScriptServer(scene, { kind: 'node', port }) },
  'Node http, chunked': {
    path: '/chunked/300/3',
    start: (scene, port) => startScriptServer(scene, { kind: 'node', port }),
  },
  'Python http.server': { path: '/page', start: (scene, port) => startScriptServer(scene, { kind: 'python', port }) },
  'Apache, a process a connection': {
    path: '/index.html',
    start: (scene, port) => startApache(scene, { port, mpm: 'prefork' }),
  },
  'Apache, threads and events': {
    path: '/index.html',
    start: (scene, port) => startApache(scene, { port, mpm: 'event' }),
  },
};

type Run = (scene: Scene, url: string) => Promise<Load & { requestBytes?: number }>;

const GENERATORS: Record<string, Run> = {
  'h2load, 1,600 requests over 8 kept-alive connections': (scene, url) =>
    h2load(scene, { url, exchanges: 1_600, connections: 8 }),
  'ab, 300 requests with a connection each': (scene, url) =>
    ab(scene, { url, exchanges: 300, connections: 4, keepAlive: false }),
};
const MORE_GENERATORS: Record<string, Run> = {
  ...GENERATORS,
  'ab, 600 requests over 4 kept-alive connections': (scene, url) =>
    ab(scene, { url, exchanges: 600, connections: 4, keepAlive: true }),
  'Node http client, 600 requests, kept alive': (scene, url) =>
    nodeClient(scene, { url, exchanges: 600, connections: 4, keepAlive: true }),
  'Node http client, 300 requests with a connection each': (scene, url) =>
    nodeClient(scene, { url, exchanges: 300, connections: 4, keepAlive: false }),
};

const LABORIOUS = new Set(['nginx, static', 'Node http']);
const CASES = Object.keys(SERVERS).flatMap((server) =>
  Object.keys(LABORIOUS.has(server) ? MORE_GENERATORS : GENERATORS).map((generator) => [server, generator] as const),
);

describe('exchanges counted on both sides equal what the generator made', () => {
  let scene: Scene;
  let sonde: Sonde;
  let ports: number[];

  beforeAll(async () => {
    scene = await createScene();
    ports = await freePorts(CASES.length);
    sonde = await startSonde(scene, { ports, lines: true });
  });
  afterAll(async () => scene?.end());

  test.each(CASES)('%s: %s', async (server, generator) => {
    const port = ports[CASES.findIndex((one) => one[0] === server && one[1] === generator)];
    const { path, start } = SERVERS[server];
    const run = MORE_GENERATORS[generator];
    const place = await createScene();
    try {
      await start(place, port);
      const load = await run(place, `http://127.0.0.1:${port}${path}`);
      const single = load.requestBytes === undefined ? await lengthOf(place, generator, path) : 0;
      await expectBothSides(sonde, port, {
        exchanges: load.exchanges,
        requestBytes: load.requestBytes ?? single * load.exchanges,
        responseBytes: load.responseBytes,
      });
    } finally {
      await place.end();
    }
  });

  test('nginx as a proxy: both hops are counted, as four sides', async () => {
    const place = await createScene();
    const own = await createScene();
    try {
      const [front = 0, back = 0] = await freePorts(2);
      const both = await startSonde(own, { ports: [front, back], lines: true });
      const origin = await startNginx(place, { port: back, files: { 'index.html': 3_000 } });
      const proxy = await startNginx(place, { port: front, upstream: `127.0.0.1:${back}` });
      const load = await h2load(place, { url: `${proxy.url}/index.html`, exchanges: 1_000, connections: 8 });
      expect(load.statuses['2xx']).toBe(1_000);
      for (const [port, server] of [
        [front, proxy],
        [back, origin],
      ] as const) {
        const entries = await server.entries();
        await expectBothSides(both, port, {
          exchanges: 1_000,
          requestBytes: sum(entries.map(({ requestBytes }) => requestBytes)),
          responseBytes: sum(entries.map(({ responseBytes }) => responseBytes)),
        });
      }
      await expectLawWithoutLoss(both);
    } finally {
      await place.end();
      await own.end();
    }
  });

  test('after all of it the law holds with zero drops', async () => {
    await expectLawWithoutLoss(sonde);
  });

  test('after the end every exchange was printed and the law lines balance', async () => {
    const samples = await sonde.scrape();
    const counted = sum(samples.filter(({ name }) => name === 'sonde_exchanges_total').map(({ value }) => value));
    expect(await sonde.stop()).toBe(0);
    expect(sum([...sonde.ports()].map((port) => sonde.at(port).length))).toBe(counted);
  });
});

async function lengthOf(place: Scene, generator: string, path: string): Promise<number> {
  return await requestLength(place, {
    path,
    run: (url) =>
      generator.startsWith('h2load')
        ? h2load(place, { url, exchanges: 1, connections: 1 })
        : ab(place, { url, exchanges: 1, connections: 1, keepAlive: generator.includes('kept-alive') }),
  });
}

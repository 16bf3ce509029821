import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../../traffic/condition.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { sumOf } from '../../traffic/metrics.ts';
import { type Noise, startNoise } from '../../traffic/noise.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { countAt, type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectLaw, sum } from '../expectations.ts';

const COUNT = 2_000;

describe('without a filter, beside UNIX-socket, UDP and TLS traffic', () => {
  let scene: Scene;
  let sonde: Sonde;
  let noise: Noise;
  let port: number;
  let noisy: number;

  beforeAll(async () => {
    scene = await createScene();
    [port = 0, noisy = 0] = await freePorts(2);
    sonde = await startSonde(scene);
    noise = await startNoise(scene, { port: noisy });
  });
  afterAll(async () => scene?.end());

  test('HTTP is counted exactly, and nothing of the rest is taken for it', async () => {
    const nginx = await startNginx(scene, { port });
    await h2load(scene, { url: `${nginx.url}/index.html`, exchanges: COUNT, connections: 8 });
    const trips = await noise.end();
    expect(Math.min(...Object.values(trips))).toBeGreaterThanOrEqual(20);
    const tls = { protocol: 'generic', server_port: String(noisy) };
    await eventually(async () => {
      const page = await sonde.scrape();
      return countAt(page, port) >= 2 * COUNT && sumOf(page, 'sonde_request_duration_seconds_count', tls) > 0;
    }, 5_000);
    await sonde.settle();

    const page = await sonde.scrape();
    const entries = await nginx.entries();
    for (const role of ['client', 'server'] as const) {
      const labels = { protocol: 'http', role, server_port: String(port), status: '200' };
      expect({
        role,
        count: countAt(page, port, role),
        requestBytes: sumOf(page, 'sonde_request_bytes_total', labels),
        responseBytes: sumOf(page, 'sonde_response_bytes_total', labels),
      }).toEqual({
        role,
        count: COUNT,
        requestBytes: sum(entries.map(({ requestBytes }) => requestBytes)),
        responseBytes: sum(entries.map(({ responseBytes }) => responseBytes)),
      });
    }
    expect(
      sumOf(page, 'sonde_request_duration_seconds_count', { protocol: 'generic', server_port: String(port) }),
    ).toBe(0);
    // HTTP over the UNIX socket or in datagrams would show its path, HTTPS its port.
    expect(page.filter(({ labels }) => labels.http_route === '/noise')).toEqual([]);
    expect(countAt(page, noisy)).toBe(0);
    expect(sumOf(page, 'sonde_request_duration_seconds_count', tls)).toBeGreaterThan(0);
  });

  test('the law holds', async () => {
    expect(Object.keys(await expectLaw(sonde)).filter((name) => name.startsWith('ring.'))).toEqual([]);
  });
});

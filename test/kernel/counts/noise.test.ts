import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { h2load } from '../../traffic/generators/load.ts';
import { type Noise, startNoise } from '../../traffic/noise.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectBothSides, expectLaw, sum } from '../expectations.ts';

describe('without a filter, beside UNIX-socket, UDP and TLS traffic', () => {
  let scene: Scene;
  let sonde: Sonde;
  let noise: Noise;
  let port: number;
  let noisy: number;

  beforeAll(async () => {
    scene = await createScene();
    [port = 0, noisy = 0] = await freePorts(2);
    sonde = await startSonde(scene, { lines: true });
    noise = await startNoise(scene, { port: noisy });
  });
  afterAll(async () => scene?.end());

  test('HTTP is counted exactly, and nothing of the rest is taken for it', async () => {
    const nginx = await startNginx(scene, { port });
    await h2load(scene, { url: `${nginx.url}/index.html`, exchanges: 1_000, connections: 8 });
    const entries = await nginx.entries();
    await expectBothSides(sonde, port, {
      exchanges: 1_000,
      requestBytes: sum(entries.map(({ requestBytes }) => requestBytes)),
      responseBytes: sum(entries.map(({ responseBytes }) => responseBytes)),
    });
    const trips = await noise.end();
    expect(Math.min(...Object.values(trips))).toBeGreaterThanOrEqual(20);
    await sonde.settle();
    const all = [...sonde.ports()].flatMap((known) => sonde.at(known));
    expect(all.filter(({ resource }) => resource === '/noise')).toEqual([]);
    expect(sonde.at(noisy).filter(({ protocol }) => protocol === 'http')).toEqual([]);
    expect(sonde.at(noisy).length).toBeGreaterThan(0);
  });

  test('the law holds', async () => {
    expect(Object.keys(await expectLaw(sonde)).filter((name) => name.startsWith('hook.'))).toEqual([]);
  });
});

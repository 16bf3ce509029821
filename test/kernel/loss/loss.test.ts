import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BLOCKABLE, blockEventLoop } from '../../traffic/block.ts';
import { eventually, until } from '../../traffic/condition.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { type Sample, sumOf } from '../../traffic/metrics.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type Nginx, startNginx } from '../../traffic/servers/nginx.ts';
import { countAt, type Sonde, type SondeOptions, startSonde } from '../../traffic/sonde.ts';
import { expectLaw } from '../expectations.ts';

const COUNT = 20_000;
const PROTOCOLS = ['http', 'generic'];

describe('loss is found by the message numbers: complete and incomplete exchanges make up the generator’s count', () => {
  let scene: Scene;
  let nginx: Nginx;
  let port: number;
  let marks: number;

  beforeEach(async () => {
    scene = await createScene();
    [port = 0] = await freePorts(1);
    nginx = await startNginx(scene, { port });
    marks = 0;
  });
  afterEach(async () => scene?.end());

  const start = (options: SondeOptions): Promise<Sonde> => startSonde(scene, { ports: [port], ...options });
  const load = () => h2load(scene, { url: `${nginx.url}/index.html`, exchanges: COUNT, connections: 16 });

  /** All exchanges of a role, whatever they were recognised as, without those that `settle` made. */
  const counted = (page: readonly Sample[], role: string): number =>
    PROTOCOLS.map((protocol) => sumOf(page, 'sonde_exchanges_total', { protocol, role })).reduce((a, b) => a + b) -
    marks;

  const expectAllAccounted = async (sonde: Sonde): Promise<Record<string, number>> => {
    await eventually(async () => {
      const page = await sonde.scrape();
      return counted(page, 'client') >= COUNT && counted(page, 'server') >= COUNT;
    }, 4_000);
    await sonde.settle();
    marks = 1;
    const page = await sonde.scrape();
    expect({ client: counted(page, 'client'), server: counted(page, 'server') }).toEqual({
      client: COUNT,
      server: COUNT,
    });
    return await expectLaw(sonde);
  };

  test('a ring that is too small', async () => {
    const sonde = await start({ capture: { ring_bytes: '64KiB' } });
    await load();
    const dropped = await expectAllAccounted(sonde);
    expect(dropped['hook.ring_full']).toBeGreaterThan(0);
  });

  test('a reader that is stopped for a while', async () => {
    const sonde = await start({ capture: { ring_bytes: '256KiB' } });
    const loading = load();
    await until(async () => countAt(await sonde.scrape(), port) > 0, { what: 'the load is seen' });
    process.kill(sonde.process.pid, 'SIGSTOP');
    try {
      await delay(400);
    } finally {
      process.kill(sonde.process.pid, 'SIGCONT');
    }
    await loading;
    const dropped = await expectAllAccounted(sonde);
    expect(dropped['hook.ring_full']).toBeGreaterThan(0);
    const page = await sonde.scrape();
    expect(sumOf(page, 'sonde_completeness_ratio')).toBeLessThanOrEqual(1);
  });

  test('a JavaScript thread blocked for 200 ms at full load: with default rings nothing is lost', async () => {
    const sonde = await start({ env: BLOCKABLE });
    const loading = load();
    await until(async () => countAt(await sonde.scrape(), port) > 0, { what: 'the load is seen' });
    await blockEventLoop(sonde.process, 200);
    await loading;
    expect(await expectAllAccounted(sonde)).toEqual({});
  });

  test('a JavaScript thread blocked for 200 ms at full load, rings too small for it', async () => {
    const sonde = await start({ env: BLOCKABLE, capture: { ring_bytes: '256KiB' } });
    const loading = load();
    await until(async () => countAt(await sonde.scrape(), port) > 0, { what: 'the load is seen' });
    await blockEventLoop(sonde.process, 200);
    await loading;
    await expectAllAccounted(sonde);
  });
});

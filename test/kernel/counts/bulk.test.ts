import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../traffic/condition.ts';
import { ab, h2load, wrk } from '../../traffic/generators/load.ts';
import { type Sample, sumOf } from '../../traffic/metrics.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type Nginx, startNginx } from '../../traffic/servers/nginx.ts';
import { countAt, type Sonde, startSonde } from '../../traffic/sonde.ts';
import { expectLawWithoutLoss, type Role } from '../expectations.ts';

const SIDES: readonly Role[] = ['client', 'server'];

describe('at full load, by the metrics alone', () => {
  let scene: Scene;
  let sonde: Sonde;
  let nginx: Nginx;
  let port: number;

  beforeEach(async () => {
    scene = await createScene();
    [port = 0] = await freePorts(1);
    nginx = await startNginx(scene, { port });
    // As large as can be: beside a busy neighbour, the reader may wait for a second at full load.
    sonde = await startSonde(scene, {
      ports: [port],
      capture: { ring_bytes: '64MiB' },
      limits: { memory: '1GiB' },
    });
  });
  afterEach(async () => scene?.end());

  const settle = async (least: number): Promise<Sample[]> => {
    await eventually(async () => {
      const page = await sonde.scrape();
      return SIDES.every((role) => countAt(page, port, role) >= least);
    }, 4_000);
    await sonde.settle();
    return await sonde.scrape();
  };

  test('h2load, 20,000 requests over 16 connections: 20,000 on each side, all 200', async () => {
    await h2load(scene, { url: `${nginx.url}/index.html`, exchanges: 20_000, connections: 16 });
    const page = await settle(20_000);
    for (const role of SIDES) {
      expect({ role, count: countAt(page, port, role) }).toEqual({ role, count: 20_000 });
      const labels = { http_response_status_code: '200', http_request_method: 'GET', http_route: '/index.html' };
      const name = `http_${role}_request_duration_seconds_count`;
      expect(sumOf(page, name, { ...labels, server_port: String(port) })).toBe(20_000);
    }
    expect(sumOf(page, 'sonde_exchanges_total', { protocol: 'generic' })).toBe(0);
    await expectLawWithoutLoss(sonde);
  });

  test('ab, 3,000 connections of one request: 3,000 on each side', async () => {
    await ab(scene, { url: `${nginx.url}/index.html`, exchanges: 3_000, connections: 8, keepAlive: false });
    const page = await settle(3_000);
    expect(SIDES.map((role) => countAt(page, port, role))).toEqual([3_000, 3_000]);
    expect(sumOf(page, 'sonde_exchanges_total', { protocol: 'generic' })).toBe(0);
    await expectLawWithoutLoss(sonde);
  });

  test.each([
    [1, 16],
    [8, 8],
    [16, 4],
  ])(
    'wrk, %i requests a time on each of %i connections: at most what was in flight more',
    async (depth, connections) => {
      const made = await wrk(scene, { url: `${nginx.url}/index.html`, seconds: 2, depth, connections });
      const page = await settle(made.exchanges);
      const served = (await nginx.entries()).length;
      const inFlight = depth * connections;
      expect(served - made.exchanges).toBeLessThanOrEqual(inFlight);
      for (const role of SIDES) {
        const count = countAt(page, port, role);
        expect({ role, missing: Math.max(0, made.exchanges - count) }).toEqual({ role, missing: 0 });
        expect({ role, tooMany: Math.max(0, count - made.exchanges - inFlight) }).toEqual({ role, tooMany: 0 });
      }
      expect(sumOf(page, 'sonde_exchanges_total', { protocol: 'generic' })).toBe(0);
      await expectLawWithoutLoss(sonde);
    },
  );
});

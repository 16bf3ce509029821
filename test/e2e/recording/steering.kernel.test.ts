import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { freePorts } from '../../traffic/port.ts';
import { openRaw } from '../../traffic/raw.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { startSonde } from '../../traffic/sonde.ts';
import { ask } from '../../unit/control/ask.ts';
import { liveLines, parsed, replay } from './recorded.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(async () => scene?.end());

test('what was switched while it was recorded is switched again in the replay', async () => {
  const [port = 0] = await freePorts(1);
  const nginx = await startNginx(scene, { port });
  const file = join(scene.directory, 'steered.sonde');
  const live = await startSonde(scene, { ports: [port], lines: true, args: ['--record', file] });
  const put = async (path: string, body: object): Promise<void> => {
    const { status } = await ask(`${live.controlUrl}${path}`, { method: 'PUT', body: JSON.stringify(body) });
    expect(status).toBe(200);
  };
  const kept = await openRaw(scene, { port });
  const load = async (responses: number): Promise<void> => {
    await kept.send('GET /kept HTTP/1.1\r\nHost: h\r\n\r\n');
    await kept.responses(responses);
    await h2load(scene, { url: `${nginx.url}/`, exchanges: 20, connections: 2 });
    await live.settle().catch(() => undefined);
  };
  await load(1);
  await put('/features', { http: 'off' });
  await kept.send('GET /off HTTP/1.1\r\nHost: h\r\n\r\n');
  await kept.responses(2);
  await h2load(scene, { url: `${nginx.url}/`, exchanges: 20, connections: 2 });
  await until(() => live.at(port).filter(({ protocol }) => protocol === 'generic').length >= 40, {
    what: 'they are taken for generic',
    timeoutMs: 20_000,
  });
  await put('/features', { http: 'on' });
  await load(3);
  await put('/policies', { rules: [{ port, policy: 'ignore' }] });
  await kept.send('GET /ignored HTTP/1.1\r\nHost: h\r\n\r\n');
  await kept.responses(4);
  await put('/policies', { rules: [] });
  await load(5);
  await kept.close();
  expect(await live.stop()).toBe(0);

  const { code, stderr, lines } = await replay([file]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(lines).toEqual(liveLines(live));
  const seen = parsed(lines).filter(({ dst }) => dst.endsWith(`:${port}`));
  expect(seen.some(({ protocol }) => protocol === 'generic')).toBe(true);
  expect(seen.some(({ resource }) => resource === '/kept')).toBe(true);
});

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { startSonde } from '../../traffic/sonde.ts';
import type { ExchangeLine } from '../../traffic/sonde.ts';
import { SECRET, startMixedTraffic } from './mixed-traffic.ts';
import type { MixedTraffic } from './mixed-traffic.ts';
import { liveLines, parsed, replay, sectionsOf } from './recorded.ts';

interface Masked {
  readonly traffic: MixedTraffic;
  readonly file: string;
  readonly live: readonly ExchangeLine[];
  readonly replayed: readonly ExchangeLine[];
}

async function record(scene: Scene, option: string): Promise<Masked> {
  const traffic = await startMixedTraffic(scene);
  const file = join(scene.directory, `${option}.sonde`);
  const running = await startSonde(scene, { ports: traffic.ports, lines: true, args: ['--record', file, option] });
  await traffic.make();
  await running.settle();
  await running.stop();
  const { lines, stderr } = await replay([file]);
  expect(stderr).toBe('');
  return { traffic, file, live: parsed(liveLines(running)), replayed: parsed(lines) };
}

/** Everything in the file, decompressed, as Latin-1. */
function bytesOf(file: string): string {
  return sectionsOf(file)
    .map(({ content }) => content.toString('latin1'))
    .join('');
}

describe.each([['--redact'], ['--redact-paths']])('%s', (option) => {
  let scene: Scene;
  let masked: Masked;
  beforeAll(async () => {
    scene = await createScene();
    masked = await record(scene, option);
  }, 120_000);
  afterAll(async () => scene?.end());

  test('no body, credential, cookie or query is left in the file', () => {
    const bytes = bytesOf(masked.file);
    // What is kept is there, so that the search is known to find things.
    expect(bytes).toContain('HTTP/1.1 404 ');
    expect(bytes).toContain('Authorization: xxxxxx xxx');
    expect(bytes).not.toContain(SECRET);
    expect(bytes).not.toContain(SECRET.slice(0, 5));
    expect(bytes).not.toContain('Bearer');
    // nginx's page for 404, and a part of what curl posted.
    expect(bytes).not.toContain('<html>');
    expect(bytes).not.toContain('"card"');
  });

  test('paths stay, or go as asked for', () => {
    const bytes = bytesOf(masked.file);
    expect(bytes.includes('/users/4711/orders')).toBe(option === '--redact');
    expect(bytes.includes('/xxxxx/xxxx/xxxxxx ')).toBe(option !== '--redact');
  });

  test('the replay has the same exchanges with the same sizes, times and results', () => {
    const comparable = (line: ExchangeLine): object => {
      const { resource, attributes, ...rest } = line;
      const kept = option === '--redact' ? { resource } : {};
      const known = ['http.request.method', 'http.response.status_code', 'network.protocol.version', 'net.rtt'];
      return {
        ...rest,
        ...kept,
        attributes: Object.fromEntries(known.map((name) => [name, attributes[name]])),
      };
    };
    expect(masked.replayed.length).toBe(masked.live.length);
    expect(masked.replayed.map(comparable)).toEqual(masked.live.map(comparable));
  });
});

import { chmod, copyFile, cp, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectLawWithoutLoss } from '../../kernel/expectations.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { startSonde } from '../../traffic/sonde.ts';
import type { ExchangeLine } from '../../traffic/sonde.ts';
import { sonde } from '../cli/sonde-process.ts';
import { SECRET, startMixedTraffic } from './mixed-traffic.ts';
import type { MixedTraffic } from './mixed-traffic.ts';
import { inOrder, liveLines, parsed, replay, sectionsOf } from './recorded.ts';
import type { Replayed } from './recorded.ts';

const NOBODY = 65_534;
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

describe('a recording made beside a live run', () => {
  let scene: Scene;
  let traffic: MixedTraffic;
  let file: string;
  let live: string[];
  let exit: number | null;
  let replayed: Replayed;

  beforeAll(async () => {
    scene = await createScene();
    traffic = await startMixedTraffic(scene);
    file = join(scene.directory, 'live.sonde');
    const running = await startSonde(scene, { ports: traffic.ports, lines: true, args: ['--record', file] });
    await traffic.make(2);
    await running.settle();
    await expectLawWithoutLoss(running);
    exit = await running.stop();
    live = liveLines(running);
    replayed = await replay([file]);
  }, 120_000);
  afterAll(async () => scene?.end());

  test('gives the exchanges that the live run printed, byte for byte, and nothing else', () => {
    expect({ exit, code: replayed.code, stderr: replayed.stderr }).toEqual({ exit: 0, code: 0, stderr: '' });
    expect(replayed.lines).toEqual(live);
  });

  test('gives them by time, then by connection', () => {
    expect(replayed.lines).toEqual(inOrder(parsed(replayed.lines)));
  });

  test.each(['client', 'server'] as const)('has the number that the generators made, seen from the %s', (role) => {
    for (const [port, made] of traffic.made) {
      const own = parsed(replayed.lines).filter((line) => line.role === role && line.dst.endsWith(`:${port}`));
      expect(tally(own, port === traffic.own), `port ${port}`).toEqual(made);
    }
  });

  test('saw both address families, and answers in every framing', () => {
    const hosts = new Set(parsed(replayed.lines).map(({ dst }) => dst.slice(0, dst.lastIndexOf(':'))));
    expect(hosts).toEqual(new Set(['127.0.0.1', '[::1]']));
    const slow = parsed(replayed.lines).filter(({ resource }) => resource === '/delay/300');
    expect(slow).toHaveLength(2);
    for (const { duration_ns: ns } of slow) expect(ns).toBeGreaterThan(290e6);
  });

  test('yields the same bytes each time, from standard input too', async () => {
    expect((await replay([file])).stdout).toBe(replayed.stdout);
    expect((await replay(['-'], { input: await readFile(file) })).stdout).toBe(replayed.stdout);
  });

  test('can be replayed by a user without any privilege, once it is theirs to read', async () => {
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await chmod(scene.directory, 0o755);
    const refused = await replay([file], { uid: NOBODY });
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('EACCES');
    const theirs = join(scene.directory, 'theirs.sonde');
    await copyFile(file, theirs);
    await chmod(theirs, 0o644);
    const { code, stdout } = await replay([theirs], { uid: NOBODY });
    expect(code).toBe(0);
    expect(stdout).toBe(replayed.stdout);
  });

  test('can be replayed where neither addon nor BPF object is', async () => {
    const copy = join(scene.directory, 'copy');
    await mkdir(copy);
    for (const part of ['bin', 'dist', 'package.json'])
      await cp(join(ROOT, part), join(copy, part), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    expect(existsSync(join(copy, 'build'))).toBe(false);
    const program = join(copy, 'bin', 'sonde');
    const { code, stdout, stderr } = await replay([file], { program });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(replayed.stdout);
    // It is really not there: what needs it says so.
    const run = await sonde(['record', join(scene.directory, 'none.sonde'), '--for', '1'], { program });
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('is not built');
  });

  test('holds nothing that Sonde itself sent or printed', async () => {
    const held = sectionsOf(file).map(({ content }) => content.toString('latin1'));
    // What passed is there: the search finds things.
    expect(held.some((text) => text.includes('GET /missing'))).toBe(true);
    expect(held.some((text) => text.includes(SECRET))).toBe(true);
    for (const text of held) {
      expect(text).not.toContain('GET /metrics');
      expect(text).not.toContain('"duration_ns"');
    }
  });

  test('can be cut down to a time and to a condition', async () => {
    const filtered = await sonde(['replay', file, '--filter', 'status>=500', '--from', '+0s']);
    expect(filtered.stdout.split('\n').slice(0, -1)).toEqual(
      live.filter((line) => Number((JSON.parse(line) as ExchangeLine).status) >= 500),
    );
  });
});

/** Outcomes as the generators name them. */
function tally(lines: readonly ExchangeLine[], ownProtocol: boolean): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, error, complete } of lines) {
    const failed = error !== null && error !== 'status';
    const outcome = ownProtocol ? 'line' : failed ? (status === null ? error : 'cut') : (status ?? 'none');
    const name = complete || failed ? outcome : `incomplete ${outcome}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

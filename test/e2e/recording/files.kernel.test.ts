import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { freePorts } from '../../traffic/port.ts';
import { openRaw } from '../../traffic/raw.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import type { Nginx } from '../../traffic/servers/nginx.ts';
import { startSonde } from '../../traffic/sonde.ts';
import { sonde, STACK } from '../cli/sonde-process.ts';
import { lawLine, startRecording } from './record.ts';
import { parsed, replay } from './recorded.ts';

const MIB = 2 ** 20;
/** All bytes of all calls, which are random: gzip makes nothing of them. */
const LARGE = { SONDE_CAPTURE_POLICY: 'stream', SONDE_CAPTURE_PAYLOAD_BYTES: '4096' };

let scene: Scene;
let port: number;
let nginx: Nginx;
beforeEach(async () => {
  scene = await createScene();
  [port = 0] = await freePorts(1);
  nginx = await startNginx(scene, { port });
  writeFileSync(join(scene.directory, `nginx-${port}`, 'www', 'random'), randomBytes(100_000));
});
afterEach(async () => scene?.end());

const load = (exchanges: number): Promise<unknown> =>
  h2load(scene, { url: `${nginx.url}/random`, exchanges, connections: 2 });

describe('--max-size and --max-files', () => {
  test('files stay within their size, the oldest make room, and the last alone knows whom its connections join', async () => {
    const folder = join(scene.directory, 'parts');
    mkdirSync(folder);
    const file = join(folder, 'r.sonde');
    const args = ['--max-size', '256KiB', '--max-files', '3'];
    const recording = await startRecording(scene, { file, ports: [port], args, env: LARGE });
    const old = await openRaw(scene, { port });
    await old.send('GET /?first HTTP/1.1\r\nHost: old\r\n\r\n');
    await old.responses(1);
    const from = old.socket.localPort ?? 0;
    // Until the file in which that connection was opened is gone.
    await until(
      async () => {
        await load(2);
        return !existsSync(file);
      },
      { what: 'the first file makes room', timeoutMs: 60_000, everyMs: 200 },
    );
    await old.send('GET /?last HTTP/1.1\r\nHost: old\r\n\r\n');
    await old.responses(2);
    await old.close();
    expect(await recording.stop()).toBe(0);

    const names = readdirSync(folder);
    expect(names).toHaveLength(3);
    for (const name of names) {
      const { size, mode } = statSync(join(folder, name));
      expect(size).toBeLessThanOrEqual(256 << 10);
      expect(mode & 0o777).toBe(0o600);
    }
    const { in_flight: inFlight, dropped } = lawLine(recording.process.output.stderr, 'record');
    expect({ inFlight, dropped }).toEqual({ inFlight: 0, dropped: 0 });
    // In any order; it says what is not there.
    const { code, stderr, lines } = await replay(names.map((name) => join(folder, name)));
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sonde: .*it is part \d+ of its recording; what is in the parts before it is not known\n$/);
    const known = parsed(lines).filter(({ complete }) => complete);
    for (const { dst, src } of known) {
      expect(dst).toBe(`127.0.0.1:${port}`);
      expect(src).toMatch(/^127\.0\.0\.1:\d+$/);
    }
    const onOld = known.filter(({ attributes }) => attributes['server.address'] === 'old');
    expect(onOld.map(({ role }) => role).toSorted()).toEqual(['client', 'server']);
    for (const { src } of onOld) expect(src).toBe(`127.0.0.1:${from}`);
  });

  test('without a number of files, a full file ends the recording, and that is no failure', async () => {
    const file = join(scene.directory, 'full.sonde');
    const args = ['--max-size', '256KiB'];
    const recording = await startRecording(scene, { file, ports: [port], args, env: LARGE });
    await load(60);
    expect(await recording.process.exited).toBe(0);
    expect(recording.process.output.stderr).toContain(`${file} is full (--max-size)`);
    expect(statSync(file).size).toBeLessThanOrEqual(256 << 10);
    expect(statSync(file).size).toBeGreaterThan(64 << 10);
    const { produced, delivered, in_flight: inFlight, dropped } = lawLine(recording.process.output.stderr, 'record');
    expect(inFlight).toBe(0);
    expect(produced).toBe(delivered + dropped);
    expect(dropped).toBeGreaterThan(0);
    expect(await replay([file])).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a file system', () => {
  /** Of so many MiB, of its own. */
  function mount(mib: number): string {
    const path = join(scene.directory, 'disk');
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'sonde-test', path]);
    scene.onEnd(() => void execFileSync('umount', ['-l', path]));
    return path;
  }

  test('keeps what --min-free asks for: the recording ends before, whole, and says so', async () => {
    const disk = mount(24);
    const file = join(disk, 'r.sonde');
    const args = ['--min-free', '16MiB'];
    const recording = await startRecording(scene, { file, ports: [port], args, env: LARGE });
    const end = { reached: false };
    void recording.process.exited.then(() => (end.reached = true));
    while (!end.reached) await load(50);
    expect(await recording.process.exited).toBe(4);
    const { stderr } = recording.process.output;
    expect(stderr).toContain('has no more free than it is to keep (--min-free)');
    expect(stderr).not.toMatch(STACK);
    const { bavail, bsize } = statfsSync(disk);
    expect(bavail * bsize).toBeGreaterThanOrEqual(16 * MIB - 64 * 1024);
    expect(lawLine(stderr, 'record').in_flight).toBe(0);
    expect(await replay([file])).toMatchObject({ code: 0, stderr: '' });
    const again = await sonde(['record', join(disk, 'no.sonde'), '--min-free', '23MiB', '--for', '1']);
    expect(again.code).toBe(4);
    expect(again.stderr).toContain('too little room (--min-free)');
    expect(existsSync(join(disk, 'no.sonde'))).toBe(false);
  });

  test('that is full all the same leaves what was written, and the probe goes on', async () => {
    const disk = mount(3);
    const file = join(disk, 'r.sonde');
    const live = await startSonde(scene, {
      ports: [port],
      lines: true,
      capture: { policy: 'stream', payload_bytes: 4096 },
      args: ['--record', file, '--min-free', '0'],
    });
    await until(
      async () => {
        await load(50);
        return live.process.output.stderr.includes('ENOSPC');
      },
      { what: 'the disk is full', timeoutMs: 40_000 },
    );
    await live.settle();
    const before = live.at(port).length;
    await load(10);
    await live.settle();
    expect(live.at(port).length).toBe(before + 20);
    expect(await live.stop()).toBe(0);
    const { code, stderr, lines } = await replay([file]);
    expect(code).toBe(1);
    expect(stderr).toContain('it was cut off');
    expect(lines.length).toBeGreaterThan(20);
  });
});

test('a file that is there is never written over, nor what a link points to', async () => {
  const file = join(scene.directory, 'theirs');
  writeFileSync(file, 'theirs');
  execFileSync('ln', ['-s', join(scene.directory, 'target'), join(scene.directory, 'link')]);
  for (const path of [file, join(scene.directory, 'link')]) {
    const { code, stderr } = await sonde(['record', path, '--for', '1']);
    expect(code).toBe(4);
    expect(stderr).toContain('is there already, and a recording never writes over a file');
    expect(stderr).not.toMatch(STACK);
  }
  expect(readFileSync(file, 'utf8')).toBe('theirs');
  expect(existsSync(join(scene.directory, 'target'))).toBe(false);
  writeFileSync(join(scene.directory, 'r.2.sonde'), 'theirs');
  const later = await sonde(['record', join(scene.directory, 'r.sonde'), '--max-files', '2', '--for', '1']);
  expect(later.code).toBe(4);
  expect(later.stderr).toContain('r.2.sonde is there already');
  const nowhere = await sonde(['record', join(scene.directory, 'no/such.sonde'), '--for', '1']);
  expect(nowhere.code).toBe(4);
  expect(nowhere.stderr).toContain('its folder does not exist');
  expect(nowhere.stderr).not.toMatch(STACK);
});

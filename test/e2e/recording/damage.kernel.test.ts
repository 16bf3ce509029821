import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SECTION, SECTION_HEAD_BYTES } from '../../../src/recording/format.ts';
import { until } from '../../traffic/condition.ts';
import { h2load } from '../../traffic/generators/load.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { lawLine, startRecording } from './record.ts';
import { parsed, replay, sectionsOf } from './recorded.ts';
import type { Section } from './recorded.ts';

/** Lines of exchanges of which nothing is missing. */
const whole = (lines: readonly string[]): string[] => lines.filter((line) => parsed([line])[0].complete);

describe('sonde record, alone', () => {
  let scene: Scene;
  let file: string;
  let content: Buffer;
  let exit: number | null;
  let said: string;
  let lines: readonly string[];
  let blocks: readonly Section[];
  const made = 3 * 300;

  beforeAll(async () => {
    scene = await createScene();
    const [port = 0] = await freePorts(1);
    const nginx = await startNginx(scene, { port });
    file = join(scene.directory, 'alone.sonde');
    const recording = await startRecording(scene, { file, ports: [port] });
    let size = 0;
    for (let i = 0; i < 3; i++) {
      await h2load(scene, { url: `${nginx.url}/`, exchanges: 300, connections: 3 });
      // A block is written each second.
      await until(() => readFileSync(file).length > size, { what: 'a block is written', timeoutMs: 15_000 });
      size = readFileSync(file).length;
    }
    exit = await recording.stop('SIGINT');
    said = recording.process.output.stderr;
    content = readFileSync(file);
    blocks = sectionsOf(file).filter(({ type }) => type === SECTION.block);
    ({ lines } = await replay([file]));
  });
  afterAll(async () => scene?.end());

  const replayBytes = (bytes: Uint8Array): ReturnType<typeof replay> => replay(['-'], { input: bytes });

  test('keeps every exchange that was made, from both ends, and says what it wrote', () => {
    expect(exit).toBe(0);
    const { produced, delivered, in_flight: inFlight, dropped } = lawLine(said, 'record');
    expect({ inFlight, dropped, delivered }).toEqual({ inFlight: 0, dropped: 0, delivered: produced });
    expect(said).toContain(`recorded bytes=${content.length} files=1 last=${file}`);
    for (const role of ['client', 'server']) {
      const own = parsed(lines).filter((line) => line.role === role);
      expect(own.filter(({ status, complete }) => status === '200' && complete)).toHaveLength(made);
      expect(own).toHaveLength(made);
    }
    expect(blocks.length).toBeGreaterThan(3);
  });

  test('cut off anywhere, it yields what stands before', async () => {
    const known = new Set(lines);
    const [first] = blocks;
    const middle = blocks[Math.floor(blocks.length / 2)];
    const last = blocks.at(-1) ?? middle;
    const places = [
      first.offset + 10,
      middle.offset,
      middle.offset + SECTION_HEAD_BYTES + 1,
      middle.offset + Math.floor(middle.length / 2),
      last.offset + last.length,
      content.length - 1,
    ];
    let before = 0;
    for (const place of places) {
      const { code, stderr, lines: got } = await replayBytes(content.subarray(0, place));
      expect(code, `cut at ${place}`).toBe(1);
      expect(stderr, `cut at ${place}`).toMatch(/^sonde: -: byte \d+: .+\n$/);
      const intact = whole(got);
      for (const line of intact) expect(known.has(line), `cut at ${place}: ${line}`).toBe(true);
      expect(intact.length).toBeGreaterThanOrEqual(before);
      before = intact.length;
    }
    expect(before).toBe(lines.length);
  });

  test('cut off within its header, it is refused with a reason', async () => {
    for (const place of [9, blocks[0].offset - 1]) {
      const { code, stdout, stderr } = await replayBytes(content.subarray(0, place));
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('ends within its header');
    }
  });

  test('with a block damaged in the middle, the rest is there, and it says what is lost', async () => {
    // The one with most records.
    const { offset, length } = blocks.toSorted((one, other) => other.length - one.length)[0];
    const damaged = Buffer.from(content);
    damaged[offset + Math.floor(length / 2)] ^= 0x10;
    const { code, stderr, lines: got } = await replayBytes(damaged);
    const records = content.readUInt32LE(offset + 12);
    expect(code).toBe(1);
    expect(stderr).toBe(
      `sonde: -: byte ${offset}: a block is damaged: its checksum does not fit; ${records} records are lost\n`,
    );
    const intact = whole(got);
    const known = new Set(lines);
    // Connections that were opened in what is lost are there, but not their addresses.
    for (const line of intact) expect(known.has(line) || parsed([line])[0].src === '', line).toBe(true);
    expect(intact.length).toBeLessThan(lines.length);
    const place = blocks.findIndex((block) => block.offset === offset);
    expect(place).toBeLessThan(blocks.length - 1);
    // What was lost begins after the first exchange and ends before the last one.
    expect(intact.at(-1)).toBe(lines.at(-1));
  });

  test('killed, it has left what it had written', async () => {
    const [port = 0] = await freePorts(1);
    const nginx = await startNginx(scene, { port });
    const path = join(scene.directory, 'killed.sonde');
    const copy = join(scene.directory, 'copy.sonde');
    const recording = await startRecording(scene, { file: path, ports: [port] });
    await h2load(scene, { url: `${nginx.url}/`, exchanges: 200, connections: 2 });
    // It can be replayed while it grows.
    const written = await until(
      async () => {
        copyFileSync(path, copy);
        const { lines: got } = await replay([copy]);
        return whole(got).length >= 400 && got;
      },
      { what: 'all of it is written', timeoutMs: 30_000 },
    );
    await h2load(scene, { url: `${nginx.url}/`, exchanges: 200, connections: 2 });
    expect(await recording.stop('SIGKILL')).toBe(null);
    const { code, stderr, lines: left } = await replay([path]);
    expect(code).toBe(1);
    expect(stderr).toContain('it was cut off');
    expect(whole(left).slice(0, 400)).toEqual(whole(written).slice(0, 400));
  });

  test('what is not a recording, or of another version, is refused', async () => {
    const other = Buffer.from(content);
    other.writeUInt16LE(2, 6);
    const path = join(scene.directory, 'other.sonde');
    writeFileSync(path, other);
    const { code, stderr } = await replay([path]);
    expect(code).toBe(2);
    expect(stderr).toContain('its format has version 2, this program reads version 1');
  });
});

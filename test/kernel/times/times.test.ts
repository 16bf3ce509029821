import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileProgram, runClient, startCServer } from '../../traffic/compile.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type ExchangeLine, type Sonde, startSonde } from '../../traffic/sonde.ts';
import { median, quantile, settled } from '../expectations.ts';

const MS = 1e6;
const COUNT = 1_000;

/** What the issue allows: 0.2 ms or 1 %, whichever is more. */
const tolerance = (ns: number): number => Math.max(0.2 * MS, 0.01 * ns);

describe('times equal what the client saw', () => {
  let scene: Scene;
  let sonde: Sonde;
  let server: string;
  let client: string;
  const ports: number[] = [];

  beforeAll(async () => {
    scene = await createScene();
    server = await compileProgram(scene, { name: 'server' });
    client = await compileProgram(scene, { name: 'client' });
    ports.push(...(await freePorts(8)));
    sonde = await startSonde(scene, { ports, lines: true });
  });
  afterAll(async () => scene?.end());

  const measure = async (
    options: Record<string, number | string>,
  ): Promise<{ first: number[]; whole: number[]; client: ExchangeLine[]; server: ExchangeLine[] }> => {
    const port = ports.pop() as number;
    const times = join(scene.directory, `times-${port}`);
    const running = await startCServer(scene, server, { port, ...options });
    await runClient(scene, client, { port, count: COUNT, times });
    await running.end();
    const lines = await settled(sonde, port, 2 * COUNT);
    const pairs = await readLines(times);
    return {
      first: pairs.map(([first]) => first),
      whole: pairs.map(([, whole]) => whole),
      client: lines.filter(({ role }) => role === 'client'),
      server: lines.filter(({ role }) => role === 'server'),
    };
  };

  const expectAlike = (what: string, seen: readonly number[], told: readonly number[]): void => {
    expect(seen).toHaveLength(COUNT);
    expect(told).toHaveLength(COUNT);
    const us = (ns: number): string => (ns / 1_000).toFixed(1);
    console.log(
      `${what}: median ${us(median(seen))} µs (the client: ${us(median(told))}), ` +
        `p99 ${us(quantile(seen, 0.99))} µs (the client: ${us(quantile(told, 0.99))})`,
    );
    expect(Math.abs(median(seen) - median(told)), what).toBeLessThanOrEqual(tolerance(median(told)));
  };

  /** The server's side begins when it reads and ends when it has sent: between what it slept and what the client saw. */
  const expectBetween = (what: string, seen: readonly number[], sleptUs: number, told: readonly number[]): void => {
    expect(seen).toHaveLength(COUNT);
    expect(median(seen), what).toBeGreaterThanOrEqual(sleptUs * 1_000);
    expect(median(seen), what).toBeLessThanOrEqual(median(told) + tolerance(median(told)));
  };

  test.each([
    ['at once', 0, 0],
    ['after 1.5 ms', 1_500, 0],
    ['with its head after 1 ms and its body 1.5 ms later', 1_000, 1_500],
  ])('a server that answers %s: durations and first bytes', async (what, delay_us, body_delay_us) => {
    const seen = await measure({ delay_us, body_delay_us });
    const durations = (lines: readonly ExchangeLine[]): number[] => lines.map(({ duration_ns }) => duration_ns);
    const firsts = (lines: readonly ExchangeLine[]): number[] => lines.map(({ ttfb_ns }) => ttfb_ns ?? Number.NaN);
    expectAlike(`${what}, duration`, durations(seen.client), seen.whole);
    expectAlike(`${what}, first byte`, firsts(seen.client), seen.first);
    expectBetween(`${what}, server, duration`, durations(seen.server), delay_us + body_delay_us, seen.whole);
    expectBetween(`${what}, server, first byte`, firsts(seen.server), delay_us, seen.first);
  });

  test('the time of an exchange is wall time', async () => {
    const before = BigInt(Date.now()) * 1_000_000n;
    const seen = await measure({ delay_us: 0 });
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    for (const { time } of [...seen.client, ...seen.server]) {
      expect(BigInt(time) >= before - 1_000_000n && BigInt(time) <= after).toBe(true);
    }
  });
});

describe('queue time: how long a request lay in the socket before it was read', () => {
  test.each([
    // A tick of the kernel is at most 10 ms long; two of them.
    ['coarse', 20 * MS],
    ['precise', 0.5 * MS],
  ])('an application that reads 300 ms late, %s', async (queue_time, within) => {
    const scene = await createScene();
    try {
      const [port = 0] = await freePorts(1);
      const [times, reads] = [join(scene.directory, 'times'), join(scene.directory, 'reads')];
      const sonde = await startSonde(scene, { ports: [port], lines: true, capture: { queue_time } });
      const server = await compileProgram(scene, { name: 'server' });
      const client = await compileProgram(scene, { name: 'client' });
      await startCServer(scene, server, { port, read_delay_us: 300_000, reads });
      await runClient(scene, client, { port, count: 5, times });
      const lines = (await settled(sonde, port, 10)).filter(({ role }) => role === 'server');
      expect(lines).toHaveLength(5);
      const sent = (await readLines(times)).map(([, , at]) => at);
      const read = (await readLines(reads)).map(([at]) => at);
      const errors = lines.map(({ queue_ns }, i) => (queue_ns ?? Number.NaN) - (read[i] - sent[i]));
      console.log(`queue time, ${queue_time}: off by ${errors.map((ns) => (ns / MS).toFixed(3)).join(', ')} ms`);
      // The median: between the two clock readings a process may be taken off its CPU.
      expect(median(lines.map(({ queue_ns }) => queue_ns ?? Number.NaN))).toBeGreaterThan(280 * MS);
      expect(Math.abs(median(errors))).toBeLessThanOrEqual(within);
      expect(await sonde.stop()).toBe(0);
    } finally {
      await scene.end();
    }
  });
});

async function readLines(file: string): Promise<number[][]> {
  const text = await readFile(file, 'latin1');
  return text
    .trim()
    .split('\n')
    .map((line) => line.split(' ').map(Number));
}

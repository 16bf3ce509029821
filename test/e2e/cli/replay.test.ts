import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExchangeLine } from '../../../src/model/exchange-line.ts';
import { sonde, STACK } from './sonde-process.ts';

const START = 1_700_000_000_000_000_000n;
const MS = 1_000_000n;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonde-replay-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function segment(atMs: number, conn: string, direction: 'send' | 'recv', text: string): string {
  return JSON.stringify({
    time: String(START + BigInt(atMs) * MS),
    conn,
    direction,
    role: 'server',
    src: '127.0.0.1:40000',
    dst: '127.0.0.1:80',
    payload: Buffer.from(text).toString('base64'),
  });
}

function exchange(atMs: number, conn: string, path: string, status: number, tookMs: number): string[] {
  return [
    segment(atMs, conn, 'recv', `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`),
    segment(atMs + tookMs, conn, 'send', `HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`),
  ];
}

/** The first one to begin is the last one to end. */
const RECORDED = [
  ...exchange(0, 'c', '/slow', 200, 500),
  ...exchange(100, 'b', '/users/42?x=1', 503, 5),
  ...exchange(100, 'a', '/a', 200, 5),
  ...exchange(400, 'a', '/late', 404, 1),
]
  .toSorted((one, two) =>
    (JSON.parse(one) as { time: string }).time.localeCompare((JSON.parse(two) as { time: string }).time),
  )
  .map((line) => `${line}\n`)
  .join('');

const resources = (stdout: string): (string | null)[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as ExchangeLine).resource);

test('exchanges come by time, then by connection, with every key of the contract', async () => {
  const { code, stdout, stderr } = await sonde(['replay', file('good.ndjson', RECORDED)]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(resources(stdout)).toEqual(['/slow', '/a', '/users/42', '/late']);
  const [line] = stdout.split('\n');
  expect(JSON.parse(line ?? '')).toMatchObject({
    time: String(START),
    protocol: 'http',
    role: 'server',
    src: '127.0.0.1:40000',
    dst: '127.0.0.1:80',
    operation: 'GET',
    resource: '/slow',
    status: '200',
    error: null,
    duration_ns: 500_000_000,
    conn: 'c',
    complete: true,
    estimated: false,
  });
});

describe('input', () => {
  test('- is standard input, and several inputs are one stream', async () => {
    const [first, second] = [RECORDED.slice(0, RECORDED.length / 2), RECORDED.slice(RECORDED.length / 2)];
    const half = file('half.ndjson', first.slice(0, first.lastIndexOf('\n') + 1));
    const rest = first.slice(first.lastIndexOf('\n') + 1) + second;
    const { code, stdout } = await sonde(['replay', half, '-'], { input: rest });
    expect(resources(stdout)).toEqual(['/slow', '/a', '/users/42', '/late']);
    expect(code).toBe(0);
  });

  test('bad lines are named with their number, the rest goes on: 1', async () => {
    const path = file(
      'bad.ndjson',
      `${RECORDED}garbage\n{"time":"1"}\n${exchange(600, 'd', '/after', 200, 1).join('\n')}`,
    );
    const { code, stdout, stderr } = await sonde(['replay', path]);
    expect(stderr.split('\n')).toEqual([
      expect.stringContaining(`${path}:9: not JSON`) as string,
      expect.stringContaining(`${path}:10: `) as string,
      '',
    ]);
    expect(resources(stdout)).toContain('/after');
    expect(code).toBe(1);
  });

  test('nothing gives nothing', async () => {
    expect(await sonde(['replay', '-'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await sonde(['replay', file('empty.ndjson', '')])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['recording.sonde', '534f4e44450001020304050607080910', 'its format has version 513'],
    ['traffic.ndjson', 'd4c3b2a1020004000000000000000000ffff000001000000', '.pcap file'],
    ['traffic', '0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff', '.pcapng file'],
    ['program', '7f454c4602010100000000000000000003003e0001000000', 'no known format'],
  ])('%s is told by its content, not by its name: 2', async (name, hex, expected) => {
    const bytes = Buffer.from(hex, 'hex');
    for (const { code, stdout, stderr } of [
      await sonde(['replay', file(name, bytes)]),
      await sonde(['replay', '-'], { input: bytes }),
    ]) {
      expect(stderr).toContain(expected);
      expect(stderr).not.toMatch(STACK);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
  });

  test.each([
    ['absent.ndjson', 'does not exist'],
    ['.', 'is a directory'],
  ])('%s: 2, before anything is read', async (name, expected) => {
    const { code, stdout, stderr } = await sonde(['replay', file('first.ndjson', RECORDED), join(folder, name)]);
    expect(stderr).toContain(expected);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('selection', () => {
  test.each([
    [['--filter', 'status>=500'], ['/users/42']],
    [
      ['--filter', 'duration_ns>=100ms or resource~late'],
      ['/slow', '/late'],
    ],
    [
      ['--from', '+1ms'],
      ['/a', '/users/42', '/late'],
    ],
    [
      ['--from', String(START + 100n * MS), '--to', String(START + 400n * MS)],
      ['/a', '/users/42'],
    ],
    [['--to', '2023-11-14T22:13:20.1Z'], ['/slow']],
    [['--filter', 'status=200', '--from', '+1ms'], ['/a']],
  ])('%j', async (args, expected) => {
    const { code, stdout, stderr } = await sonde(['replay', '-', ...args], { input: RECORDED });
    expect(stderr).toBe('');
    expect(resources(stdout)).toEqual(expected);
    expect(code).toBe(0);
  });
});

test('--format table is for people', async () => {
  const { stdout } = await sonde(['replay', '-', '--format', 'table'], { input: RECORDED });
  const lines = stdout.trimEnd().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toMatch(/^TIME +PROTOCOL +ROLE +CLIENT +SERVER +REQUEST +RESULT +DURATION/);
  expect(lines[1]).toMatch(/22:13:20\.000000 +http +server .* GET \/slow +200 +500ms/);
});

test('--speed keeps the time between the events', async () => {
  const start = performance.now();
  const { stdout } = await sonde(['replay', '-', '--speed', '0.5x'], { input: RECORDED });
  expect(resources(stdout)).toHaveLength(4);
  // From 0 to 500 ms in steps of 100 ms, at half the speed.
  expect(performance.now() - start).toBeGreaterThan(800);
});

test('protocols can be switched off', async () => {
  const { stdout } = await sonde(['replay', '-'], {
    input: RECORDED,
    env: { SONDE_ANALYZERS_NETWORK_PROTOCOLS_HTTP_ENABLED: 'false' },
  });
  const protocols = new Set(
    stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as ExchangeLine).protocol),
  );
  expect([...protocols]).toEqual(['generic']);
  const { stdout: nothing } = await sonde(['replay', '-'], {
    input: RECORDED,
    env: {
      SONDE_ANALYZERS_NETWORK_PROTOCOLS_HTTP_ENABLED: 'false',
      SONDE_ANALYZERS_NETWORK_PROTOCOLS_GENERIC_ENABLED: 'false',
    },
  });
  expect(nothing).toBe('');
});

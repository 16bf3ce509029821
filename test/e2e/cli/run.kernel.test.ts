import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { startProcess } from '../../traffic/process.ts';
import type { RunningProcess } from '../../traffic/process.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { askJson } from './ask.ts';
import { PROGRAM, sonde, STACK } from './sonde-process.ts';

const READY =
  /^sonde ready metrics=(http:\/\/127\.0\.0\.1:\d+\/metrics) control=(http:\/\/127\.0\.0\.1:\d+) features=(\d+)\/(\d+)$/m;
const LAW = /^law stage=\S+ produced=\d+ delivered=\d+ in_flight=\d+ dropped=\d+ skipped=\d+( \S+=\d+)*$/;

/** Ports of its own, so that nothing on this machine is in the way. */
const FREE_PORTS = {
  SONDE_CONFIG: '/dev/null',
  SONDE_EXPORTERS_PROMETHEUS_LISTEN: '127.0.0.1:0',
  SONDE_CONTROL_LISTEN: '127.0.0.1:0',
};

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.end());

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningProcess {
  return startProcess(scene, { command: PROGRAM, args: ['run', ...args], env: { ...FREE_PORTS, ...env } });
}

function ready(process: RunningProcess): Promise<RegExpExecArray> {
  return until(() => READY.exec(process.output.stderr) ?? undefined, { what: 'the ready line', timeoutMs: 20_000 });
}

function lawLines(process: RunningProcess): string[] {
  return process.output.stderr.split('\n').filter((line) => line.startsWith('law '));
}

describe('run --for', () => {
  test('says when it is ready, and at the end what was counted, all on standard error', async () => {
    const running = start(['--for', '0.5']);
    expect(await running.exited).toBe(0);
    const { stdout, stderr } = running.output;
    expect(stdout).toBe('');
    expect(stderr).toMatch(READY);
    expect(stderr).toMatch(/^sonde done$/m);
    const lines = lawLines(running);
    expect(lines.map((line) => /stage=(\S+)/.exec(line)?.[1])).toEqual([
      'hook',
      'ring',
      'analyzer',
      'tcp',
      'window',
      'window.tcp',
      'export.prometheus',
    ]);
    for (const line of lines) {
      expect(line).toMatch(LAW);
      const term = (name: string): number => Number(new RegExp(` ${name}=(\\d+)`).exec(line)?.[1]);
      expect(term('in_flight')).toBe(0);
      expect(term('produced')).toBe(term('delivered') + term('dropped'));
    }
  });
});

describe('a signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it in order', async (signal) => {
    const running = start([]);
    await ready(running);
    process.kill(running.pid, signal);
    expect(await running.exited).toBe(0);
    expect(running.output.stderr).toMatch(/^sonde done$/m);
  });

  test('reaches the one process there is, also without a shell above it', async () => {
    const running = start([]);
    await ready(running);
    const command = await readFile(`/proc/${running.pid}/cmdline`, 'utf8');
    expect(command.split('\0')).toEqual(
      expect.arrayContaining(['--max-semi-space-size=2', '--max-old-space-size=96', 'run']),
    );
    expect(await readFile(`/proc/${running.pid}/environ`, 'utf8')).toContain('MALLOC_ARENA_MAX=2');
    const tasks = await readdir(`/proc/${running.pid}/task`);
    const children = await Promise.all(
      tasks.map((task) => readFile(`/proc/${running.pid}/task/${task}/children`, 'utf8').catch(() => '')),
    );
    expect(children.join('').trim()).toBe('');
  });
});

test('the heap follows from limits.memory in the file', async () => {
  const file = join(scene.directory, 'sonde.yaml');
  await writeFile(file, 'limits:\n  memory: 256MiB\n');
  const running = start(['--config', file]);
  await ready(running);
  expect(await readFile(`/proc/${running.pid}/cmdline`, 'utf8')).toContain('--max-old-space-size=192');
});

test('the control port tells health, features, loss and cost', async () => {
  const running = start([]);
  const [, , control, on, all] = await ready(running);
  expect(await askJson(`${control}/healthz`)).toEqual({ status: 200, body: { status: 'ok' } });
  const { status, body } = await askJson(`${control}/status`);
  expect(status).toBe(200);
  const { features, loss, cost } = body as {
    features: { name: string; state: string; reason: string | null }[];
    loss: { stage: string }[];
    cost: { map_bytes: number; rss_bytes: number };
  };
  expect(features).toHaveLength(Number(all));
  expect(features.filter(({ state }) => state === 'on')).toHaveLength(Number(on));
  expect(features.find(({ name }) => name === 'otlp')?.reason).toBe('not in this build yet');
  expect(loss.map(({ stage }) => stage)).toContain('hook');
  expect(cost.map_bytes).toBeGreaterThan(0);
  expect(cost.rss_bytes).toBeGreaterThan(10e6);
});

describe('what stands in the way is one sentence and an exit code', () => {
  test('a taken port: 4, and the address is named', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    scene.onEnd(() => void server.close());
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const variable of ['SONDE_EXPORTERS_PROMETHEUS_LISTEN', 'SONDE_CONTROL_LISTEN']) {
      const running = start([], { [variable]: address });
      expect(await running.exited).toBe(4);
      expect(running.output.stderr).toContain(`${address} (`);
      expect(running.output.stderr).toContain('already in use');
      expect(running.output.stderr).not.toMatch(STACK);
    }
  });

  test('no privileges: 3, and what to do', async () => {
    for (const command of [['run'], ['doctor']]) {
      const { code, stderr, stdout } = await sonde(command, { uid: 65_534, env: FREE_PORTS });
      expect(code).toBe(3);
      expect(stderr + stdout).toContain('sudo');
      expect(stderr).not.toMatch(STACK);
    }
  });
});

describe('the view', () => {
  test('is plain text where it is no terminal, and shows the demo', async () => {
    const running = start(['--view', '--demo']);
    const shown = await until(() => /^.*demo-shop.*$/m.exec(running.output.stdout)?.[0], {
      what: 'the demo in the view',
      timeoutMs: 40_000,
    });
    expect(shown).toMatch(/demo-shop\S* server http +[\d.]+/);
    const { stdout } = running.output;
    expect(stdout).toContain('RATE/s');
    expect(stdout).not.toContain('\u001b');
    process.kill(running.pid, 'SIGTERM');
    expect(await running.exited).toBe(0);
    expect(running.output.stdout).toMatch(/nothing lost|lost since the start/);
  });

  test('cannot share standard output with exchanges', async () => {
    const { code, stderr } = await sonde(['run', '--view'], { env: { SONDE_EXPORTERS_STDOUT_ENABLED: 'true' } });
    expect(stderr).toContain('--view and exporters.stdout');
    expect(code).toBe(2);
  });
});

describe('doctor', () => {
  test('sees the request that it makes, at both ends', async () => {
    const { code, stdout, stderr } = await sonde(['doctor', '--json'], { env: FREE_PORTS });
    expect(stderr).toBe('');
    const status = JSON.parse(stdout) as {
      features: { name: string; state: string; reason: string | null }[];
      loss: { stage: string; produced: number }[];
    };
    expect(status.features[0]).toEqual({ name: 'capture', state: 'on', reason: null, remedy: null });
    expect(status.loss.find(({ stage }) => stage === 'hook')?.produced).toBeGreaterThanOrEqual(4);
    expect(Object.keys(status)).toEqual(
      expect.arrayContaining(['version', 'kernel', 'uptime_s', 'features', 'loss', 'cost', 'governor']),
    );
    const absent = status.features.filter(({ state, reason }) => state === 'off' && reason === 'not in this build yet');
    expect(absent).not.toEqual([]);
    // The kernels of the tests have everything that the configuration asks for by default.
    expect(code).toBe(0);
  });

  test('lists the features that run lists, whether capture is possible or not', async () => {
    const [, , control] = await ready(start([]));
    type Features = readonly { name: string; state: string; reason: string | null }[];
    const { body } = await askJson(`${control}/status`);
    const expected = (body as { features: Features }).features;
    const asRoot = JSON.parse((await sonde(['doctor', '--json'], { env: FREE_PORTS })).stdout) as {
      features: Features;
    };
    expect(asRoot.features).toEqual(expected);
    const { stdout } = await sonde(['doctor', '--json'], { env: FREE_PORTS, uid: 65_534 });
    const without = JSON.parse(stdout) as { features: Features };
    expect(without.features.map(({ name }) => name)).toEqual(expected.map(({ name }) => name));
    for (const { state, reason } of without.features) expect(reason === null).toBe(state === 'on');
  });

  test('leaves no process behind, and pins nothing that would outlive it', async () => {
    const pinned = () => readdir('/sys/fs/bpf').catch(() => []);
    const before = await pinned();
    const running = startProcess(scene, { command: PROGRAM, args: ['doctor'], env: FREE_PORTS });
    expect(await running.exited).toBe(0);
    // What it started is in its process group, proc_pid_stat(5).
    const stats = await Promise.all(
      (await readdir('/proc')).map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')),
    );
    const groups = stats.map((stat) => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]));
    expect(groups).not.toContain(running.pid);
    expect(await pinned()).toEqual(before);
  });

  test('says what to do where loopback is down', async () => {
    const { code, stdout, stderr } = await sonde(['--net', PROGRAM, 'doctor'], { env: FREE_PORTS, program: 'unshare' });
    expect(stdout).toContain('ip link set lo up');
    expect(stderr).toBe('');
    expect(code).toBe(3);
  });

  test('tells people in a few lines', async () => {
    const { stdout } = await sonde(['doctor'], { env: FREE_PORTS });
    expect(stdout).toContain('Capture works: a request over loopback was seen at both ends');
    expect(stdout).toMatch(/^ {2}otlp +off +not in this build yet$/m);
  });
});

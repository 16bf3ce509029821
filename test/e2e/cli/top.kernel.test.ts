import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { startProcess } from '../../traffic/process.ts';
import type { RunningProcess } from '../../traffic/process.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { PROGRAM, sonde, STACK } from './sonde-process.ts';

const FREE_PORTS = {
  SONDE_CONFIG: '/dev/null',
  SONDE_EXPORTERS_PROMETHEUS_LISTEN: '127.0.0.1:0',
  SONDE_CONTROL_LISTEN: '127.0.0.1:0',
  SONDE_PROCESSORS_AGGREGATE_WINDOW: '1s',
};
/** What gives a terminal back: lines wrap, the cursor is there, and so is what stood there before. */
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l';
const PATIENCE = { timeoutMs: 40_000 };

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(() => scene.end());

/** A probe that watches the demo; resolves to the address of its control interface. */
async function startProbe(env: Readonly<Record<string, string>> = {}): Promise<{ probe: RunningProcess; url: string }> {
  const probe = startProcess(scene, { command: PROGRAM, args: ['run', '--demo'], env: { ...FREE_PORTS, ...env } });
  const url = await until(() => /control=(\S+)/.exec(probe.output.stderr)?.[1], { what: 'the probe', ...PATIENCE });
  return { probe, url };
}

/** Runs a shell command at a terminal of 80 x 24 that belongs to script(1). */
function atTerminal(command: string, env: Readonly<Record<string, string>> = {}) {
  const whole = `stty rows 24 cols 80; ${command}; echo "code=$?"; stty -a`;
  const child = spawn('script', ['--quiet', '--flush', '--command', whole, '/dev/null'], {
    cwd: scene.directory,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', SONDE_CONFIG: '/dev/null', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const shown = { text: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown.text += text;
  });
  child.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
  });
  scene.onEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    shown,
    ended,
    type: (keys: string) => void child.stdin.write(keys),
    /** Waits for a text in what is shown from now on. */
    async next(text: string | RegExp) {
      const from = shown.text.length;
      await until(
        () => (typeof text === 'string' ? shown.text.slice(from).includes(text) : text.test(shown.text.slice(from))),
        {
          what: `${String(text)} on the terminal`,
          ...PATIENCE,
        },
      );
    },
  };
}

const isCooked = (text: string) => / icanon/.test(text) && / echo /.test(text) && !/-icanon|-echo /.test(text);

test('in a pipe it is one table of the probe that runs', async () => {
  const { url } = await startProbe();
  let stdout = '';
  // The demo needs a moment until it is seen.
  await until(
    async () => {
      const ended = await sonde(['top', '--url', url]);
      expect(ended).toMatchObject({ code: 0, stderr: '' });
      ({ stdout } = ended);
      return stdout.includes('demo-shop');
    },
    { what: 'the demo in the table', ...PATIENCE },
  );
  expect(stdout).toContain(`sonde at ${url}, `);
  expect(stdout).toMatch(/^demo-shop\S* server http +[\d.]+/m);
  expect(stdout.match(/RATE\/s/g)).toHaveLength(1);
  // oxlint-disable-next-line no-control-regex -- none must be there
  expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
});

test('the token of the configuration is for the probe of the configuration, and for nobody else', async () => {
  const file = join(scene.directory, 'token');
  await writeFile(file, 'token-of-this-host\n');
  for (const env of [{ SONDE_CONTROL_TOKEN: 'token-of-this-host' }, { SONDE_CONTROL_TOKEN_FILE: file }]) {
    // What else goes on on the machine would only keep it busy.
    const { probe, url } = await startProbe({ ...env, SONDE_CAPTURE_FILTER_PORTS: '1' });
    const here = { ...env, SONDE_CONTROL_LISTEN: new URL(url).host };
    // A busy machine may need longer than top waits for an answer.
    await until(async () => (await sonde(['top'], { env: here })).code === 0, { what: 'the table', ...PATIENCE });
    await until(async () => (await sonde(['top', '--url', url])).stderr.includes('asks for its token'), {
      what: 'the refusal',
      ...PATIENCE,
    });
    await probe.end();
  }
  const sent: (string | undefined)[] = [];
  const other = createServer(({ headers }, response) => {
    sent.push(headers.authorization);
    response.writeHead(401).end();
  }).listen(0, '127.0.0.1');
  scene.onEnd(() => void other.close());
  await once(other, 'listening');
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const { code, stderr } = await sonde(['top', '--url', url], { env: { SONDE_CONTROL_TOKEN_FILE: file } });
  expect({ code, stderr }).toEqual({ code: 3, stderr: expect.stringContaining('asks for its token') as string });
  expect(new Set(sent)).toEqual(new Set([undefined]));
});

test('at a terminal keys lead into a service and back, and q gives the terminal back', async () => {
  const { probe, url } = await startProbe();
  const terminal = atTerminal(`${PROGRAM} top --url ${url}`, { NO_COLOR: '1' });
  await terminal.next(/> demo-shop\S+ server http/);
  terminal.type('\r');
  await terminal.next('Enter last exchanges');
  terminal.type('/GET /products');
  terminal.type('\r');
  terminal.type('\r');
  // Its last exchanges, with their own paths.
  await terminal.next(/> \d\d:\d\d:\d\d\.\d{6} 200 .* GET \/products\/\d+/);
  expect(terminal.shown.text).not.toMatch(/\d{6} 200 .*GET \/catalogue/);
  terminal.type('\r');
  await terminal.next('one exchange');
  terminal.type('\u001b[F');
  await terminal.next(/http\.route +\/products\/\{id\}/);
  for (let i = 0; i < 4; i++) {
    terminal.type('\u001b');
  }
  await terminal.next('Tab services/peers');
  terminal.type('/no-such');
  await terminal.next('/no-such_');
  terminal.type('\r');
  await terminal.next(/GET \/no-such-page/);
  expect(terminal.shown.text).not.toContain('\u001b[31m');
  await probe.end();
  await terminal.next('no probe answers');
  terminal.type('q');
  await terminal.ended;
  const [, after = ''] = terminal.shown.text.split(LEAVE);
  expect(after).toContain('demo-shop');
  expect(after).toContain('code=0');
  expect(isCooked(after)).toBe(true);
});

test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s gives the terminal back', async (signal) => {
  const { url } = await startProbe();
  const terminal = atTerminal(`sh -c 'echo "pid=$$"; exec ${PROGRAM} top --url ${url}'`);
  await terminal.next('q ends');
  process.kill(Number(/pid=(\d+)/.exec(terminal.shown.text)?.[1]), signal);
  await terminal.ended;
  const [, after = ''] = terminal.shown.text.split(LEAVE);
  expect(after).toContain('code=0');
  expect(isCooked(after)).toBe(true);
});

test('a dumb terminal gets tables without a control character', async () => {
  const { url } = await startProbe();
  const terminal = atTerminal(`${PROGRAM} top --url ${url}`, { TERM: 'dumb' });
  await terminal.ended;
  expect(terminal.shown.text).toContain('code=0');
  expect(terminal.shown.text).not.toContain('\u001b');
});

test('without a probe it starts one itself, as root', async () => {
  const { code, stdout } = await sonde(['top'], { env: FREE_PORTS });
  expect(code).toBe(0);
  expect(stdout).toMatch(/nothing lost|lost since the start/);
});

test('without a probe and without root it says what to do', async () => {
  const env = { ...FREE_PORTS, SONDE_CONTROL_LISTEN: '127.0.0.1:1' };
  const { code, stdout, stderr } = await sonde(['top'], { uid: 65_534, env });
  expect(stderr).toContain('no probe answers at http://127.0.0.1:1 (ECONNREFUSED), and starting one needs root');
  expect(stderr).not.toMatch(STACK);
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
});

test('an address where nobody answers is an error', async () => {
  const { code, stderr } = await sonde(['top', '--url', 'http://127.0.0.1:1']);
  expect(stderr).toContain('[SONDE_NO_PROBE]');
  expect(code).toBe(3);
});

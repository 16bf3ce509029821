import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PROGRAM, sonde, STACK } from './sonde-process.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonde-usage-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('help', () => {
  test.each([
    [['--help'], 'Exit codes: 0 ok'],
    [['help', 'replay'], 'Examples:'],
    [['run', '--help'], '--for <seconds>'],
    [['top', '--help'], 'In a pipe it prints one table'],
    [['doctor', '--help'], '1 some of that is off; 3 capture is'],
    [['config', '--help'], 'schema'],
    [['--version'], '0.'],
  ])('%j is on standard output', async (args, expected) => {
    const { code, stdout, stderr } = await sonde(args);
    expect(stdout).toContain(expected);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('usage errors are exit code 2, on standard error, without a stack', () => {
  test.each([
    [[], 'Usage: sonde'],
    [['rnu'], 'Did you mean run?'],
    [['run', '--fro', '5'], 'Did you mean --for?'],
    [['run', '--for', 'soon'], 'Give a number of seconds'],
    [['replay'], "missing required argument 'file'"],
    [['replay', '-', '--format', 'xml'], 'Allowed choices are ndjson, table'],
    [['replay', '-', '--filter', 'stauts=200'], 'did you mean status?'],
    [['replay', '-', '--from', 'yesterday'], '--from "yesterday" is no time'],
    [['replay', '/nonexistent.ndjson'], '/nonexistent.ndjson'],
    [['top', '--url', 'ftp://x'], 'no address of a control interface'],
    [['profile', 'start', '--pid', '1'], 'not in this build yet'],
    [['hub'], 'not in this build yet'],
    [['workers', 'plan'], 'not in this build yet'],
  ])('%j', async (args, expected) => {
    const { code, stdout, stderr } = await sonde(args);
    expect(stderr).toContain(expected);
    expect(stderr).not.toMatch(STACK);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('config', () => {
  test('check says where, what and what was meant', async () => {
    const path = file('bad.yaml', 'capture:\n  ring_byte: 4MiB\nexporters:\n  otlp: {enabled: true}\n');
    for (const command of [['config', 'check'], ['config', 'print'], ['run']]) {
      const { code, stdout, stderr } = await sonde([...command, '--config', path]);
      expect(stderr).toContain(`${path}:2:3: capture.ring_byte: unknown key; did you mean ring_bytes?`);
      expect(stderr).toContain(
        `${path}:4:19: exporters.otlp.enabled: true asks for something that is not in this build`,
      );
      expect(stderr).not.toMatch(STACK);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    }
  });

  test('check is content with a right file and with none', async () => {
    const path = file('good.yaml', 'capture: {udp: true}\n');
    expect(await sonde(['config', 'check', '--config', path])).toEqual({
      code: 0,
      stdout: `${path}: ok\n`,
      stderr: '',
    });
    expect((await sonde(['config', 'check'])).code).toBe(0);
  });

  test('check reads the token of the control port, too', async () => {
    const missing = join(folder, 'no-such-token');
    const path = file('token.yaml', `control:\n  token_file: ${missing}\n`);
    const { code, stdout, stderr } = await sonde(['config', 'check', '--config', path]);
    expect(stderr).toContain(`${path}:2:15: control.token_file: ${missing} cannot be read (ENOENT). Give the path of`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const short = file('short-token', 'abc\n');
    const second = await sonde(['config', 'check'], { env: { SONDE_CONTROL_TOKEN_FILE: short } });
    expect(second.stderr).toContain(
      `environment SONDE_CONTROL_TOKEN_FILE: control.token_file: ${short} holds no token`,
    );
    expect(second.code).toBe(2);
    const right = file('right-token', `${'x'.repeat(32)}\n`);
    expect((await sonde(['config', 'check'], { env: { SONDE_CONTROL_TOKEN_FILE: right } })).code).toBe(0);
  });

  test('check tells a list in a variable that has no end', async () => {
    const { code, stderr } = await sonde(['config', 'check'], { env: { SONDE_CAPTURE_FILTER_PORTS: '[80, 81' } });
    expect(stderr).toContain(
      'environment SONDE_CAPTURE_FILTER_PORTS: capture.filter.ports: "[80, 81" begins a YAML list and is none',
    );
    expect(stderr).not.toMatch(STACK);
    expect(code).toBe(2);
  });

  test('print shows what holds, and where from', async () => {
    const path = file('print.yaml', 'log:\n  level: warn\n');
    const { code, stdout } = await sonde(['config', 'print', '-c', path], { env: { SONDE_CAPTURE_UDP: 'true' } });
    expect(code).toBe(0);
    expect(stdout).toContain(`level: warn # ${path}:2:10`);
    expect(stdout).toContain('udp: true # environment SONDE_CAPTURE_UDP');
    expect(stdout).toContain('ring_bytes: 4MiB\n');
  });

  test('schema is a JSON schema', async () => {
    const { code, stdout } = await sonde(['config', 'schema']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ type: 'object', additionalProperties: false });
  });

  test('a file that is not there is named', async () => {
    const { code, stderr } = await sonde(['run', '--config', '/nonexistent.yaml']);
    expect(stderr).toContain('the configuration file /nonexistent.yaml does not exist');
    expect(code).toBe(2);
  });
});

test('the program runs through a symbolic link', async () => {
  const link = join(folder, 'sonde');
  symlinkSync(PROGRAM, link);
  expect((await sonde(['--version'], { program: link })).code).toBe(0);
});

describe('what is missing is said in one sentence: 3', () => {
  test('the program is not built', async () => {
    mkdirSync(join(folder, 'checkout/bin'), { recursive: true });
    const program = join(folder, 'checkout/bin/sonde');
    copyFileSync(PROGRAM, program);
    const { code, stdout, stderr } = await sonde(['run'], { program });
    expect(stderr).toBe(`sonde: the program is not built. Run \`npm run setup\` in ${join(folder, 'checkout')}.\n`);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });

  test('there is no Node.js', async () => {
    mkdirSync(join(folder, 'tools'), { recursive: true });
    for (const tool of ['dirname', 'readlink']) {
      const path = ['/usr/bin', '/bin'].map((where) => join(where, tool)).find((one) => existsSync(one));
      symlinkSync(path ?? '', join(folder, 'tools', tool));
    }
    const { code, stderr } = await sonde(['run'], { env: { PATH: join(folder, 'tools') } });
    expect(stderr).toContain('Install Node.js 20.19 or later');
    expect(code).toBe(3);
  });
});

test.each([['config schema'], ['record --help']])('a reader of %s that goes away early is no error', async (what) => {
  const { code, stderr } = await sonde(['-c', `"${PROGRAM}" ${what} | true; exit 0`], { program: '/bin/sh' });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

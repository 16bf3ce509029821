import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';
import type { LoadOptions } from '../../../src/config/load.ts';
import { ConfigurationError, formatProblem } from '../../../src/config/problem.ts';
import { SondeError } from '../../../src/model/errors.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sonde-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function load(yaml: string | undefined, environment: LoadOptions['environment'] = {}) {
  const file = join(folder, `${count++}.yaml`);
  if (yaml !== undefined) {
    writeFileSync(file, yaml);
  }
  return loadConfiguration({ environment, defaultFile: file });
}

function problems(yaml: string, environment: LoadOptions['environment'] = {}): string[] {
  try {
    load(yaml, environment);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError);
    expect((error as ConfigurationError).exitCode).toBe(2);
    return (error as ConfigurationError).problems.map((one) => formatProblem(one).replace(/^\S*\.yaml/, 'FILE'));
  }
  return [];
}

describe('defaults', () => {
  test('hold without file and variables', () => {
    const { configuration, file, origins } = load(undefined);
    expect(file).toBeUndefined();
    expect(configuration.capture).toEqual({
      policy: 'auto',
      payload_bytes: 4096,
      ring_bytes: 4 * 1024 * 1024,
      queue_time: 'coarse',
      udp: false,
      filter: {
        ports: { include: [], exclude: [] },
        pids: { include: [], exclude: [] },
        cgroups: { include: [], exclude: [] },
      },
    });
    expect(configuration.exporters.prometheus.listen).toEqual({ host: '127.0.0.1', port: 9500 });
    expect(configuration.control).toEqual({ listen: { host: '127.0.0.1', port: 9503 } });
    expect(configuration.processors.aggregate.window).toBe(5000);
    expect(configuration.limits.memory).toBe(160 * 1024 * 1024);
    expect(new Set(origins.values())).toEqual(new Set(['default']));
  });

  test.each(['', '# nothing\n', 'capture:\n', 'capture:\n  filter:\nlog: {}\n'])('hold with the file %j', (yaml) => {
    expect(load(yaml).configuration).toEqual(load(undefined).configuration);
  });
});

describe('precedence', () => {
  test('a variable wins over the file, the file over the default', () => {
    const { configuration, origins } = load('capture:\n  udp: true\n  payload_bytes: 1KiB\n', {
      SONDE_CAPTURE_PAYLOAD_BYTES: '512',
    });
    expect(configuration.capture.udp).toBe(true);
    expect(configuration.capture.payload_bytes).toBe(512);
    expect(origins.get('capture.payload_bytes')).toBe('environment SONDE_CAPTURE_PAYLOAD_BYTES');
    expect(origins.get('capture.udp')).toMatch(/:2:8$/);
    expect(origins.get('capture.policy')).toBe('default');
  });

  test('an empty variable counts as unset', () => {
    expect(load('log: {level: warn}', { SONDE_LOG_LEVEL: '' }).configuration.log.level).toBe('warn');
  });

  test('SONDE_CONFIG names the file, --config wins', () => {
    const one = join(folder, 'one.yaml');
    const two = join(folder, 'two.yaml');
    writeFileSync(one, 'log: {level: warn}');
    writeFileSync(two, 'log: {level: error}');
    const environment = { SONDE_CONFIG: one };
    expect(loadConfiguration({ environment }).configuration.log.level).toBe('warn');
    expect(loadConfiguration({ environment, file: two }).configuration.log.level).toBe('error');
  });

  test.each(['80,443,!22', '[80, 443, "!22"]', ' 80 , 443, !22 '])('lists are read from %j', (text) => {
    expect(load(undefined, { SONDE_CAPTURE_FILTER_PORTS: text }).configuration.capture.filter.ports).toEqual({
      include: [80, 443],
      exclude: [22],
    });
  });

  test.each([
    ['[80, 81', 'list'],
    [' [80, "!22]', 'list'],
    ['{include: [80]', 'mapping'],
    ['[80] 81', 'list'],
  ])('what begins as YAML and is none is an error, not taken apart at its commas: %j', (text, kind) => {
    const [problem, ...others] = problems('', { SONDE_CAPTURE_FILTER_PORTS: text });
    expect(others).toEqual([]);
    expect(problem).toContain('environment SONDE_CAPTURE_FILTER_PORTS: capture.filter.ports: ');
    expect(problem).toContain(`begins a YAML ${kind} and is none; is its end missing? (allowed: a list`);
  });

  test('a single number is a list of one', () => {
    expect(load(undefined, { SONDE_CAPTURE_FILTER_PIDS: '7' }).configuration.capture.filter.pids.include).toEqual([7]);
  });
});

describe('errors', () => {
  test('several are told at once, in the order of the file, with line and column', () => {
    expect(
      problems('capture:\n  ring_byte: 4MiB\n  ring_bytes: 3MiB\n  policy: steam\nlog:\n  level: 5\n', {
        SONDE_CAPTURE_UDP: 'perhaps',
      }),
    ).toEqual([
      'FILE:2:3: capture.ring_byte: unknown key; did you mean ring_bytes?',
      'FILE:3:15: capture.ring_bytes: "3MiB" is not a power of two (allowed: a size from 64KiB to 64MiB, a power of two, such as 4MiB)',
      'FILE:4:11: capture.policy: "steam" is not allowed here; did you mean stream? (allowed: one of auto, headers, stream, count, ignore)',
      'FILE:6:10: log.level: 5 is not allowed here (allowed: one of trace, debug, info, warn, error, fatal, silent)',
      'environment SONDE_CAPTURE_UDP: capture.udp: "perhaps" is not allowed here (allowed: true or false)',
    ]);
  });

  test.each([
    ['capture: {udp: yes}', /capture\.udp: "yes" is not allowed here \(allowed: true or false\)/],
    ['capture: {payload_bytes: 5000}', /5000 is too large/],
    ['capture: {filter: {ports: [80, 99999]}}', /^FILE:1:32: capture\.filter\.ports\[1\]: 99999 is out of range/],
    ['capture: {filter: {ports: 80}}', /80 is not allowed here \(allowed: a list/],
    ['processors: {aggregate: {window: 5}}', /5 is not understood \(allowed: a duration/],
    ['exporters: {prometheus: {listen: 9500}}', /allowed: HOST:PORT/],
    ['exporters: [prometheus]', /exporters: a list is not allowed here \(allowed: a mapping/],
    ['zzz: 1', /zzz: unknown key \(allowed: capture, analyzers/],
    ['- 1', /not a mapping/],
    ['a: [', /not valid YAML/],
    ['log: {level: info}\nlog: {level: warn}', /^FILE:2:1: not valid YAML: map keys must be unique/],
    ['log: {}\n---\nlog: {}', /more than one document/],
    ['a: &a [x, x]\nb: *nobody', /not valid YAML|aliases refused/],
  ])('%j is refused', (yaml, expected) => {
    const found = problems(yaml);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toMatch(expected);
  });

  test.each([
    'exporters: {otlp: {enabled: true}}',
    'exporters: {file: {enabled: true}}',
    'exporters: {datakit: {enabled: true}}',
    'exporters: {prometheus: {naming: kindling}}',
    'processors: {k8s: {enabled: true}}',
    'analyzers: {network: {protocols: {mysql: {enabled: true}}}}',
    'analyzers: {network: {protocols: {http: {slow: 2s}}}}',
  ])('%s is not in this build yet', (yaml) => {
    expect(problems(yaml)).toHaveLength(1);
    expect(problems(yaml)[0]).toContain('not in this build yet');
    expect(
      problems(
        yaml
          .replace('true', 'false')
          .replace('kindling', 'otel')
          .replace(/: 2(%|s)/, ': null'),
      ),
    ).toEqual([]);
  });

  test.each(['0.1%', '150%', 'much'])('limits.cpu %s is refused with what is allowed', (ratio) => {
    expect(problems(`limits: {cpu: ${ratio}}`).join()).toContain('a ratio from 0.5% to 100%, such as 5%');
    expect(problems('limits: {cpu: 5%}')).toEqual([]);
  });

  test('an alias bomb is refused quickly', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level++) {
      lines.push(
        `a${level}: &a${level} [${Array(9)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    }
    const start = performance.now();
    expect(problems(lines.join('\n'))[0]).toContain('aliases refused');
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('a file of more than 1 MiB and one nested too deeply are refused', () => {
    expect(problems(`# ${'x'.repeat(1024 * 1024)}`)[0]).toContain('larger than 1 MiB');
    expect(problems(`capture: ${'['.repeat(100_000)}`).length).toBeGreaterThan(0);
    expect(problems(`capture: ${'['.repeat(100_000)}${']'.repeat(100_000)}`)[0]).toMatch(
      /nested too deeply|not allowed/,
    );
  });

  test('a named file that is not there is an error of its own, the default one is not', () => {
    const file = join(folder, 'absent.yaml');
    expect(() => loadConfiguration({ file, environment: {} })).toThrow(/absent\.yaml does not exist/);
    expect(() => loadConfiguration({ file: folder, environment: {} })).toThrow(SondeError);
    expect(loadConfiguration({ defaultFile: file, environment: {} }).file).toBeUndefined();
  });
});

describe('variables', () => {
  test('a misspelt one is an error with a suggestion', () => {
    expect(problems('', { SONDE_EXPORTERS_PROMETHEUS_LISTN: 'x' })).toEqual([
      'environment SONDE_EXPORTERS_PROMETHEUS_LISTN: no key has this variable; did you mean SONDE_EXPORTERS_PROMETHEUS_LISTEN?',
    ]);
    expect(problems('', { SONDE_CAPTURE_SOMETHING_ELSE_ALTOGETHER: 'x' })).toHaveLength(1);
  });

  test('one that resembles no key is a warning', () => {
    expect(load('', { SONDE_FAVOURITE_COLOUR_OF_ALL: 'blue' }).warnings).toHaveLength(1);
  });

  test('what Kubernetes sets for services is left alone', () => {
    const environment = {
      SONDE_SERVICE_HOST: '10.0.0.1',
      SONDE_PORT: 'tcp://10.0.0.1:9503',
      SONDE_CONTROL_SERVICE_PORT: '9503',
      SONDE_CONTROL_PORT_9503_TCP_ADDR: '10.0.0.1',
    };
    expect(problems('', environment)).toEqual([]);
    expect(load('', environment).warnings).toEqual([]);
  });
});

describe('relations', () => {
  test('control beyond this host needs a token file', () => {
    expect(problems('control: {listen: 0.0.0.0:9503}')[0]).toMatch(
      /^FILE:1:19: control\.listen: .*token_file or control\.token is required/,
    );
    expect(problems('control: {token: 0123456789abcdef, token_file: /x}')[0]).toContain(
      'control.token_file is set too',
    );
  });

  test('a token is not shown where it is wrong', () => {
    const [problem] = problems('control: {token: hunter2}');
    expect(problem).toMatch(/control\.token: the value is not allowed here/);
    expect(problem).not.toContain('hunter2');
    expect(problems('control: {listen: 0.0.0.0:9503, token_file: /run/token}')).toEqual([]);
    expect(problems('control: {listen: "[::1]:0"}')).toEqual([]);
  });

  test('two listeners cannot share an address, but both may take any port', () => {
    expect(problems('control: {listen: 127.0.0.1:9500}')[0]).toContain('exporters.prometheus.listen');
    expect(problems('control: {listen: 127.0.0.1:0}\nexporters: {prometheus: {listen: 127.0.0.1:0}}')).toEqual([]);
  });
});

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { checkHost } from '../../../src/cli/doctor/host-checks.ts';
import { loadConfiguration } from '../../../src/config/load.ts';

const roots: string[] = [];
afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

const { configuration } = loadConfiguration({ file: '/dev/null', environment: {} });

/** A host with these files, and these links. */
function host(files: Record<string, string>, kernel = '6.18.0-test', links: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'sonde-host-'));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  for (const [path, target] of Object.entries(links)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    symlinkSync(target, join(root, path));
  }
  return checkHost({ configuration, root, kernel, platform: 'linux' });
}

const STATUS = 'proc/self/status';
const GOOD = { [STATUS]: 'Name:\tnode\nCapEff:\t000001ffffffffff\n', 'sys/kernel/btf/vmlinux': '' };

type Checks = ReturnType<typeof host>;
const failures = (checks: Checks) => checks.filter((check) => !check.ok && check.needed).map((check) => check.name);
const flaws = (checks: Checks) => checks.filter((check) => !check.ok && !check.needed).map((check) => check.name);
const named = (checks: Checks, name: string) => checks.find((check) => check.name === name);

test('root on a recent kernel with BTF lacks nothing', () => {
  const checks = host(GOOD);
  expect(failures(checks)).toEqual([]);
  expect(flaws(checks)).toEqual([]);
  expect(checks.every(({ remedy }) => remedy === null)).toBe(true);
});

test('two capabilities are enough, one is not', () => {
  expect(failures(host({ ...GOOD, [STATUS]: 'CapEff:\t000000c000000000\n' }))).toEqual([]);
  const checks = host({ ...GOOD, [STATUS]: 'CapEff:\t0000008000000000\n' });
  expect(failures(checks)).toEqual(['privileges']);
  expect(named(checks, 'privileges')?.found).toBe('without CAP_PERFMON');
  expect(named(checks, 'privileges')?.remedy).toContain('sudo');
});

test.each([
  ['6.1.0-21-amd64', []],
  ['6.0.19', ['kernel']],
  ['5.15.0', ['kernel']],
  ['6.3.0', []],
  ['7.0-rc1', []],
])('Linux %s fails %j', (kernel, expected) => {
  expect(failures(host(GOOD, kernel))).toEqual(expected);
});

test('a kernel without BTF or locked down for confidentiality cannot be looked into', () => {
  expect(failures(host({ [STATUS]: GOOD[STATUS] }))).toEqual(['btf']);
  const lockdown = 'sys/kernel/security/lockdown';
  expect(failures(host({ ...GOOD, [lockdown]: 'none integrity [confidentiality]\n' }))).toEqual(['lockdown']);
  expect(failures(host({ ...GOOD, [lockdown]: 'none [integrity] confidentiality\n' }))).toEqual([]);
});

test('another system is not observed at all', () => {
  expect(checkHost({ configuration, platform: 'darwin' })).toEqual([
    expect.objectContaining({ name: 'system', ok: false, needed: true }),
  ]);
});

describe('in a container', () => {
  test('the capabilities of a user namespace count for nothing', () => {
    const inside = host(GOOD, undefined, { 'proc/self/ns/user': 'user:[4026532201]' });
    expect(failures(inside)).toEqual(['privileges']);
    expect(named(inside, 'privileges')?.found).toContain('user namespace');
    expect(failures(host(GOOD, undefined, { 'proc/self/ns/user': 'user:[4026531837]' }))).toEqual([]);
  });

  test('processes outside of a PID namespace, or of other users, cannot be named', () => {
    const checks = host(GOOD, undefined, { 'proc/self/ns/pid': 'pid:[4026532301]' });
    expect(flaws(checks)).toEqual(['processes']);
    expect(named(checks, 'processes')?.remedy).toContain('hostPID');
    expect(flaws(host({ ...GOOD, [STATUS]: 'CapEff:\t000000c000000000\n' }))).toEqual(['processes']);
  });

  test.each([
    ['0::/pod/sonde\n', { 'sys/fs/cgroup/pod/sonde/memory.max': 'max', 'sys/fs/cgroup/pod/memory.max': '1000000' }],
    ['4:memory:/pod\n0::/\n', { 'sys/fs/cgroup/memory/pod/memory.limit_in_bytes': '1000000' }],
  ])('a limit of memory that is too small is told, wherever in %j it is', (cgroup, files) => {
    const checks = host({ ...GOOD, 'proc/self/cgroup': cgroup, ...files });
    expect(flaws(checks)).toEqual(['memory']);
    expect(named(checks, 'memory')?.found).toContain('its control group allows 1 MiB');
  });

  test('a limit that is large enough, or none, is fine', () => {
    const cgroup = { ...GOOD, 'proc/self/cgroup': '4:memory:/pod\n0::/pod\n' };
    const v1 = 'sys/fs/cgroup/memory/pod/memory.limit_in_bytes';
    expect(flaws(host({ ...cgroup, 'sys/fs/cgroup/pod/memory.max': '1073741824' }))).toEqual([]);
    expect(flaws(host({ ...cgroup, [v1]: '9223372036854771712' }))).toEqual([]);
    const cpus = { 'sys/devices/system/cpu/possible': '0-127\n' };
    const many = host({ ...cgroup, ...cpus, 'sys/fs/cgroup/pod/memory.max': '536870912' });
    expect(flaws(many)).toEqual([]);
    expect(named(many, 'memory')?.found).toContain('32 MiB of it for the rings of 128 CPUs');
  });
});

test('what makes it slow is told: programs that are interpreted, a clock that is a device', () => {
  const slow = {
    ...GOOD,
    'proc/sys/net/core/bpf_jit_enable': '0\n',
    'sys/devices/system/clocksource/clocksource0/current_clocksource': 'acpi_pm\n',
  };
  expect(flaws(host(slow))).toEqual(['jit', 'clock']);
});

test('mounts and control groups are told as they are', () => {
  const mounts = 'bpf /sys/fs/bpf bpf rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n';
  const checks = host({ ...GOOD, 'proc/self/mounts': mounts });
  expect(named(checks, 'mounts')?.found).toBe('no tracefs, bpf at /sys/fs/bpf, no debugfs (none is needed)');
  expect(named(checks, 'cgroup')?.found).toBe('version 2, at /sys/fs/cgroup');
});

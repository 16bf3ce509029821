import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkHost } from '../../../src/cli/doctor/host-checks.ts';

const roots: string[] = [];
afterEach(() => roots.splice(0).forEach((root) => rmSync(root, { recursive: true })));

function host(files: Record<string, string>, kernel = '6.18.0-test') {
  const root = mkdtempSync(join(tmpdir(), 'sonde-host-'));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return checkHost({ root, kernel, platform: 'linux' });
}

const STATUS = 'proc/self/status';
const GOOD = { [STATUS]: 'Name:\tnode\nCapEff:\t000001ffffffffff\n', 'sys/kernel/btf/vmlinux': '' };

const failures = (checks: ReturnType<typeof host>) => checks.filter((check) => !check.ok).map((check) => check.name);

test('root on a recent kernel with BTF lacks nothing', () => {
  expect(failures(host(GOOD))).toEqual([]);
});

test('two capabilities are enough, one is not', () => {
  expect(failures(host({ ...GOOD, [STATUS]: 'CapEff:\t000000c000000000\n' }))).toEqual([]);
  const checks = host({ ...GOOD, [STATUS]: 'CapEff:\t0000008000000000\n' });
  expect(failures(checks)).toEqual(['privileges']);
  expect(checks.find((check) => !check.ok)?.found).toBe('without CAP_PERFMON');
  expect(checks.find((check) => !check.ok)?.remedy).toContain('sudo');
});

test.each([
  ['6.1.0-21-amd64', ['kernel']],
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
  expect(checkHost({ platform: 'darwin' })).toEqual([expect.objectContaining({ name: 'system', ok: false })]);
});

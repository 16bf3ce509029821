import { existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { SondeError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';

/** One thing that capturing needs of the host. */
export interface HostCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do, if it is not ok. */
  readonly remedy: string | null;
}

export interface HostCheckOptions {
  /** For tests: where /proc and /sys are. */
  readonly root?: string;
  readonly platform?: NodeJS.Platform;
  readonly kernel?: string;
}

/** Bits of CapEff, see capabilities(7). */
const CAPABILITIES = { CAP_SYS_ADMIN: 21n, CAP_PERFMON: 38n, CAP_BPF: 39n } as const;

/** Since then the socket tracepoints exist that everything stands on. */
const MIN_KERNEL = [6, 3] as const;

/** Looks at the host without changing anything. */
export function checkHost(options: HostCheckOptions = {}): HostCheck[] {
  const { root = '', platform = process.platform, kernel = release() } = options;
  if (platform !== 'linux') {
    return [failed('system', platform, 'SONDE_NOT_LINUX')];
  }
  return [checkKernel(kernel), checkPrivileges(root), checkBtf(root), checkLockdown(root)];
}

/** Whether this process has the privileges that capturing needs. */
export function mayCapture(root = ''): boolean {
  return checkPrivileges(root).ok;
}

function checkKernel(kernel: string): HostCheck {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const old = major < MIN_KERNEL[0] || (major === MIN_KERNEL[0] && minor < MIN_KERNEL[1]);
  return old ? failed('kernel', `Linux ${kernel}`, 'SONDE_OLD_KERNEL') : passed('kernel', `Linux ${kernel}`);
}

function checkPrivileges(root: string): HostCheck {
  const status = read(`${root}/proc/self/status`);
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  const has = (name: keyof typeof CAPABILITIES): boolean => ((mask >> CAPABILITIES[name]) & 1n) === 1n;
  if (has('CAP_SYS_ADMIN') || (has('CAP_BPF') && has('CAP_PERFMON'))) {
    return passed('privileges', has('CAP_SYS_ADMIN') ? 'CAP_SYS_ADMIN' : 'CAP_BPF and CAP_PERFMON');
  }
  const missing = (['CAP_BPF', 'CAP_PERFMON'] as const).filter((name) => !has(name));
  return failed('privileges', `without ${missing.join(' and ')}`, 'SONDE_NOT_ROOT');
}

function checkBtf(root: string): HostCheck {
  const file = '/sys/kernel/btf/vmlinux';
  return existsSync(root + file) ? passed('btf', file) : failed('btf', `no ${file}`, 'SONDE_NO_BTF');
}

/** kernel_lockdown(7): in the mode `confidentiality` BPF may not read kernel memory. */
function checkLockdown(root: string): HostCheck {
  const mode = /\[(\w+)\]/.exec(read(`${root}/sys/kernel/security/lockdown`))?.[1] ?? 'none';
  return mode === 'confidentiality'
    ? {
        name: 'lockdown',
        ok: false,
        found: `lockdown mode ${mode}`,
        remedy: 'Boot without lockdown=confidentiality; the mode integrity is fine.',
      }
    : passed('lockdown', mode);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

function passed(name: string, found: string): HostCheck {
  return { name, ok: true, found, remedy: null };
}

function failed(name: string, found: string, code: ErrorCode): HostCheck {
  return { name, ok: false, found, remedy: new SondeError(code).remedy };
}

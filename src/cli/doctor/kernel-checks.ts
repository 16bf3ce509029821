import { existsSync } from 'node:fs';
import { failed, flawed, passed, read } from './check.ts';
import type { HostCheck } from './check.ts';

/** 6.3 has the socket tracepoints; 6.1, a long-term kernel, runs the same programs at the exit of functions. */
const MIN_KERNEL = [6, 1] as const;

export function checkKernel(kernel: string): HostCheck {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const old = major < MIN_KERNEL[0] || (major === MIN_KERNEL[0] && minor < MIN_KERNEL[1]);
  return old ? failed('kernel', `Linux ${kernel}`, 'SONDE_OLD_KERNEL') : passed('kernel', `Linux ${kernel}`);
}

export function checkBtf(root: string): HostCheck {
  const file = '/sys/kernel/btf/vmlinux';
  return existsSync(root + file) ? passed('btf', file) : failed('btf', `no ${file}`, 'SONDE_NO_BTF');
}

/** kernel_lockdown(7): in the mode `confidentiality` BPF may not read kernel memory. */
export function checkLockdown(root: string): HostCheck {
  const mode = /\[(\w+)\]/.exec(read(`${root}/sys/kernel/security/lockdown`))?.[1] ?? 'none';
  return mode === 'confidentiality'
    ? {
        name: 'lockdown',
        ok: false,
        needed: true,
        found: `lockdown mode ${mode}`,
        remedy: 'Boot without lockdown=confidentiality; the mode integrity is fine.',
      }
    : passed('lockdown', mode);
}

/** bpf(2): without the compiler programs are interpreted, several times slower. Only the first network namespace tells. */
export function checkJit(root: string): HostCheck[] {
  const value = read(`${root}/proc/sys/net/core/bpf_jit_enable`).trim();
  if (value === '') {
    return [];
  }
  return [
    value === '0'
      ? flawed('jit', 'BPF programs are interpreted', 'Set `sysctl net.core.bpf_jit_enable=1`.')
      : passed('jit', 'BPF programs are compiled'),
  ];
}

/** Clocks that are read from a device, about a microsecond each time. */
const SLOW_CLOCKS = ['acpi_pm', 'hpet', 'jiffies', 'refined-jiffies'];

export function checkClock(root: string): HostCheck[] {
  const clock = read(`${root}/sys/devices/system/clocksource/clocksource0/current_clocksource`).trim();
  if (clock === '') {
    return [];
  }
  return [
    SLOW_CLOCKS.includes(clock)
      ? flawed('clock', `${clock}, which is slow to read`, 'Find out from dmesg why the kernel does not trust tsc.')
      : passed('clock', clock),
  ];
}

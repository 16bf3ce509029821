import { failed, flawed, passed, read, readLink } from './check.ts';
import type { HostCheck } from './check.ts';

/** Bits of CapEff that matter here, see capabilities(7). */
const CAPABILITIES = {
  CAP_DAC_READ_SEARCH: 2n,
  CAP_SYS_PTRACE: 19n,
  CAP_SYS_ADMIN: 21n,
  CAP_PERFMON: 38n,
  CAP_BPF: 39n,
} as const;
type Capability = keyof typeof CAPABILITIES;

/** Inode numbers of the first namespaces, which are fixed (include/linux/proc_ns.h). */
const FIRST_USER_NAMESPACE = 'user:[4026531837]';
const FIRST_PID_NAMESPACE = 'pid:[4026531836]';

/** The effective capabilities among those that matter. */
function effective(root: string): ReadonlySet<Capability> {
  const mask = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(read(`${root}/proc/self/status`))?.[1] ?? '0'}`);
  const all = Object.keys(CAPABILITIES) as Capability[];
  return new Set(all.filter((name) => ((mask >> CAPABILITIES[name]) & 1n) === 1n));
}

/** Whether programs may be loaded and attached. */
export function checkPrivileges(root: string): HostCheck {
  const has = effective(root);
  const user = readLink(`${root}/proc/self/ns/user`);
  if (user !== '' && user !== FIRST_USER_NAMESPACE && has.size > 0) {
    return {
      ...failed('privileges', `in a user namespace, where ${list(has)} count for nothing`, 'SONDE_NOT_ROOT'),
      remedy: 'Run it outside of the user namespace: as the root of the host, in a container that is not rootless.',
    };
  }
  if (has.has('CAP_SYS_ADMIN') || (has.has('CAP_BPF') && has.has('CAP_PERFMON'))) {
    return passed('privileges', list(has));
  }
  const missing = (['CAP_BPF', 'CAP_PERFMON'] as const).filter((name) => !has.has(name));
  return failed('privileges', `without ${missing.join(' and ')}`, 'SONDE_NOT_ROOT');
}

function list(capabilities: ReadonlySet<string>): string {
  return [...capabilities].join(', ');
}

/** Whether the names of other processes can be found out: what capture needs less than people do. */
export function checkProcesses(root: string): HostCheck {
  const name = 'processes';
  if (read(`${root}/proc/self/status`) === '') {
    return flawed(name, 'no /proc', 'Mount /proc: without it a service is named after its thread.');
  }
  const space = readLink(`${root}/proc/self/ns/pid`);
  if (space !== '' && space !== FIRST_PID_NAMESPACE) {
    return flawed(
      name,
      'in a PID namespace: processes outside of it have no name here',
      'Run it in the PID namespace of the host (hostPID, --pid=host).',
    );
  }
  if (!effective(root).has('CAP_SYS_PTRACE')) {
    return flawed(
      name,
      'without CAP_SYS_PTRACE: of other users only the threads have names',
      'Give it CAP_SYS_PTRACE, so that services are named after their programs.',
    );
  }
  return passed(name, 'all can be named');
}

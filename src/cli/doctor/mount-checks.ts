import { passed, read } from './check.ts';
import type { HostCheck } from './check.ts';

interface Mount {
  readonly path: string;
  readonly type: string;
}

/** proc_pid_mounts(5): device, path and type, with `\040` for a space. */
function mounts(root: string): Mount[] {
  return read(`${root}/proc/self/mounts`)
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap(([, path, type]) => (path === undefined || type === undefined ? [] : [{ path, type }]));
}

/** File systems of the kernel that people look for when tracing fails. Sonde needs none of them. */
export function checkMounts(root: string): HostCheck {
  const all = mounts(root);
  const where = (type: string): string => {
    const mount = all.find((one) => one.type === type);
    return mount === undefined ? `no ${type}` : `${type} at ${mount.path}`;
  };
  return passed('mounts', `${['tracefs', 'bpf', 'debugfs'].map(where).join(', ')} (none is needed)`);
}

/** Which hierarchies of control groups there are: `capture.filter.cgroups` means those of version 2. */
export function checkCgroups(root: string): HostCheck {
  const all = mounts(root);
  const second = all.find(({ type }) => type === 'cgroup2');
  const first = all.some(({ type }) => type === 'cgroup');
  if (second === undefined) {
    return passed('cgroup', first ? 'version 1: capture.filter.cgroups finds nothing' : 'none is mounted');
  }
  return passed('cgroup', first ? `versions 1 and 2 (at ${second.path})` : `version 2, at ${second.path}`);
}

import { release } from 'node:os';
import type { Configuration } from '../../config/schema.ts';
import { failed } from './check.ts';
import type { HostCheck } from './check.ts';
import { checkBtf, checkClock, checkJit, checkKernel, checkLockdown } from './kernel-checks.ts';
import { checkMemory } from './memory-check.ts';
import { checkCgroups, checkMounts } from './mount-checks.ts';
import { checkPrivileges, checkProcesses } from './privilege-checks.ts';

export interface HostCheckOptions {
  readonly configuration: Configuration;
  /** For tests: where /proc and /sys are. */
  readonly root?: string;
  readonly platform?: NodeJS.Platform;
  readonly kernel?: string;
}

/** Looks at the host without changing anything; what capture needs first. */
export function checkHost(options: HostCheckOptions): HostCheck[] {
  const { configuration, root = '', platform = process.platform, kernel = release() } = options;
  if (platform !== 'linux') {
    return [failed('system', platform, 'SONDE_NOT_LINUX')];
  }
  return [
    checkKernel(kernel),
    checkPrivileges(root),
    checkBtf(root),
    checkLockdown(root),
    checkProcesses(root),
    ...checkJit(root),
    ...checkClock(root),
    checkMemory(root, configuration),
    checkCgroups(root),
    checkMounts(root),
  ];
}

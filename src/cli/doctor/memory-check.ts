import type { Configuration } from '../../config/schema.ts';
import { countCpus, ringSize } from '../../receiver/kernel/ring-size.ts';
import { flawed, passed, read } from './check.ts';
import type { HostCheck } from './check.ts';

/** What the kernel takes for maps beside the rings. */
const OTHER_MAPS = 16 * 1024 * 1024;

/** Whether what the configuration allows fits into what the control group allows. */
export function checkMemory(root: string, { capture, limits }: Pick<Configuration, 'capture' | 'limits'>): HostCheck {
  const cpus = countCpus(read(`${root}/sys/devices/system/cpu/possible`));
  const rings = ringSize(capture.ring_bytes, limits.memory, cpus) * cpus;
  const wanted = limits.memory + OTHER_MAPS;
  const text = `up to ${mib(limits.memory)}, ${mib(rings)} of it for the rings of ${cpus} CPUs`;
  const limit = cgroupLimit(root);
  const memlock = /^Max locked memory\s+(\S+)/m.exec(read(`${root}/proc/self/limits`))?.[1];
  // Since Linux 5.11 maps are charged to the control group.
  const locked = memlock === undefined || memlock === 'unlimited' ? '' : '; memlock does not matter to it';
  if (limit === undefined) {
    return passed('memory', `${text}; no limit of a control group${locked}`);
  }
  return limit < wanted
    ? flawed(
        'memory',
        `${text}; its control group allows ${mib(limit)}`,
        'Raise the limit of the control group, or lower limits.memory.',
      )
    : passed('memory', `${text}; its control group allows ${mib(limit)}${locked}`);
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MiB`;
}

/** More than any machine has: what version 1 shows for "no limit". */
const NO_LIMIT = 2 ** 60;

/** The smallest limit from the own control group upwards, bytes; undefined if there is none. */
function cgroupLimit(root: string): number | undefined {
  const own = read(`${root}/proc/self/cgroup`);
  const unified = /^0::(\/.*)$/m.exec(own)?.[1];
  const memory = /^\d+:(?:\w+,)*memory(?:,\w+)*:(\/.*)$/m.exec(own)?.[1];
  const found = [
    ...(unified === undefined ? [] : ancestors(unified).map((path) => `${path}/memory.max`)),
    ...(memory === undefined ? [] : ancestors(memory).map((path) => `/memory${path}/memory.limit_in_bytes`)),
  ].map((path) => Number.parseInt(read(`${root}/sys/fs/cgroup${path}`), 10));
  const limits = found.filter((limit) => limit > 0 && limit < NO_LIMIT);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** `/a/b` has the ancestors `/a/b`, `/a` and none. */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, gone) =>
    parts
      .slice(0, parts.length - gone)
      .map((part) => `/${part}`)
      .join(''),
  );
}

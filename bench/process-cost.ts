import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second of /proc/PID/stat. USER_HZ is 100 on every architecture that Sonde runs on. */
const TICKS = 100;

/** CPU seconds since the start of a process. */
export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** Fields of one /proc/PID/stat line that follow the command's name. */
interface StatLine {
  readonly parent: number;
  readonly user: number;
  readonly system: number;
  readonly childrenUser: number;
  readonly childrenSystem: number;
}

/** Reads what this needs of a /proc/PID/stat line; the command's name may hold anything, brackets too. */
export function parseStat(line: string): StatLine {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return {
    parent: Number(fields[1]),
    user: Number(fields[11]) / TICKS,
    system: Number(fields[12]) / TICKS,
    childrenUser: Number(fields[13]) / TICKS,
    childrenSystem: Number(fields[14]) / TICKS,
  };
}

/** `pid` and everything that descends from it. */
export function processTree(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readOrNull(`/proc/${entry}/stat`);
    if (stat === null) continue;
    const { parent } = parseStat(stat);
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [Number(entry)]);
    else siblings.push(Number(entry));
  }
  const tree = [pid];
  for (let at = 0; at < tree.length; at++) tree.push(...(children.get(tree[at]) ?? []));
  return tree;
}

/**
 * CPU of a process, all its threads, its living descendants, and those that it has waited for, in steps of 10 ms.
 */
export function cpuOf(pid: number): CpuSeconds {
  let user = 0;
  let system = 0;
  for (const member of processTree(pid)) {
    const stat = readOrNull(`/proc/${member}/stat`);
    if (stat === null) continue;
    const line = parseStat(stat);
    user += line.user + line.childrenUser;
    system += line.system + line.childrenSystem;
  }
  return { user, system };
}

/**
 * CPU of the living threads of a process and its descendants in nanoseconds, from the scheduler: fine enough for a
 * process that rests. Null where the kernel keeps no such figures.
 */
export function cpuNsOf(pid: number): number | null {
  let total = 0;
  for (const member of processTree(pid)) {
    for (const thread of namesIn(`/proc/${member}/task`)) {
      const schedule = readOrNull(`/proc/${member}/task/${thread}/schedstat`);
      if (schedule !== null) total += Number(schedule.split(' ', 1)[0]);
    }
  }
  return total === 0 ? null : total;
}

/** Resident memory of a process and its descendants, in bytes; `peak` adds up each one's own peak. */
export function memoryOf(pid: number): { readonly resident: number; readonly peak: number } {
  let resident = 0;
  let peak = 0;
  for (const member of processTree(pid)) {
    const status = readOrNull(`/proc/${member}/status`) ?? '';
    resident += kilobytes(status, 'VmRSS');
    peak += kilobytes(status, 'VmHWM');
  }
  return { resident, peak };
}

function kilobytes(status: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(status);
  return match === null ? 0 : Number(match[1]) * 1024;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
}

/** CPU seconds of the whole machine since its start. */
export interface MachineCpu {
  readonly busy: number;
  readonly steal: number;
}

/** The first line of /proc/stat: what was used, and what the hypervisor gave to others instead. */
export function parseMachineCpu(text: string): MachineCpu {
  const [user, nice, system, , , irq, softirq, steal] = text.split('\n', 1)[0].split(/ +/).slice(1).map(Number);
  return { busy: (user + nice + system + irq + softirq) / TICKS, steal: steal / TICKS };
}

export function machineCpu(): MachineCpu {
  return parseMachineCpu(readFileSync('/proc/stat', 'latin1'));
}

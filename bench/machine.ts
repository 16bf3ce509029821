import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

/** Where and when something was measured. */
export interface Machine {
  readonly date: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
}

export function describeMachine(now: Date): Machine {
  const processors = cpus();
  return {
    date: now.toISOString().slice(0, 10),
    kernel: release(),
    cpu: processors[0]?.model ?? 'unknown',
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'Linux',
    node: process.version,
  };
}

/** The same in one line. */
export function machineLine({ date, kernel, cpu, cores, memoryGiB, system, node }: Machine): string {
  return `${date}: Linux ${kernel}, ${system}, ${cores} cores of ${cpu}, ${memoryGiB} GiB, Node ${node}.`;
}

import { containerIdOf } from './container-id.ts';
import { scriptOf } from './interpreter.ts';
import type { ProcFiles, ProcStat } from './proc-files.ts';

/** What is known of a process for as long as it lives. */
export interface ProcessNames {
  readonly comm: string;
  /** Base name of the executable; null for what has none. */
  readonly executable: string | null;
  /** 64 hexadecimal digits; null outside of containers. */
  readonly containerId: string | null;
  /** OTEL_SERVICE_NAME of its environment, else the script or jar of an interpreter, else the executable. */
  readonly serviceName: string;
}

/** Reads what /proc knows of a process that has the given stat. */
export function readNames(files: ProcFiles, pid: string, stat: ProcStat): ProcessNames {
  const executable = files.executable(pid);
  const declared = files.variable(pid, 'OTEL_SERVICE_NAME');
  const script = declared === null && executable !== null ? scriptOf(executable, files.commandLine(pid)) : null;
  return {
    comm: stat.comm,
    executable,
    containerId: containerIdOf(files.cgroup(pid)),
    serviceName: declared ?? script ?? executable ?? stat.comm,
  };
}

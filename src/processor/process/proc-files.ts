import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';

/** A process as /proc/PID/stat names it. */
export interface ProcStat {
  readonly comm: string;
  /** Clock ticks since the machine's start; tells processes with the same id apart. */
  readonly startTime: string;
}

/** Longest part of a file that is read, bytes: command lines and environments can be megabytes. */
const MAX_BYTES = 128 * 1024;

/** Reads files of /proc, bounded. What is not there, or may not be read, is null. */
export class ProcFiles {
  readonly #root: string;
  readonly #buffer = Buffer.allocUnsafeSlow(16 * 1024);

  constructor(root: string) {
    this.#root = root;
  }

  stat(pid: string): ProcStat | null {
    const text = this.#read(`${pid}/stat`);
    if (text === null) return null;
    // The name may hold anything, parentheses too: fields count from its last one.
    const end = text.lastIndexOf(')');
    const startTime = text.slice(end + 2).split(' ')[19];
    if (end < 0 || startTime === undefined) return null;
    return { comm: text.slice(text.indexOf('(') + 1, end), startTime };
  }

  /** Base name of the executable; null for kernel threads. */
  executable(pid: string): string | null {
    const path = this.#link(`${pid}/exe`)?.replace(/ \(deleted\)$/, '');
    return path === undefined ? null : path.slice(path.lastIndexOf('/') + 1) || null;
  }

  commandLine(pid: string): string[] {
    return (this.#read(`${pid}/cmdline`) ?? '').replace(/\0$/, '').split('\0');
  }

  /** A variable of the environment that the process was started with. */
  variable(pid: string, name: string): string | null {
    const entry = this.#read(`${pid}/environ`)
      ?.split('\0')
      .find((variable) => variable.startsWith(`${name}=`));
    return entry?.slice(name.length + 1) || null;
  }

  cgroup(pid: string): string {
    return this.#read(`${pid}/cgroup`) ?? '';
  }

  /** The PID namespace whose ids this /proc shows, as `pid:[4026531836]`; null where that cannot be told. */
  pidNamespace(): string | null {
    const first = this.#link('1/ns/pid');
    if (first !== undefined) return first;
    // Process 1 may be out of reach; this process tells it if it goes by its own id here.
    return (this.#link('self') === String(process.pid) ? this.#link('self/ns/pid') : undefined) ?? null;
  }

  #link(path: string): string | undefined {
    try {
      return readlinkSync(`${this.#root}/${path}`);
    } catch {
      return undefined;
    }
  }

  #read(path: string): string | null {
    let file: number;
    try {
      file = openSync(`${this.#root}/${path}`, 'r');
    } catch {
      return null;
    }
    try {
      const parts: Buffer[] = [];
      for (let total = 0; total < MAX_BYTES; ) {
        const length = readSync(file, this.#buffer, 0, this.#buffer.length, null);
        if (length === 0) break;
        parts.push(Buffer.from(this.#buffer.subarray(0, length)));
        total += length;
      }
      return Buffer.concat(parts).toString('utf8');
    } catch {
      // The process ended between open and read.
      return null;
    } finally {
      closeSync(file);
    }
  }
}

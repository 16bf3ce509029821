import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { SondeError } from '../../model/errors.ts';

/** What `new Probe` loads. Everything that is not a number of the right range throws ERR_SONDE_ARGUMENT. */
export interface ProbeOptions {
  /** Path of the BPF object. */
  readonly object: string;
  /** Data bytes of the ring of each CPU: a power of two from 64 KiB to 1 GiB. Set the constant of the same name too. */
  readonly ringBytes: number;
  /** Entries of the map `policies`. */
  readonly maxConnections: number;
  /** Programs to load; all others of the object stay out. */
  readonly programs: readonly string[];
  /** Values of `const volatile` numbers in the object, by name. */
  readonly rodata?: Readonly<Record<string, number | boolean>>;
  /** Entries of further maps, by name. */
  readonly mapEntries?: Readonly<Record<string, number>>;
  /**
   * CLOCK_MONOTONIC nanoseconds that times in records count from; 0 by default. Earlier times become 1; 0, which
   * means "none", stays.
   */
  readonly originNs?: bigint;
}

/** A program of the probe, as the kernel reports it. `runs` and `runTimeNs` grow only while RunTimeStats is open. */
export interface ProgramInfo {
  readonly name: string;
  readonly id: number;
  readonly attached: boolean;
  readonly runs: number;
  readonly runTimeNs: number;
  readonly recursionMisses: number;
}

/**
 * One loaded BPF object with its rings; native/probe.cc. It belongs to the thread that made it. Every method throws an
 * {@link AddonError}: ERR_SONDE_CLOSED after close(), ERR_SONDE_ARGUMENT (a TypeError) for misuse.
 */
export interface Probe {
  /** Attaches a program to what its section names; an iterator over socket storage to `map`, by default `sockets`. */
  attach(program: string, map?: string): void;
  /** Detaches a program, or all. */
  detach(program?: string): void;
  attached(): string[];
  /**
   * Moves committed records to the start of `target` (at least 4224 bytes), merged by time over the CPUs, until it is
   * nearly full. Without `flush` records of the last 200 µs stay for the next call, so that those of a socket that
   * moved between CPUs come in order. Returns the bytes written.
   */
  drain(target: ArrayBuffer, flush: boolean): number;
  /** Committed records that were not drained yet; walks them. */
  pending(): number;
  /** Sums over the CPUs by COUNTER, then the reader's own by {@link READER}. */
  counters(): Float64Array;
  /** Highest share (0..1) of any CPU's ring that was taken, now or at a drain since the last call. */
  ringUse(): number;
  /**
   * Has a thread look at the rings whenever {@link arm} asks it to; once a probe. It keeps the process running until
   * close().
   */
  watch(callback: () => void): void;
  /**
   * One call of the callback: when a ring holds something, looked at each `checkMs`, or after `atMostMs` in any case.
   * Both are whole milliseconds from 1 to an hour. Again before that call: the new times hold.
   */
  arm(checkMs: number, atMostMs: number): void;
  /** Runs an attached iterator to its end. Returns the nanoseconds it took. */
  sweep(program: string): number;
  /** Runs a SEC("syscall") program; `output` is the context as the program left it. */
  run(program: string, input?: Uint8Array): { retval: number; output: Uint8Array };
  mapUpdate(map: string, key: Uint8Array, value: Uint8Array): void;
  /** False if there was no such key. */
  mapDelete(map: string, key: Uint8Array): boolean;
  mapLookup(map: string, key: Uint8Array): Uint8Array | undefined;
  /** Bytes that the kernel charges for all maps. */
  mapBytes(): number;
  programs(): ProgramInfo[];
  /** The map `policies` itself: {@link POLICY_STRIDE} words an entry, the first counts. Has length 0 after close(). */
  readonly policies: Uint32Array;
  readonly closed: boolean;
  /** Detaches and frees everything. More than once is harmless. */
  close(): void;
}

/** Positions of the reader's own counters, after the COUNTER.counters sums. */
export const READER = { records: 0, bad: 1, resyncs: 2, bytes: 3, drains: 4 } as const;

/** Words between two entries of `policies`: the kernel rounds an array's values up to 8 bytes. */
export const POLICY_STRIDE = 2;

export interface Addon {
  readonly Probe: new (options: ProbeOptions) => Probe;
  /** While one is open, the kernel measures the run time of every BPF program on the host. */
  readonly RunTimeStats: new () => { close(): void };
  /** Which of these types the running kernel has; a tracepoint `x` is the type `btf_trace_x`. */
  kernelTypes(names: readonly string[]): boolean[];
  /** Names of an enumeration of the running kernel by number; undefined if it has none of that name. */
  kernelEnum(name: string): Readonly<Record<number, string>> | undefined;
}

/** What the addon throws. */
export interface AddonError extends Error {
  readonly code:
    | 'ERR_SONDE_ARGUMENT'
    | 'ERR_SONDE_CLOSED'
    | 'ERR_SONDE_PERMISSION'
    | 'ERR_SONDE_NO_BTF'
    | 'ERR_SONDE_LOAD'
    | 'ERR_SONDE_ATTACH'
    | 'ERR_SONDE_MAP'
    | 'ERR_SONDE_RUN'
    | 'ERR_SONDE_MEMORY';
  /** The end of what libbpf and the verifier said; empty if nothing. */
  readonly log: string;
}

// The same from src/receiver/kernel and from dist/receiver/kernel.
const root = new URL('../../../', import.meta.url);

/** Path of the BPF object. Throws SONDE_ADDON_MISSING if it was not built. */
export function objectPath(): string {
  return builtFile('build/bpf/sonde.bpf.o');
}

let loaded: Addon | undefined;

/**
 * Loads the addon, on first use: everything but capturing works without it, on any system.
 * Throws SONDE_NOT_LINUX or SONDE_ADDON_MISSING.
 */
export function loadAddon(): Addon {
  if (loaded !== undefined) return loaded;
  if (process.platform !== 'linux') throw new SondeError('SONDE_NOT_LINUX');
  // oxlint-disable-next-line node/no-process-env -- the sanitizer run brings its own build
  const path = process.env['SONDE_ADDON'] ?? builtFile('build/Release/sonde.node');
  try {
    loaded = createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new SondeError('SONDE_ADDON_MISSING', {
      detail: `the native addon cannot be loaded: ${String(cause).split('\n')[0]}`,
      cause,
    });
  }
  return loaded;
}

export function isAddonError(error: unknown): error is AddonError {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_SONDE_');
}

/** An addon's error as the person who started the program should read it; other errors pass unchanged. */
export function explain(error: unknown): unknown {
  if (!isAddonError(error)) return error;
  switch (error.code) {
    case 'ERR_SONDE_PERMISSION':
      return new SondeError('SONDE_NOT_ROOT', { cause: error });
    case 'ERR_SONDE_NO_BTF':
      return new SondeError('SONDE_NO_BTF', { cause: error });
    case 'ERR_SONDE_LOAD':
    case 'ERR_SONDE_ATTACH':
      return new SondeError('SONDE_KERNEL_REFUSED', {
        detail: `the kernel refused the BPF programs (${error.message})`,
        cause: error,
      });
    default:
      return error;
  }
}

function builtFile(path: string): string {
  const file = fileURLToPath(new URL(path, root));
  if (!existsSync(file)) throw new SondeError('SONDE_ADDON_MISSING', { detail: `${file} is not built` });
  return file;
}

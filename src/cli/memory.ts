const MiB = 1024 * 1024;

/** Resident memory of Node.js itself with this program and without its heap: code, stacks, native buffers. */
const OVERHEAD_MIB = 64;
const LEAST_MIB = 32;

/** The `--max-old-space-size` that keeps resident memory under a limit; 96 for 160 MiB. */
export function heapLimitMiB(limitBytes: number): number {
  return Math.max(LEAST_MIB, Math.floor(limitBytes / MiB) - OVERHEAD_MIB);
}

import { constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';

export interface StandardOutputOptions {
  /** Default 1. */
  readonly fd?: number;
  /** What writes to `fd` where it is no pipe. Default process.stdout. */
  readonly otherwise?: Writable;
}

/**
 * Standard output as a stream that never blocks. Node writes to pipes synchronously, so that a reader who pauses
 * would hold up everything; opening the pipe anew gives a description of its own that can be non-blocking without
 * touching anyone else's. Files and terminals stay what Node makes of them.
 */
export function openStandardOutput(options: StandardOutputOptions = {}): Writable {
  const { fd = 1, otherwise = process.stdout } = options;
  try {
    if (!fstatSync(fd).isFIFO()) return otherwise;
    const own = openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
    // What is being written keeps the program alive, the open end alone does not.
    return new Socket({ fd: own, readable: false, writable: true }).unref();
  } catch {
    // No /proc, or a pipe of another user.
    return otherwise;
  }
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a test starts and writes: a directory and everything that must end with the test. */
export interface Scene {
  readonly directory: string;
  /** Aborted when the scene ends. */
  readonly signal: AbortSignal;
  /** Called at the end, last registered first. */
  onEnd(end: () => void | Promise<void>): void;
  /** Ends all processes, closes all sockets and removes the directory. Throws the first failure, after all ran. */
  end(): Promise<void>;
}

export async function createScene(): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'sonde-test-'));
  const controller = new AbortController();
  const ends: (() => void | Promise<void>)[] = [];
  return {
    directory,
    signal: controller.signal,
    onEnd: (end) => void ends.push(end),
    end: async () => {
      controller.abort();
      const failures: unknown[] = [];
      for (const end of ends.toReversed()) {
        try {
          await end();
        } catch (error) {
          failures.push(error);
        }
      }
      ends.length = 0;
      await rm(directory, { recursive: true, force: true });
      if (failures.length > 0) throw failures[0];
    },
  };
}

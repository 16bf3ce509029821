import { createHash } from 'node:crypto';
import { readFileSync, stat, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

export interface WatchFileOptions {
  readonly file: string;
  /** The content is another than at the start or at the last call, and has stayed so for a moment. */
  readonly onChange: () => void;
  /** How often the file is looked at, ms. Default 2,000. */
  readonly intervalMs?: number;
  /** How long it must not change before it counts as written, ms. Default 500. */
  readonly quietMs?: number;
}

/**
 * Watches a file by looking at it: that sees what is mounted from elsewhere, renamed into place or reached through
 * links that are exchanged (as Kubernetes does with a ConfigMap), and costs one system call each time. A file that
 * vanishes is reported when it is there again. It does not keep the process running.
 *
 * @returns ends it
 */
export function watchForChange(options: WatchFileOptions): () => void {
  const { file, onChange, intervalMs = 2000, quietMs = 500 } = options;
  // Before the content is read: what is written in between is looked at once more.
  let mark = markOf(statSync(file, { bigint: true, throwIfNoEntry: false }));
  let known = digest(file);
  let quiet: NodeJS.Timeout | undefined;
  let stopped = false;
  const look = (): void => {
    const found = digest(file);
    if (found !== undefined && found !== known) {
      known = found;
      onChange();
    }
  };
  const timer = setInterval(() => {
    stat(file, { bigint: true }, (error, found) => {
      const next = markOf(error === null ? found : undefined);
      if (!stopped && next !== mark) {
        mark = next;
        clearTimeout(quiet);
        quiet = setTimeout(look, quietMs);
        quiet.unref();
      }
    });
  }, intervalMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    clearTimeout(quiet);
    stopped = true;
  };
}

/** Changes with whatever is written, renamed or linked there. */
function markOf(found: BigIntStats | undefined): string {
  return found === undefined ? '' : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}`;
}

/** Undefined if it cannot be read. */
function digest(file: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return undefined;
  }
}

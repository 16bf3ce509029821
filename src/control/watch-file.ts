import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createHash } from 'node:crypto';

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
  let known = digest(file);
  let quiet: NodeJS.Timeout | undefined;
  const look = (): void => {
    const found = digest(file);
    if (found !== undefined && found !== known) {
      known = found;
      onChange();
    }
  };
  const listener = (): void => {
    clearTimeout(quiet);
    quiet = setTimeout(look, quietMs);
    quiet.unref();
  };
  watchFile(file, { interval: intervalMs, persistent: false }, listener);
  return () => {
    clearTimeout(quiet);
    unwatchFile(file, listener);
  };
}

/** Undefined if it cannot be read. */
function digest(file: string): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex');
  } catch {
    return undefined;
  }
}

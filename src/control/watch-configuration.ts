import type { Reloader } from './reload.ts';
import { watchForChange } from './watch-file.ts';
import type { WatchFileOptions } from './watch-file.ts';

export interface WatchConfigurationOptions extends Pick<WatchFileOptions, 'intervalMs' | 'quietMs'> {
  readonly reloader: Reloader;
}

export interface ConfigurationWatch {
  /** To be called after a reload: other files may be meant now. */
  follow(): void;
  stop(): void;
}

/** Reloads when the configuration file changes, or the file of the token that it names. */
export function watchConfiguration({ reloader, ...pace }: WatchConfigurationOptions): ConfigurationWatch {
  const watched = new Map<string, () => void>();
  const keep = (files: ReadonlySet<string | undefined>): void => {
    for (const [file, stop] of watched) {
      if (!files.has(file)) {
        stop();
        watched.delete(file);
      }
    }
    for (const file of files) {
      if (file !== undefined && !watched.has(file)) {
        watched.set(file, watchForChange({ ...pace, file, onChange: () => void reloader.reload('file') }));
      }
    }
  };
  let stopped = false;
  const follow = (): void => {
    if (stopped) {
      return;
    }
    const { file, configuration } = reloader.current();
    keep(new Set([file, configuration.control.token_file]));
  };
  follow();
  return {
    follow,
    stop() {
      stopped = true;
      keep(new Set());
    },
  };
}

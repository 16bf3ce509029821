import type { LoadedConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/schema.ts';
import { configurationSchema } from '../config/schema.ts';
import { valueAt } from '../config/source.ts';
import { leaves, settingTree } from '../config/tree.ts';
import type { ReloadStatus } from './status.ts';

/** Makes the new value of some keys hold. */
export interface Applier {
  /** Dotted keys; one that ends in a dot stands for all that begin with it. */
  readonly keys: readonly string[];
  /** Those of its keys that are what they were but name something, such as a file, that is not. @throws what is wrong */
  readonly stale?: (next: Configuration) => readonly string[];
  /** Called once a reload if one of its keys has changed or is stale. @throws if the new values cannot hold; the old ones do */
  apply(next: Configuration, changed: readonly string[]): Promise<void> | void;
}

export interface ReloaderOptions {
  readonly initial: LoadedConfiguration;
  /** Reads the configuration anew. @throws SondeError with place and reason */
  readonly load: () => LoadedConfiguration;
  readonly appliers: readonly Applier[];
  /** Told of each reload, but for those that find nothing changed. */
  readonly onReload: (status: ReloadStatus) => void;
  /** For tests. */
  readonly now?: () => Date;
}

export interface Reloader {
  /** Reads and applies; calls wait for each other. Never rejects. @param cause `SIGHUP`, `file` */
  reload(cause: string): Promise<ReloadStatus>;
  /** What holds now: of keys that wait for a restart the old value. */
  current(): LoadedConfiguration;
  last(): ReloadStatus | null;
}

export function createReloader(options: ReloaderOptions): Reloader {
  const { initial, load, appliers, onReload, now = () => new Date() } = options;
  const paths = leaves(settingTree(configurationSchema)).map((leaf) => leaf.path);
  let current = initial;
  let last: ReloadStatus | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  const attempt = async (): Promise<Omit<ReloadStatus, 'time' | 'cause'>> => {
    const next = load();
    const changed = paths
      .filter((path) => !same(valueAt(current.configuration, path), valueAt(next.configuration, path)))
      .map((path) => path.join('.'));
    const applied: string[] = [];
    const problems: string[] = [];
    for (const applier of appliers) {
      try {
        const own = changed.filter((key) =>
          applier.keys.some((one) => key === one || (one.endsWith('.') && key.startsWith(one))),
        );
        if (own.length === 0) {
          own.push(...(applier.stale?.(next.configuration) ?? []));
        }
        if (own.length > 0) {
          await applier.apply(next.configuration, own);
          applied.push(...own);
        }
      } catch (error) {
        problems.push((error as Error).message);
      }
    }
    const restart = changed.filter((key) => !applied.includes(key));
    current = keep(next, current, restart);
    return {
      result: changed.length === 0 && applied.length === 0 ? 'unchanged' : 'applied',
      applied,
      restart,
      error: problems.length === 0 ? null : problems.join('; '),
    };
  };

  const reload = async (cause: string): Promise<ReloadStatus> => {
    const time = now().toISOString();
    const outcome = await attempt().catch(
      (error: unknown): Omit<ReloadStatus, 'time' | 'cause'> => ({
        result: 'refused',
        applied: [],
        restart: [],
        error: (error as Error).message,
      }),
    );
    last = { time, cause, ...outcome };
    onReload(last);
    return last;
  };

  return {
    reload(cause) {
      const result = queue.then(() => reload(cause));
      queue = result;
      return result;
    },
    current: () => current,
    last: () => last,
  };
}

/** Configurations are plain data. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The new configuration, with the old values and origins of these keys. */
function keep(next: LoadedConfiguration, old: LoadedConfiguration, keys: readonly string[]): LoadedConfiguration {
  const configuration = structuredClone(next.configuration);
  const given = structuredClone(next.given);
  const origins = new Map(next.origins);
  for (const key of keys) {
    const path = key.split('.');
    assign(configuration, path, valueAt(old.configuration, path));
    assign(given, path, valueAt(old.given, path));
    origins.set(key, old.origins.get(key) ?? 'default');
  }
  return { ...next, configuration, given, origins };
}

function assign(target: object, path: readonly string[], value: unknown): void {
  let node = target as Record<string, unknown>;
  for (const part of path.slice(0, -1)) {
    node[part] ??= {};
    node = node[part] as Record<string, unknown>;
  }
  const key = path.at(-1) as string;
  if (value === undefined) {
    delete node[key];
  } else {
    node[key] = value;
  }
}

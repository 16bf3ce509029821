import { readFileSync, statSync } from 'node:fs';
import * as z from 'zod/mini';
import { SondeError } from '../model/errors.ts';
import { checkRelations } from './relations.ts';
import { readEnvironment } from './environment.ts';
import { ConfigurationError, formatKey } from './problem.ts';
import type { KeyPath, Problem } from './problem.ts';
import { configurationSchema } from './schema.ts';
import type { Configuration } from './schema.ts';
import { NOT_IN_BUILD } from './setting.ts';
import { MAX_FILE_BYTES, parseYaml, showValue, valueAt } from './source.ts';
import type { YamlSource } from './source.ts';
import { suggest } from './suggest.ts';
import { leaves, nearest, settingTree } from './tree.ts';

/** Where the file is looked for when nothing names one. */
export const DEFAULT_FILE = '/etc/sonde/sonde.yaml';

export interface LoadOptions {
  /** Path from `--config`. */
  readonly file?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** For tests; default `/etc/sonde/sonde.yaml`. */
  readonly defaultFile?: string;
}

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** The file that was read, if any. */
  readonly file: string | undefined;
  /** Where a key's value comes from: a variable, `file:line:column`, or `default`. By dotted key. */
  readonly origins: ReadonlyMap<string, string>;
  /** What was given, before defaults; as a person wrote it. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

/**
 * Reads the configuration: environment over file over default.
 * @throws ConfigurationError with everything that is wrong; SondeError if a named file cannot be read.
 */
export function loadConfiguration(options: LoadOptions): LoadedConfiguration {
  const root = settingTree(configurationSchema);
  const problems: Problem[] = [];
  const { file, text } = readSource(options);
  let source: YamlSource | undefined;
  if (file !== undefined) {
    const result = parseYaml(text, file);
    if (result.ok) {
      source = result.source;
    } else {
      problems.push(...result.problems);
    }
  }
  const environment = readEnvironment(root, options.environment);
  problems.push(...environment.problems);

  const given = withoutNulls(source?.values ?? {});
  const variables = new Map<string, string>();
  for (const { path, variable, value } of environment.values) {
    assign(given, path, value);
    variables.set(formatKey(path), variable);
  }
  const locate = (path: KeyPath, part: 'key' | 'value'): string => {
    for (let length = path.length; length > 0; length--) {
      const variable = variables.get(formatKey(path.slice(0, length)));
      if (variable !== undefined) {
        return `environment ${variable}`;
      }
    }
    return source?.locate(path, part) ?? file ?? 'default';
  };

  const parsed = z.safeParse(configurationSchema, given);
  if (!parsed.success) {
    problems.push(...parsed.error.issues.flatMap((issue) => explain(issue, given, locate)));
  } else {
    problems.push(...checkRelations(parsed.data, locate));
  }
  if (problems.length > 0 || !parsed.success) {
    throw new ConfigurationError(problems.toSorted(byPlace));
  }
  const origins = new Map(
    leaves(root).map((leaf) => {
      const set = valueAt(given, leaf.path) !== undefined;
      return [formatKey(leaf.path), set ? locate(leaf.path, 'value') : 'default'];
    }),
  );
  return { configuration: parsed.data, file, origins, given, warnings: environment.warnings };

  function explain(issue: z.core.$ZodIssue, values: unknown, place: typeof locate): Problem[] {
    const path = issue.path as KeyPath;
    const node = nearest(root, path);
    if (issue.code === 'unrecognized_keys') {
      const known = node.children.map((child) => child.path.at(-1) as string);
      return issue.keys.map((key) => {
        const suggestion = suggest(key, known);
        const at = [...path, key];
        return {
          where: place(at, 'key'),
          key: formatKey(at),
          wrong: 'unknown key',
          ...(suggestion === undefined ? { allowed: known.join(', ') } : { suggestion }),
        };
      });
    }
    const value = node.about.secret === true ? 'the value' : showValue(valueAt(values, path));
    const custom = issue.code === 'custom' || issue.message === 'too many' ? issue.message : undefined;
    const where = place(path, 'value');
    const key = formatKey(path);
    if (custom === NOT_IN_BUILD) {
      return [{ where, key, wrong: `${value} asks for something that is ${NOT_IN_BUILD}` }];
    }
    const allowed = node.about.kind === 'section' ? `a mapping with ${node.about.allowed}` : node.about.allowed;
    const wrong = custom === undefined ? `${value} is not allowed here` : `${value} is ${custom}`;
    const suggestion =
      node.about.kind === 'choice' ? suggest(String(valueAt(values, path)), words(node.about.allowed)) : undefined;
    return [{ where, key, wrong, allowed, ...(suggestion === undefined ? {} : { suggestion }) }];
  }
}

function byPlace(a: Problem, b: Problem): number {
  const [lineA, columnA] = position(a.where);
  const [lineB, columnB] = position(b.where);
  return lineA - lineB || columnA - columnB;
}

/** Line and column of `file:line:column`; variables come last. */
function position(where: string): [number, number] {
  const match = /:(\d+):(\d+)$/.exec(where);
  return match === null ? [Number.MAX_SAFE_INTEGER, 0] : [Number(match[1]), Number(match[2])];
}

function words(allowed: string): string[] {
  return allowed.replace('one of ', '').split(', ');
}

function readSource(options: LoadOptions): { file: string | undefined; text: string } {
  const named = options.file ?? (options.environment.SONDE_CONFIG || undefined);
  const file = named ?? options.defaultFile ?? DEFAULT_FILE;
  try {
    if (statSync(file).size > MAX_FILE_BYTES) {
      throw new ConfigurationError([{ where: file, key: '', wrong: 'larger than 1 MiB' }]);
    }
    return { file, text: readFileSync(file, 'utf8') };
  } catch (error) {
    if (error instanceof ConfigurationError) {
      throw error;
    }
    const { code } = error as NodeJS.ErrnoException;
    if (named === undefined && code === 'ENOENT') {
      return { file: undefined, text: '' };
    }
    const why =
      code === 'ENOENT' ? 'does not exist' : code === 'EISDIR' ? 'is a directory' : `cannot be read (${String(code)})`;
    throw new SondeError('SONDE_FILE_MISSING', { detail: `the configuration file ${file} ${why}`, cause: error });
  }
}

/** A key without a value (all its keys commented out) counts as absent. */
function withoutNulls(values: Readonly<Record<string, unknown>>, depth = 0): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(values)) {
    if (value !== null) {
      const nested = typeof value === 'object' && !Array.isArray(value) && depth < 16;
      result[key] = nested ? withoutNulls(value as Record<string, unknown>, depth + 1) : value;
    }
  }
  return result;
}

function assign(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let node = target;
  for (const key of path.slice(0, -1)) {
    const child = node[key];
    if (typeof child !== 'object' || child === null || Array.isArray(child)) {
      node[key] = {};
    }
    node = node[key] as Record<string, unknown>;
  }
  node[path.at(-1) as string] = value;
}

import { parse as parseYamlValue } from 'yaml';
import type { Problem } from './problem.ts';
import { showValue } from './source.ts';
import { suggest } from './suggest.ts';
import { leaves, variableName } from './tree.ts';
import type { SettingNode } from './tree.ts';

/** A value that a variable sets. */
export interface EnvironmentValue {
  readonly path: readonly string[];
  readonly variable: string;
  readonly value: unknown;
}

export interface EnvironmentResult {
  readonly values: readonly EnvironmentValue[];
  readonly problems: readonly Problem[];
  /** Variables that are probably mistakes, but might be somebody else's. */
  readonly warnings: readonly string[];
}

/** Variables of that prefix that are no keys: the file, and the addon's build for the sanitizers. */
const OTHERS = new Set(['SONDE_CONFIG', 'SONDE_ADDON']);

/** What Kubernetes sets in every pod for a service whose name begins with "sonde". */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

const MAX_VALUE = 16_384;

/**
 * The keys that `SONDE_…` variables set. An empty variable counts as unset. Scalars are read as YAML does, lists
 * as YAML or comma-separated.
 */
export function readEnvironment(
  root: SettingNode,
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentResult {
  const byName = new Map(leaves(root).map((leaf) => [variableName(leaf.path), leaf]));
  const sections = root.children.map((child) => `${variableName(child.path)}_`);
  const values: EnvironmentValue[] = [];
  const problems: Problem[] = [];
  const warnings: string[] = [];
  for (const name of Object.keys(environment).toSorted()) {
    const text = environment[name];
    if (!name.startsWith('SONDE_') || text === undefined || text === '' || OTHERS.has(name)) {
      continue;
    }
    const where = `environment ${name}`;
    const leaf = byName.get(name);
    if (leaf === undefined) {
      if (SERVICE_LINK.test(name)) {
        continue;
      }
      const suggestion = suggest(name, [...byName.keys()]);
      if (suggestion !== undefined || sections.some((one) => name.startsWith(one))) {
        problems.push({
          where,
          key: '',
          wrong: 'no key has this variable',
          ...(suggestion === undefined ? {} : { suggestion }),
        });
      } else {
        warnings.push(`${name} is no variable of Sonde and is ignored`);
      }
    } else if (text.length > MAX_VALUE) {
      problems.push({ where, key: leaf.path.join('.'), wrong: 'too long', allowed: `at most ${MAX_VALUE} characters` });
    } else {
      const value = readValue(leaf, text);
      if (value === BROKEN) {
        problems.push({
          where,
          key: leaf.path.join('.'),
          wrong: `${showValue(text)} begins a YAML ${text.trimStart().startsWith('[') ? 'list' : 'mapping'} and is none; is its end missing?`,
          allowed: leaf.about.allowed,
        });
      } else {
        values.push({ path: leaf.path, variable: name, value });
      }
    }
  }
  return { values, problems, warnings };
}

/** What begins like a list or mapping of YAML and is none: taken apart at its commas it would mean something else. */
const BROKEN = Symbol('broken');

function readValue(leaf: SettingNode, text: string): unknown {
  const { kind } = leaf.about;
  if (kind === 'list') {
    const value = scalar(text);
    const isList = Array.isArray(value);
    if (!isList && /^\s*[[{]/.test(text)) return BROKEN;
    const list: unknown[] = isList ? value : text.split(',').map((one) => one.trim());
    return list.map((one) => (typeof one === 'string' && /^\d+$/.test(one) ? Number(one) : one));
  }
  return kind === 'boolean' || kind === 'number' ? scalar(text) : text;
}

function scalar(text: string): unknown {
  try {
    const value: unknown = parseYamlValue(text, { maxAliasCount: 0, logLevel: 'error' });
    return value;
  } catch {
    return text;
  }
}

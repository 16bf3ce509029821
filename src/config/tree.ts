import type * as z from 'zod/mini';
import { about, NOT_IN_BUILD } from './setting.ts';
import type { About } from './setting.ts';

/** One key of the configuration, found by walking the schema. */
export interface SettingNode {
  /** Keys from the root; the root itself has none. */
  readonly path: readonly string[];
  readonly about: About;
  /** Keys of a section, in the order of the schema; empty for a value. */
  readonly children: readonly SettingNode[];
}

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodMiniType;
  readonly shape?: Readonly<Record<string, z.ZodMiniType>>;
}

function definition(schema: z.ZodMiniType): Definition {
  return schema._zod.def;
}

/** The tree of settings that a schema built with setting.ts describes. */
export function settingTree(schema: z.ZodMiniType, path: readonly string[] = []): SettingNode {
  const text = about.get(schema);
  if (text === undefined) {
    throw new Error(`no doc for ${path.join('.')}`);
  }
  let inner = schema;
  while (definition(inner).innerType !== undefined) {
    inner = definition(inner).innerType as z.ZodMiniType;
  }
  const shape = text.kind === 'section' ? (definition(inner).shape ?? {}) : {};
  return {
    path,
    about: text,
    children: Object.entries(shape).map(([key, child]) => settingTree(child, [...path, key])),
  };
}

/** The values of a tree, without its sections. */
export function leaves(node: SettingNode): SettingNode[] {
  return node.about.kind === 'section' ? node.children.flatMap(leaves) : [node];
}

/** The node that a path leads to, or the last one on the way that exists. */
export function nearest(root: SettingNode, path: readonly (string | number)[]): SettingNode {
  let node = root;
  for (const part of path) {
    const child = node.children.find((one) => one.path.at(-1) === part);
    if (child === undefined) {
      return node;
    }
    node = child;
  }
  return node;
}

/** The variable that holds a key: `SONDE_EXPORTERS_PROMETHEUS_LISTEN`. */
export function variableName(path: readonly string[]): string {
  return `SONDE_${path.join('_').toUpperCase()}`;
}

/** Whether a section is the switch of a feature that this build lacks. */
export function isMissing(node: SettingNode): boolean {
  const enabled = node.children.find((child) => child.path.at(-1) === 'enabled');
  return enabled !== undefined && enabled.about.allowed.includes(NOT_IN_BUILD);
}

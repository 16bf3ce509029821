import { writeValue } from './commented-yaml.ts';
import type { LoadedConfiguration } from '../load.ts';
import { configurationSchema } from '../schema.ts';
import { valueAt } from '../source.ts';
import { leaves, settingTree } from '../tree.ts';
import type { SettingNode } from '../tree.ts';

/** In the place of a secret. */
const MASK = '***';

/** What holds, by dotted key: as a person would write it, null if it is unset, and where it comes from. */
export function effectiveSettings(loaded: LoadedConfiguration): Record<string, { value: unknown; origin: string }> {
  return Object.fromEntries(
    leaves(settingTree(configurationSchema)).map((leaf) => {
      const key = leaf.path.join('.');
      return [key, { value: shown(leaf, loaded) ?? null, origin: loaded.origins.get(key) ?? 'default' }];
    }),
  );
}

function shown(leaf: SettingNode, loaded: LoadedConfiguration): unknown {
  const value = valueAt(loaded.given, leaf.path) ?? leaf.about.preset;
  return leaf.about.secret === true && value !== undefined ? MASK : value;
}

/** What holds, as YAML that can be read back, and behind each value where it comes from. */
export function renderEffective(root: SettingNode, loaded: LoadedConfiguration): string {
  return root.children.flatMap((child) => render(child, loaded, 0)).join('\n');
}

function render(node: SettingNode, loaded: LoadedConfiguration, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const name = node.path.at(-1) as string;
  if (node.about.kind === 'section') {
    return [`${indent}${name}:`, ...node.children.flatMap((child) => render(child, loaded, depth + 1))];
  }
  const value = shown(node, loaded);
  const origin = loaded.origins.get(node.path.join('.')) as string;
  return value === undefined
    ? [`${indent}# ${name}: unset`]
    : [`${indent}${name}: ${writeValue(value)}${origin === 'default' ? '' : ` # ${origin}`}`];
}

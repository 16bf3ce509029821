import { writeValue } from './commented-yaml.ts';
import type { LoadedConfiguration } from '../load.ts';
import { valueAt } from '../source.ts';
import type { SettingNode } from '../tree.ts';

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
  const value = valueAt(loaded.given, node.path) ?? node.about.preset;
  const origin = loaded.origins.get(node.path.join('.')) as string;
  return value === undefined
    ? [`${indent}# ${name}: unset`]
    : [`${indent}${name}: ${writeValue(value)}${origin === 'default' ? '' : ` # ${origin}`}`];
}

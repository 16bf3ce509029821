import { NOT_IN_BUILD } from '../setting.ts';
import { isMissing } from '../tree.ts';
import type { SettingNode } from '../tree.ts';

const WIDTH = 110;

/** The file with every key, its doc and its default, all values commented out: what is in it changes nothing. */
export function renderCommentedYaml(root: SettingNode): string {
  const head = [
    '# The configuration of Sonde: every key with its default. Uncomment what you change.',
    '# Each key can also be set by a variable: capture.ring_bytes is SONDE_CAPTURE_RING_BYTES.',
    '# Durations: 5s, 250ms, 1m30s. Sizes: 4MiB, 64KiB, 4096. Ratios: 2%.',
    '# Generated from src/config/schema.ts by scripts/generate-configuration.mjs; `sonde config check` checks a file.',
  ];
  return `${[...head, ...root.children.flatMap((child) => render(child, 0))].join('\n')}\n`;
}

function render(node: SettingNode, depth: number): string[] {
  const indent = '  '.repeat(depth);
  const name = node.path.at(-1) as string;
  const { about } = node;
  if (isMissing(node)) {
    return [`${indent}# ${name}: { enabled: false } # ${NOT_IN_BUILD}`];
  }
  if (about.kind === 'section') {
    const lines = [...(depth < 2 ? [''] : []), ...comment(about.doc, indent), `${indent}${name}:`];
    return [...lines, ...node.children.flatMap((child) => render(child, depth + 1))];
  }
  const missing = about.allowed.includes(NOT_IN_BUILD);
  const allowed = about.kind === 'boolean' && !missing ? '' : ` Allowed: ${about.allowed}.`;
  const value = about.preset === undefined ? '' : ` ${writeValue(about.preset)}`;
  return [...comment(`${about.doc}${allowed}`, indent), `${indent}# ${name}:${value}`];
}

/** A value as YAML, on one line. */
export function writeValue(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(writeValue).join(', ')}]`;
  }
  if (typeof value !== 'string') {
    return String(value);
  }
  return /^[A-Za-z0-9./][A-Za-z0-9./:_-]*$/.test(value) && !/^(true|false|null|~|\d+:\d+)$/i.test(value)
    ? value
    : JSON.stringify(value);
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

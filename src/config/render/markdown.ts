import { NOT_IN_BUILD } from '../setting.ts';
import type { SettingNode } from '../tree.ts';
import { isMissing, variableName } from '../tree.ts';
import { writeValue } from './commented-yaml.ts';

const HEAD = `<!-- Generated from src/config/schema.ts by scripts/generate-configuration.mjs. Do not edit. -->
# Configuration

Sonde runs without any configuration. What differs from the defaults stands in one YAML file: the one that
\`--config FILE\` names, else the one that the variable \`SONDE_CONFIG\` names, else \`/etc/sonde/sonde.yaml\` if it is there.
Every key can also be set by a variable, \`SONDE_\` and its path in upper case. A variable wins over the file, the file
over the default. An empty variable counts as unset; a key without a value counts as absent.

- Durations: \`5s\`, \`250ms\`, \`1m30s\`. Sizes: \`4MiB\`, \`64KiB\`, \`4096\`. Ratios: \`2%\`.
- Lists in variables: YAML (\`[80, 443]\`) or comma-separated (\`80,443\`).
- In a filter a number includes and \`"!22"\` excludes; exclusion wins.
- \`listen: 127.0.0.1:0\` takes any free port; the ready line says which.

\`sonde config check\` says what is wrong with a file, with line, column and what was probably meant; \`sonde config print\`
shows what holds and where it comes from; \`sonde config schema\` prints the JSON schema for editors
(\`config/sonde.schema.json\`). \`config/sonde.yaml\` holds every key, commented.

Keys marked *${NOT_IN_BUILD}* are known and may be left at their default; asking for them is an error.
`;

/** The reference page: one table for each section that holds values. */
export function renderMarkdown(root: SettingNode): string {
  const body = root.children.flatMap((child) => renderSection(child)).join('\n');
  return `${`${HEAD}${body}`.replace(/\n{3,}/g, '\n\n').trimEnd()}\n`;
}

function renderSection(node: SettingNode): string[] {
  const values = node.children.filter((child) => child.about.kind !== 'section');
  const sections = node.children.filter((child) => child.about.kind === 'section');
  const depth = node.path.length === 1 ? '##' : '###';
  const title = ['', `${depth} ${node.path.join('.')}`, '', node.about.doc, ''];
  const table = [
    '| key | default | allowed | variable |',
    '| --- | --- | --- | --- |',
    ...values.flatMap((leaf) => [row(leaf)]),
    '',
    ...values.map((leaf) => `- \`${leaf.path.at(-1)}\`: ${leaf.about.doc}`),
  ];
  const [missing, present] = [sections.filter(isMissing), sections.filter((one) => !isMissing(one))];
  return [
    ...title,
    ...(values.length > 0 ? [...table, ''] : []),
    ...present.flatMap((child) => renderSection(child)),
    ...(missing.length > 0
      ? ['', `*${sentence(NOT_IN_BUILD)}:* ${missing.map((one) => `\`${one.path.join('.')}\``).join(', ')}.`, '']
      : []),
  ];
}

function row(leaf: SettingNode): string {
  const { about } = leaf;
  const preset = about.preset === undefined ? '' : `\`${writeValue(about.preset)}\``;
  return `| \`${leaf.path.at(-1)}\` | ${preset} | ${about.allowed} | \`${variableName(leaf.path)}\` |`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

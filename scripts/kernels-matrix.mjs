#!/usr/bin/env node
// Prints what scripts/kernels found as a matrix, a row a check and a column a kernel, and the reasons under it.
// --write FILE puts it between FILE's marks. Fails if a check failed.
import { readFileSync, writeFileSync } from 'node:fs';

const files = process.argv.slice(2);
const target = files[0] === '--write' ? files.splice(0, 2)[1] : undefined;
const BEGIN = '<!-- kernels:begin -->';
const END = '<!-- kernels:end -->';
const TITLES = { feature: 'feature', traffic: 'seen exactly', law: 'law' };

const columns = files.map((file) => {
  const findings = [];
  try {
    for (const line of readFileSync(file, 'utf8').split(/\r?\n/))
      if (line.startsWith('{')) findings.push(JSON.parse(line));
  } catch (error) {
    findings.push({ check: 'traffic', name: 'boots', ok: false, detail: error.message });
  }
  const named = findings.find(({ check }) => check === 'kernel')?.name ?? file;
  if (!findings.some(({ check }) => check === 'end')) {
    findings.push({ check: 'traffic', name: 'comes to its end', ok: false, detail: `see ${file}` });
  }
  return { name: named, findings };
});

const rows = new Map();
for (const { findings } of columns) {
  for (const { check, name, reason } of findings) {
    if (!(check in TITLES) || reason === 'not in this build yet') continue;
    rows.set(`${TITLES[check]}: ${name}`, { check, name });
  }
}

const notes = [];
function note(text) {
  if (!notes.includes(text)) notes.push(text);
  return `[${notes.indexOf(text) + 1}]`;
}

function cell({ findings }, row) {
  const found = findings.find(({ check, name }) => check === row.check && name === row.name);
  if (found === undefined) return '–';
  if (row.check === 'feature') return found.reason === null ? found.state : `${found.state} ${note(found.reason)}`;
  return found.ok ? 'yes' : `**no** ${note(found.detail)}`;
}

const table = [
  ['', ...columns.map(({ name }) => name)],
  ...Array.from(rows, ([title, row]) => [title].concat(columns.map((column) => cell(column, row)))),
];
const widths = table[0].map((_, at) => Math.max(3, ...table.map((line) => line[at].length)));
const render = (line) => `| ${line.map((text, at) => text.padEnd(widths[at])).join(' | ')} |`;
const text = [
  render(table[0]),
  `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`,
  ...table.slice(1).map(render),
  '',
  ...notes.map((each, at) => `${at + 1}. ${each}`),
].join('\n');
console.log(text);

if (target !== undefined) {
  const page = readFileSync(target, 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${target} lacks the marks ${BEGIN} and ${END}`);
  const date = new Date().toISOString().slice(0, 10);
  const took = columns.map(({ name, findings }) => `${name} ${Math.round(findings.at(-1)?.at_s ?? 0)} s`).join(', ');
  const made = `${date}, \`npm run kernels -- --write\`, QEMU's software emulation; the checks took: ${took}.`;
  writeFileSync(target, `${before}${BEGIN}\n${made}\n\n${text}\n${END}${after}`);
}
process.exitCode = columns.some(({ findings }) => findings.some(({ ok }) => ok === false)) ? 1 : 0;

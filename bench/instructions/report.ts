/**
 * Prints what the boots of `npm run bench -- --instructions` found; `--write` puts it into docs/overhead.md. Boots that were
 * cut short are refused unless `--partial` is given, and then said to be.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { replaceSection } from '../document.ts';
import { parseBoot } from './finding.ts';
import { disagreements, instructionsSection } from './table.ts';

const { values, positionals } = parseArgs({
  options: { write: { type: 'boolean', default: false }, partial: { type: 'boolean', default: false } },
  allowPositionals: true,
});
try {
  const boots = positionals.map((file) => parseBoot(readFileSync(file, 'utf8')));
  const short = boots.filter(({ complete }) => !complete).length;
  if (short > 0 && !values.partial) throw new Error(`${short} of ${boots.length} boots were cut short`);
  const { kernel, alone } = boots[0];
  const date = new Date().toISOString().slice(0, 10);
  const made =
    `${date}: Linux ${kernel} under QEMU with \`-icount shift=0\`, one CPU; ${alone.large.requests.toLocaleString('en')} ` +
    `requests over 16 keep-alive connections, ${boots.length} ${boots.length === 1 ? 'boot' : 'boots'}, ` +
    '`npm run bench -- --instructions`.' +
    (short > 0 ? ` Boots cut short, with what they had come to: ${short}.` : '');
  const section = instructionsSection(boots, made);
  process.stdout.write(`${section}\n`);
  if (values.write) {
    const page = join(resolve(import.meta.dirname, '../../..'), 'docs/overhead.md');
    writeFileSync(page, replaceSection(readFileSync(page, 'utf8'), 'instructions', section));
  }
  const wrong = boots.some(({ sonde }) =>
    Array.from(sonde).some(([name, watched]) => disagreements(name, watched).length > 0),
  );
  process.exitCode = wrong ? 1 : 0;
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 5;
}

#!/usr/bin/env node
// Checks the import directions of .dependency-cruiser.cjs over src/ of the folder given (default: here).
// Fails when it sees no modules: a checker that cannot read TypeScript is content with everything.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';
import rules from '../.dependency-cruiser.cjs';

const baseDir = resolve(process.argv[2] ?? '.');
const { forbidden, options } = rules;
const result = existsSync(resolve(baseDir, 'src'))
  ? (await cruise(['src'], { ...options, baseDir, validate: true, ruleSet: { forbidden } })).output
  : { modules: [], summary: { violations: [] } };

const modules = result.modules.filter((module) => module.source.startsWith('src/')).length;
for (const { rule, from, to, cycle } of result.summary.violations) {
  const path = cycle === undefined ? [from, to] : [from, ...cycle.map((step) => step.name)];
  const { comment } = forbidden.find((one) => one.name === rule.name);
  console.error(`${rule.name}: ${path.join(' → ')} (${comment})`);
}
if (modules === 0) console.error('no modules seen in src/: nothing was checked');
else console.error(`${modules} modules, ${result.summary.violations.length} violations`);
process.exitCode = modules === 0 || result.summary.violations.length > 0 ? 1 : 0;

#!/usr/bin/env node
// Writes what is generated from src/config/schema.ts and src/model/errors.ts: config/sonde.yaml, config/sonde.schema.json,
// docs/configuration.md and docs/errors.md. With --check it writes nothing and exits with 1 if one of them has drifted.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
if (!existsSync(new URL('dist/config/render/files.js', root))) {
  console.error('dist/ is not built: run `npm run build` first.');
  process.exit(3);
}
const { generatedFiles } = await import(new URL('dist/config/render/files.js', root).href);
const check = process.argv.includes('--check');
let drifted = 0;
for (const [path, content] of Object.entries(generatedFiles())) {
  const file = fileURLToPath(new URL(path, root));
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (before === content) {
    continue;
  }
  drifted += 1;
  if (check) {
    console.error(`${path} has drifted: run node scripts/generate-configuration.mjs`);
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.error(`wrote ${path}`);
  }
}
process.exitCode = check && drifted > 0 ? 1 : 0;

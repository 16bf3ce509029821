#!/usr/bin/env node
// Writes docs/openapi.json from the routes of the control interface (src/control/control-routes.ts). A unit test fails
// if it has drifted.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);
if (!existsSync(new URL('dist/control/control-routes.js', root))) {
  console.error('dist/ is not built: run `npm run build` first.');
  process.exit(3);
}
const { controlRoutes } = await import(new URL('dist/control/control-routes.js', root).href);
const { describeApi } = await import(new URL('dist/control/openapi.js', root).href);
// The routes are only described: what they would show is never asked for.
const text = JSON.stringify(describeApi(controlRoutes({})), null, 2);
const file = fileURLToPath(new URL('docs/openapi.json', root));
writeFileSync(file, `${text}\n`);
execFileSync(fileURLToPath(new URL('node_modules/.bin/biome', root)), ['format', '--write', file], { stdio: 'ignore' });

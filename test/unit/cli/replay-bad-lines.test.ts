import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { replay } from '../../../src/cli/commands/replay.ts';

const folder = mkdtempSync(join(tmpdir(), 'sonde-replay-'));
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

test('a bad line is named without letting it or its file steer the terminal', async () => {
  const file = join(folder, 'name\u001b[2J.ndjson');
  writeFileSync(file, `${'x'.repeat(600)}\n\u001b]0;title\u0007\n{"time":"\\u001b[31m"}\n`);
  let text = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((part) => {
    text += String(part);
    return true;
  });
  const options = { from: undefined, to: undefined, filter: undefined, speed: undefined, configFile: undefined };
  expect(await replay({ ...options, files: [file], format: 'ndjson', environment: {} })).toBe(1);
  expect(text).toContain('.ndjson:2: not JSON');
  expect(text).toContain('.ndjson:3: ');
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { replayChunks } from './harness.ts';

const folder = join(import.meta.dirname, '../../../fixtures/http');
const names = readdirSync(folder)
  .filter((name) => name.endsWith('.ndjson'))
  .map((name) => name.slice(0, -'.ndjson'.length));

describe.each(names)('the recording %s', (name) => {
  test('tells the exchanges that were', async () => {
    const { seen, bad } = await replayChunks([readFileSync(join(folder, `${name}.ndjson`))]);
    const expected = JSON.parse(readFileSync(join(folder, `${name}.expected.json`), 'utf8')) as object[];
    expect(bad).toEqual([]);
    expect(seen.map((one) => Object.assign(one, { time: one.wallTime }))).toMatchObject(expected);
  });
});

test('there are recordings', () => {
  expect(names.length).toBeGreaterThan(4);
});

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RECORD } from '../../../../src/model/record.gen.ts';

const path = (relative: string): string => fileURLToPath(new URL(`../../../../${relative}`, import.meta.url));
const generate = (object: string): string =>
  execFileSync(process.execPath, [path('scripts/generate-record-layout.mjs'), path(object)], { encoding: 'utf8' });

// Without the build there is nothing to compare with.
describe.skipIf(!existsSync(path('build/bpf/record-layout.bpf.o')))('record.gen.ts', () => {
  it('is what the compiled records are', () => {
    expect(readFileSync(path('src/model/record.gen.ts'), 'utf8')).toBe(generate('build/bpf/record-layout.bpf.o'));
  });
});

it('every record is a multiple of the alignment, and the longest fits', () => {
  for (const size of Object.values(RECORD.size)) expect(size % RECORD.align).toBe(0);
  expect(RECORD.max.record).toBeGreaterThanOrEqual(RECORD.size.datagram + RECORD.max.payload);
});

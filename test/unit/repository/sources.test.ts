import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownFiles, ROOT } from './own-files.ts';

const MOST_LINES = 400;
const SOURCES = ['src', 'bpf', 'native', 'test', 'bench', 'scripts'].flatMap((folder) => ownFiles(folder));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const firstLine = (path: string): string => read(path).split('\n', 1)[0] ?? '';

describe('source files', () => {
  it('are there to be looked at', () => {
    expect(SOURCES.length).toBeGreaterThan(50);
  });

  it(`have fewer than ${MOST_LINES} lines`, () => {
    const written = SOURCES.filter((path) => /\.(ts|mjs|c|cc|h)$/.test(path) && !path.includes('.gen.'));
    const long = written.filter((path) => read(path).split('\n').length > MOST_LINES);
    expect(long).toEqual([]);
  });

  it('are named after what they hold', () => {
    const parts = SOURCES.flatMap((path) => path.split('/').map((part) => part.replace(/\..*$/, '')));
    expect(parts.filter((part) => /^(utils?|helpers?|common|managers?|misc)$/i.test(part))).toEqual([]);
  });

  it('of the kernel part say under which licenses they are', () => {
    const bpf = SOURCES.filter((path) => path.startsWith('bpf/') && /\.[ch]$/.test(path));
    expect(bpf).not.toEqual([]);
    expect(bpf.filter((path) => !firstLine(path).includes('GPL-2.0-only OR Apache-2.0'))).toEqual([]);
  });

  it('import their own files with the ending .ts', () => {
    const typescript = SOURCES.filter((path) => path.endsWith('.ts'));
    const wrong = typescript.filter((path) => /from '\.[^']*(?<!\.ts|\.mjs|\.cjs|\.json|\.node)';/.test(read(path)));
    expect(wrong).toEqual([]);
  });

  it('of src have tests whose folders mirror them', () => {
    const folders = new Set(ownFiles('src').map((path) => path.split('/')[1]));
    const known = new Set([...folders, 'repository', 'bench']);
    const strange = ownFiles('test/unit').filter((path) => !known.has(path.split('/')[2] ?? ''));
    expect(strange).toEqual([]);
  });

  it('called *.test.ts are the only ones that hold tests', () => {
    const holding = SOURCES.filter((path) => path.startsWith('test/') && path.endsWith('.ts'))
      .filter((path) => /^\s*(it|test)(\.\w+)*\(/m.test(read(path)))
      .filter((path) => !basename(path).endsWith('.test.ts'));
    expect(holding).toEqual([]);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { replaceSection, table } from '../../../bench/document.ts';

describe('replaceSection', () => {
  it('replaces what stands between the markers and nothing else', () => {
    const page = 'a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb\n';
    expect(replaceSection(page, 'x', 'new\n')).toBe('a\n<!-- bench:x -->\nnew\n<!-- /bench:x -->\nb\n');
  });

  it('takes dollar signs as they are', () => {
    expect(replaceSection('<!-- bench:x --><!-- /bench:x -->', 'x', "$& $'")).toContain("\n$& $'\n");
  });

  it('throws on a page without the markers', () => {
    expect(() => replaceSection('a', 'x', 'new')).toThrow(/bench:x/);
  });

  it.each(['goals', 'cost', 'soak'])('finds the section %s in docs/overhead.md', (name) => {
    const page = readFileSync(new URL('../../../docs/overhead.md', import.meta.url), 'utf8');
    expect(replaceSection(page, name, 'MEASURED')).toContain('MEASURED');
  });
});

describe('table', () => {
  it('pads its columns', () => {
    expect(table(['a', 'long title'], [['wide cell', 'b']])).toBe(
      '| a         | long title |\n| --------- | ---------- |\n| wide cell | b          |',
    );
  });
});

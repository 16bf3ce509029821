import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ownFiles, ROOT } from './own-files.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const pages = ownFiles().filter((path) => path.endsWith('.md') && !path.startsWith('test/fixtures/'));

describe('documents', () => {
  it.each(['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'docs/security.md'])(
    '%s is there',
    (path) => {
      expect(read(path).length).toBeGreaterThan(500);
    },
  );

  it.each(pages)('%s links to files that exist', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link.replace(/#.*$/, ''));
    const broken = links
      .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
      .filter((link) => !existsSync(join(ROOT, dirname(page), link)));
    expect(broken).toEqual([]);
  });

  it('the README names the folders that exist', () => {
    const named = [...read('README.md').matchAll(/^\| `([a-z]+)\/` \|/gm)].map(([, folder = '']) => folder);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((folder) => !existsSync(join(ROOT, folder)))).toEqual([]);
  });

  it('LICENSE holds the whole Apache license and the choice for bpf/', () => {
    expect(read('LICENSE')).toContain(read('LICENSES/Apache-2.0.txt').trim());
    expect(read('LICENSE')).toContain('GPL-2.0-only OR Apache-2.0');
    expect(read('LICENSES/GPL-2.0-only.txt')).toContain('Version 2, June 1991');
  });
});

import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './own-files.ts';

interface Package {
  readonly version?: string;
  readonly engines?: { readonly node?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly optional?: boolean;
  readonly integrity?: string;
  readonly resolved?: string;
}

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const own = JSON.parse(read('package.json')) as Package & {
  readonly scripts: Readonly<Record<string, string>>;
  readonly bin: Readonly<Record<string, string>>;
};
const lock = (JSON.parse(read('package-lock.json')) as { readonly packages: Readonly<Record<string, Package>> })
  .packages;
const direct = { ...own.dependencies, ...own.devDependencies };

/** The lock's entry that a package at `from` gets when it asks for `name`. */
function resolved(from: string, name: string): Package | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('node_modules/') - 1))) {
    const found = lock[`${folder === '' ? '' : `${folder}/`}node_modules/${name}`];
    if (found !== undefined || folder === '') return found;
  }
}

describe('package.json', () => {
  it('names an exact version of each package, the one that is locked', () => {
    expect(Object.keys(direct)).not.toEqual([]);
    for (const [name, version] of Object.entries(direct)) {
      expect(`${name} ${version}`).toMatch(/^\S+ \d+\.\d+\.\d+$/);
      expect(`${name} ${lock[`node_modules/${name}`]?.version}`).toBe(`${name} ${version}`);
    }
  });

  it('asks for the Node.js that setup asks for', () => {
    expect(own.engines?.node).toBe('>=20.19');
    expect(read('scripts/setup')).toContain('Node.js 20.19 or newer');
    expect(read('.npmrc')).toMatch(/^engine-strict=true$/m);
  });

  it('has scripts that can be run', () => {
    const names = ['start', 'test', 'setup', 'build', 'lint', 'bench', 'fuzz'];
    expect(Object.keys(own.scripts)).toEqual(expect.arrayContaining(names));
    for (const path of [...Object.values(own.scripts), ...Object.values(own.bin), '.ci/run']) {
      expect(() => accessSync(join(ROOT, path), constants.X_OK), path).not.toThrow();
    }
  });
});

describe('package-lock.json', () => {
  it('names no registry, so that each user takes their own', () => {
    expect(read('package-lock.json')).not.toMatch(/https?:\/\/[^"]*\.tgz|"resolved"/);
  });

  it('has the checksum of every package that Linux with glibc takes', () => {
    const without = Object.entries(lock).filter(([path, entry]) => path !== '' && !entry.optional && !entry.integrity);
    expect(without.map(([path]) => path)).toEqual([]);
  });

  it('has an entry for every platform, without which `npm ci` refuses', () => {
    const missing = Object.entries(lock).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter((name) => resolved(path, name) === undefined),
    );
    expect(missing).toEqual([]);
  });

  it('has only packages that run on the oldest Node.js supported', () => {
    const newer = Object.entries(lock).filter(([, entry]) =>
      /^(>=|\^) ?2[2-9](\.\S+)?$/.test(entry.engines?.node ?? ''),
    );
    expect(newer.map(([path]) => path)).toEqual([]);
  });
});

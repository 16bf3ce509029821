import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../../..');

function checkLayers(folder: string) {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/check-layers.mjs'), folder], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return { status, stderr };
}

describe('import directions', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sonde-layers-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  }

  it('hold in src', () => {
    const { status, stderr } = checkLayers(ROOT);
    expect(stderr).toMatch(/^[1-9]\d* modules, 0 violations$/m);
    expect(status).toBe(0);
  });

  it('are not taken as kept when no module is seen', () => {
    const { status, stderr } = checkLayers(folder);
    expect(stderr).toContain('no modules seen');
    expect(status).toBe(1);
  });

  it.each([
    ['an analyzer that imports an exporter', 'analyzer/network/a.ts', '../../exporter/b.ts', 'analyzer-imports'],
    ['a processor that imports an analyzer', 'processor/a.ts', '../analyzer/b.ts', 'processor-imports'],
    ['an exporter that imports the pipeline', 'exporter/a.ts', '../pipeline/b.ts', 'exporter-imports'],
    ['a pipeline that imports the command line', 'pipeline/a.ts', '../cli/b.ts', 'pipeline-imports'],
    ['a model that imports a receiver', 'model/a.ts', '../receiver/b.ts', 'model-imports'],
  ])('forbid %s, also for types only', (_, path, target, rule) => {
    write({
      [`src/${path}`]: `import type { B } from '${target}';\nexport type A = B;\n`,
      [join('src', dirname(path), target)]: 'export type B = number;\n',
    });
    const { status, stderr } = checkLayers(folder);
    expect(stderr).toContain(`${rule}: src/${path}`);
    expect(status).toBe(1);
  });

  it('forbid cycles, folders of no layer, and imports of tests', () => {
    write({
      'src/model/a.ts': `import type { B } from './b.ts';\nexport type A = B | 1;\n`,
      'src/model/b.ts': `import type { A } from './a.ts';\nexport type B = A | 2;\n`,
      'src/cli/c.ts': `import { t } from '../../test/t.ts';\nexport const c = t;\n`,
      'src/stuff/d.ts': `export * from '../model/a.ts';\n`,
      'test/t.ts': 'export const t = 1;\n',
    });
    const { status, stderr } = checkLayers(folder);
    expect(stderr).toContain('no-cycles: ');
    expect(stderr).toContain('no-tests-in-src: src/cli/c.ts');
    expect(stderr).toContain('known-folders: src/stuff/d.ts');
    expect(status).toBe(1);
  });
});

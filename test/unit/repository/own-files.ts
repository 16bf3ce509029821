import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = join(import.meta.dirname, '../../..');

const NOT_SOURCES = new Set(['.git', 'node_modules', 'dist', 'build', 'coverage']);

/** Paths of the repository's own files below `folder`, relative to the root. Works without git, as in an archive. */
export function ownFiles(folder = '.'): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = relative('.', join(folder, entry.name));
    if (NOT_SOURCES.has(entry.name)) return [];
    if (entry.isDirectory()) return ownFiles(path);
    return entry.isFile() ? [path] : [];
  });
}

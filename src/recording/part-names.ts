import { readdirSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';

/** `traffic.sonde`, then `traffic.2.sonde`, `traffic.3.sonde`, … */
export function partPath(path: string, part: number): string {
  if (part === 1) return path;
  const extension = extname(path);
  return `${path.slice(0, path.length - extension.length)}.${part}${extension}`;
}

/** A file that is in the way of a recording's later parts, if there is one. */
export function takenPart(path: string): string | undefined {
  const extension = extname(path);
  const stem = basename(path, extension);
  return names(dirname(path))
    .filter((name) => {
      if (!name.startsWith(`${stem}.`) || !name.endsWith(extension)) return false;
      return /^\d+$/.test(name.slice(stem.length + 1, name.length - extension.length));
    })
    .map((name) => join(dirname(path), name))[0];
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

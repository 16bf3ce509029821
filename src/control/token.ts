import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Configuration } from '../config/schema.ts';
import { SondeError } from '../model/errors.ts';

const MAX_TOKEN = 4096;

/** Decides about an `Authorization` header. */
export type Authorize = (header: string | undefined) => boolean;

/** Reads the token that callers must send. @throws SondeError if the file cannot be read or holds no token. */
export function readToken(file: string): Authorize {
  return authorizeBy(readTokenText(file));
}

/** Compares in constant time. */
export function authorizeBy(token: string): Authorize {
  const expected = digest(token);
  return (header) => {
    const match = /^Bearer +(\S+)$/i.exec(header ?? '');
    return match !== null && timingSafeEqual(digest(match[1]), expected);
  };
}

/** The token that `control.token_file` or `control.token` gives; undefined if none is asked for. @throws SondeError */
export function configuredToken(control: Pick<Configuration['control'], 'token' | 'token_file'>): string | undefined {
  return control.token_file === undefined ? control.token : readTokenText(control.token_file);
}

/** The token in a file. @throws SondeError if the file cannot be read or holds no token. */
export function readTokenText(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SondeError('SONDE_FILE_MISSING', {
      detail: `control.token_file ${file} cannot be read (${String(code)})`,
      cause: error,
    });
  }
  if (text.length < 16 || text.length > MAX_TOKEN || /\s/.test(text)) {
    throw new SondeError('SONDE_CONFIGURATION', {
      detail: `control.token_file ${file} holds no token`,
      remedy: 'Put one line of at least 16 characters into it, for example from `openssl rand -hex 32`.',
    });
  }
  return text;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

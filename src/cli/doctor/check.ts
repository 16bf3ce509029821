import { readFileSync, readlinkSync } from 'node:fs';
import { SondeError } from '../../model/errors.ts';
import type { ErrorCode } from '../../model/errors.ts';

/** One thing that was looked at on the host. */
export interface HostCheck {
  readonly name: string;
  readonly ok: boolean;
  /** Nothing can be captured unless it is ok; else something is only worse, or lacking. */
  readonly needed: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do, if it is not ok. */
  readonly remedy: string | null;
}

export function passed(name: string, found: string): HostCheck {
  return { name, ok: true, needed: false, found, remedy: null };
}

/** Without it nothing can be captured; the remedy is that of the error which `sonde run` would end with. */
export function failed(name: string, found: string, code: ErrorCode): HostCheck {
  return { name, ok: false, needed: true, found, remedy: new SondeError(code).remedy };
}

/** Without it something is worse. */
export function flawed(name: string, found: string, remedy: string): HostCheck {
  return { name, ok: false, needed: false, found, remedy };
}

/** A file of /proc or /sys; empty if it cannot be read. */
export function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** Where a link of /proc points; empty if it cannot be read. */
export function readLink(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

import { parseDuration } from '../../config/units.ts';
import { SondeError } from '../../model/errors.ts';

/** A moment: ns since the epoch, or ns after the first exchange. */
export type Moment = { readonly at: bigint } | { readonly after: bigint };

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Reads `--from` and `--to`: ns since the epoch, RFC 3339 (`2026-01-31T12:00:00.5Z`), or `+5s` after the first
 * exchange. @throws SondeError SONDE_USAGE
 */
export function parseMoment(text: string, option: string): Moment {
  if (/^\d{1,19}$/.test(text)) {
    return { at: BigInt(text) };
  }
  if (text.startsWith('+')) {
    const ms = parseDuration(text.slice(1));
    if (ms !== undefined) {
      return { after: BigInt(Math.round(ms * 1e6)) };
    }
  }
  const match = RFC_3339.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}${(match[4]).toUpperCase()}`);
  if (match === null || Number.isNaN(ms)) {
    throw new SondeError('SONDE_USAGE', {
      detail: `${option} ${JSON.stringify(text)} is no time`,
      remedy: 'Give ns since the epoch, 2026-01-31T12:00:00Z, or +5s after the first exchange.',
    });
  }
  return { at: BigInt(ms) * 1_000_000n + BigInt((match[3] ?? '').padEnd(9, '0')) };
}

/** The moment in ns since the epoch, given the time of the first exchange. */
export function resolveMoment(moment: Moment, first: bigint): bigint {
  return 'at' in moment ? moment.at : first + moment.after;
}

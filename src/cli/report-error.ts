import { ERRORS, SondeError } from '../model/errors.ts';
import { safeText } from './view/text.ts';

/** Writes to file descriptor 2. */
export type WriteError = (text: string) => void;

/**
 * Tells a person what went wrong, and returns the exit code (docs/errors.md). One line for what they can mend, without
 * a stack trace; the stack only for errors inside Sonde (exit code 5).
 */
export function reportError(error: unknown, write: WriteError): number {
  if (error instanceof SondeError) {
    write(`sonde: ${error.message.split('\n').map(safeText).join('\n')} [${error.code}]\n`);
    return error.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  write(`${text}\nsonde: ${ERRORS.SONDE_INTERNAL.text}. ${ERRORS.SONDE_INTERNAL.remedy} [SONDE_INTERNAL]\n`);
  return ERRORS.SONDE_INTERNAL.exitCode;
}

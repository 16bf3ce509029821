import { ERRORS, SondeError } from '../model/errors.ts';

/** Writes to file descriptor 2. */
export type WriteError = (text: string) => void;

/**
 * Tells a person what went wrong, and returns the exit code of CONTRACTS. One line for what they can mend, without
 * a stack trace; the stack only for errors inside Sonde (exit code 5).
 */
export function reportError(error: unknown, write: WriteError): number {
  const known = asSondeError(error);
  if (known !== undefined) {
    write(`sonde: ${known.message} [${known.code}]\n`);
    return known.exitCode;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  write(`${text}\nsonde: ${ERRORS.SONDE_INTERNAL.text}. ${ERRORS.SONDE_INTERNAL.remedy} [SONDE_INTERNAL]\n`);
  return ERRORS.SONDE_INTERNAL.exitCode;
}

/** The coded error that an error of Node.js or of the addon amounts to, if it is one that a person can mend. */
export function asSondeError(error: unknown): SondeError | undefined {
  if (error instanceof SondeError) {
    return error;
  }
  if (!(error instanceof Error)) {
    return undefined;
  }
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
  const cause = error;
  if (syscall === 'listen' || syscall === 'bind') {
    const where = `${String(address)}:${String(port)}`;
    if (code === 'EADDRINUSE') {
      return new SondeError('SONDE_PORT_TAKEN', { detail: `the address ${where} is already in use`, cause });
    }
    return new SondeError('SONDE_PORT_REFUSED', { detail: `cannot listen on ${where} (${String(code)})`, cause });
  }
  if (syscall === 'getaddrinfo') {
    return new SondeError('SONDE_PORT_REFUSED', { detail: `cannot listen: ${error.message}`, cause });
  }
  return undefined;
}

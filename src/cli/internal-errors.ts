import { reportError } from './report-error.ts';
import type { WriteError } from './report-error.ts';

export interface InternalErrorsOptions {
  /** Called first, so that the report is not drawn over. */
  readonly giveTerminalBack: () => void;
  readonly write: WriteError;
  /** For tests; default process.exit. */
  readonly exit?: (exitCode: number) => void;
}

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;

/**
 * Ends the program for an error that nobody caught, in a timer or a promise, as for one that a command throws: with a
 * report and its exit code. Node.js itself would exit with 1, which says that some of the input was bad.
 * @returns what ends it
 */
export function exitOnInternalErrors(options: InternalErrorsOptions): () => void {
  const { giveTerminalBack, write, exit = (code) => process.exit(code) } = options;
  const handler = (error: unknown): void => {
    try {
      giveTerminalBack();
    } finally {
      exit(reportError(error, write));
    }
  };
  for (const event of EVENTS) {
    process.on(event, handler);
  }
  return () => {
    for (const event of EVENTS) {
      process.off(event, handler);
    }
  };
}

import { ERRORS, SondeError } from '../model/errors.ts';

/** Keys from the root to a value; numbers are places in a list. */
export type KeyPath = readonly (string | number)[];

/** One thing that is wrong with the configuration. */
export interface Problem {
  /** `file:line:column`, `environment NAME`, or the file alone. */
  readonly where: string;
  /** `capture.ring_bytes`; empty if it is about the file as a whole. */
  readonly key: string;
  /** What is wrong. */
  readonly wrong: string;
  /** What may be there, if that helps. */
  readonly allowed?: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** `a.b[2]` */
export function formatKey(path: KeyPath): string {
  let key = '';
  for (const part of path) {
    key += typeof part === 'number' ? `[${part}]` : key === '' ? part : `.${part}`;
  }
  return key;
}

/** `sonde.yaml:3:15: capture.ring_byte: unknown key; did you mean ring_bytes? (allowed: …)` */
export function formatProblem(problem: Problem): string {
  const key = problem.key === '' ? '' : `${problem.key}: `;
  const suggestion = problem.suggestion === undefined ? '' : `; did you mean ${problem.suggestion}?`;
  const allowed = problem.allowed === undefined ? '' : ` (allowed: ${problem.allowed})`;
  return `${problem.where}: ${key}${problem.wrong}${suggestion}${allowed}`;
}

/** The configuration cannot be used; carries everything that is wrong with it, not only the first. */
export class ConfigurationError extends SondeError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 error' : `${problems.length} errors`;
    super('SONDE_CONFIGURATION', {
      detail: `${problems.map(formatProblem).join('\n')}\n${ERRORS.SONDE_CONFIGURATION.text}: ${count}`,
    });
    this.name = 'ConfigurationError';
    this.problems = problems;
  }
}

import { expect, test } from 'vitest';
import { exitOnInternalErrors } from '../../../src/cli/internal-errors.ts';
import { SondeError } from '../../../src/model/errors.ts';

const EVENTS = ['uncaughtException', 'unhandledRejection'] as const;
type Event = (typeof EVENTS)[number];

/** Hands an error to what listens since `install`: the other listeners are the test runner's. */
function fail(event: Event, error: unknown, giveTerminalBack = (log: string[]) => void log.push('terminal')) {
  const log: string[] = [];
  const before = new Set<unknown>(process.listeners(event as 'uncaughtException'));
  const leave = exitOnInternalErrors({
    giveTerminalBack: () => giveTerminalBack(log),
    write: (text) => log.push(text),
    exit: (code) => log.push(`exit ${code}`),
  });
  const own = process.listeners(event as 'uncaughtException').filter((listener) => !before.has(listener));
  expect(own).toHaveLength(1);
  try {
    own[0]?.(error as Error, 'uncaughtException');
  } catch (thrown) {
    log.push(`thrown ${(thrown as Error).message}`);
  }
  leave();
  expect(process.listenerCount(event)).toBe(before.size);
  return log;
}

test.each(EVENTS)('an %s gives the terminal back, is reported and ends the program with 5', (event) => {
  const [first, report, last] = fail(event, new TypeError('surprise'));
  expect(first).toBe('terminal');
  expect(report).toMatch(/TypeError: surprise\n {4}at [^]*\[SONDE_INTERNAL\]\n$/);
  expect(last).toBe('exit 5');
});

test('an error that a person can mend keeps its exit code', () => {
  expect(fail('uncaughtException', new SondeError('SONDE_PORT_TAKEN')).at(-1)).toBe('exit 4');
});

test('a terminal that cannot be given back does not keep the program from ending', () => {
  const log = fail('uncaughtException', new Error('first'), () => {
    throw new Error('no terminal');
  });
  expect(log).toContain('exit 5');
});

import { expect, test } from 'vitest';
import { reportError } from '../../../src/cli/report-error.ts';
import { ERRORS, SondeError } from '../../../src/model/errors.ts';
import type { ErrorCode } from '../../../src/model/errors.ts';

function report(error: unknown): { code: number; text: string } {
  let text = '';
  const code = reportError(error, (part) => {
    text += part;
  });
  return { code, text };
}

test.each(Object.keys(ERRORS) as ErrorCode[])('%s is one line that says what to do, without a stack', (code) => {
  const { code: exitCode, text } = report(new SondeError(code));
  expect(exitCode).toBe(ERRORS[code].exitCode);
  expect(text).toBe(`sonde: ${ERRORS[code].text}. ${ERRORS[code].remedy} [${code}]\n`);
  expect(ERRORS[code].remedy).toMatch(/\.$/);
  expect(ERRORS[code].text).not.toMatch(/\.$/);
});

test('a name that people gave cannot steer the terminal', () => {
  expect(report(new SondeError('SONDE_FORMAT', { detail: '\u001b[2Jfile' })).text).toContain('sonde: \uFFFD[2Jfile');
});

test('an unknown error is internal and keeps its stack', () => {
  const { code, text } = report(new TypeError('surprise'));
  expect(code).toBe(5);
  expect(text).toContain('TypeError: surprise\n    at ');
  expect(text).toContain('SONDE_INTERNAL');
});

test('what is thrown need not be an Error', () => {
  expect(report('text').code).toBe(5);
});

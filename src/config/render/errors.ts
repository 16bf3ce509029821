import { ERRORS } from '../../model/errors.ts';

const HEAD = `<!-- Generated from src/model/errors.ts by scripts/generate-configuration.mjs. Do not edit. -->
# Errors

What a person can mend is told in one line on standard error: what is wrong, what to do, and a code that stays the
same from version to version.

| exit code | meaning |
| --- | --- |
| 0 | ok |
| 1 | done, but some of the input was bad (named on standard error) |
| 2 | usage or configuration |
| 3 | environment: privileges, kernel, BTF, a part that is not built |
| 4 | a port or a file is taken |
| 5 | internal: a bug, told with its stack |

\`sonde doctor\` ends with 0 if everything is on that this build has and the configuration asks for, 1 if some of
that is off, 3 if capture is impossible.

| code | exit code | what is wrong | what to do |
| --- | --- | --- | --- |
`;

/** The page of error codes. */
export function renderErrors(): string {
  const rows = Object.entries(ERRORS).map(
    ([code, { exitCode, text, remedy }]) => `| \`${code}\` | ${exitCode} | ${text} | ${remedy} |\n`,
  );
  return HEAD + rows.join('');
}

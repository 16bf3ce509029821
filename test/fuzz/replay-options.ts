import fc from 'fast-check';
import { parseFilter } from '../../src/control/exchange-filter.ts';
import { detectFormat } from '../../src/cli/replay/input-format.ts';
import { parseMoment } from '../../src/cli/replay/time.ts';
import { SondeError } from '../../src/model/errors.ts';
import { type Target, target } from './target.ts';

const FILTER_WORDS = [
  'protocol',
  'status',
  'duration_ns',
  'attributes.url.scheme',
  '=',
  '!=',
  '<=',
  '~',
  '!~',
  '(',
  ')',
  'and',
  'or',
  'not',
  'null',
  '5ms',
  '"x"',
  "'y'",
  '"',
  '\\',
  '12',
];

function refusedProperly(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SondeError)) throw error;
  }
}

/** What `sonde replay` is told on the command line, and the first bytes of its input. */
export const replayOptionTargets: readonly Target[] = [
  target(
    'filter expressions',
    fc
      .array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...FILTER_WORDS) }, fc.string({ maxLength: 5 })), {
        maxLength: 40,
      })
      .map((words) => words.join(' ')),
    (text) => refusedProperly(() => parseFilter(text)),
  ),
  target('nested filter expressions', fc.nat(5_000), (depth) =>
    refusedProperly(() => parseFilter(`${'('.repeat(depth)}status=1${')'.repeat(depth)}`)),
  ),
  target('moments', fc.string(), (text) => refusedProperly(() => parseMoment(text, '--from'))),
  target('beginnings of inputs', fc.uint8Array({ maxLength: 64 }), (head) => {
    detectFormat(head);
  }),
];

import fc from 'fast-check';
import { tableLines } from '../../src/cli/replay/table.ts';
import { fit, safeText, width } from '../../src/cli/view/text.ts';
import { formatLabels } from '../../src/exporter/prometheus/text-format.ts';
import { exchangeLine } from '../unit/cli/exchange-line.fixture.ts';
import { type Target, target } from './target.ts';

const text = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc
      .array(fc.constantFrom('\u001b[2J', '\u009b', '\u202e', '\r', '\n', '\\', '"', '漢', 'a'), { maxLength: 20 })
      .map((parts) => parts.join('')),
  );

function steersNoTerminal(shown: string): void {
  if (/[\p{Cc}\u2028\u2029\u202a-\u202e]/u.test(shown)) throw new Error(`steers a terminal: ${JSON.stringify(shown)}`);
}

/** Texts from the wire on their way to a terminal or a page. */
export const shownTextTargets: readonly Target[] = [
  target('texts in the live view', fc.tuple(text(), fc.nat(200)), ([input, columns]) => {
    const shown = fit(safeText(input), columns);
    steersNoTerminal(shown);
    if (width(shown) !== columns) throw new Error(`${width(shown)} columns in place of ${columns}`);
  }),
  target('rows of the replay table', fc.tuple(text(), text(), text()), ([operation, resource, status]) => {
    for (const line of tableLines(() => [exchangeLine({ operation, resource, status })])) steersNoTerminal(line);
  }),
  target('labels of metrics', fc.tuple(text(), text()), ([first, second]) => {
    const line = formatLabels([
      ['a', first],
      ['b', second],
    ]);
    // Exposition format 0.0.4: a value ends at the first quote that no backslash precedes, and has no newline.
    const parsed = /^a="((?:[^"\\\n]|\\[\\"n])*)",b="((?:[^"\\\n]|\\[\\"n])*)"$/.exec(line);
    const unescape = (value = ''): string => value.replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
    if (unescape(parsed?.[1]) !== first || unescape(parsed?.[2]) !== second) throw new Error(`not readable: ${line}`);
  }),
];

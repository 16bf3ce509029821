import fc from 'fast-check';
import { parseYaml } from '../../src/config/source.ts';
import { suggest } from '../../src/config/suggest.ts';
import { parseAddress, parseDuration, parseRatio, parseSize } from '../../src/config/units.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { SondeError } from '../../src/model/errors.ts';
import { type Target, target } from './target.ts';

const YAML_WORDS = [
  'capture',
  'filter',
  'ports',
  'exporters',
  'prometheus',
  'listen',
  '127.0.0.1:0',
  'limits',
  'memory',
  '160MiB',
  ': ',
  '\n  ',
  '\n',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '!22',
  '!!js/function x',
  '&a',
  '*a',
  '<<: *a',
  '#',
  '|\n',
  '---\n',
  '\t',
  '\0',
  '5s',
  '~',
];

function yamlLike(): fc.Arbitrary<string> {
  return fc
    .array(fc.oneof(fc.constantFrom(...YAML_WORDS), fc.string({ maxLength: 8 })), { maxLength: 30 })
    .map((words) => words.join(''));
}

/** Input is allowed to be wrong: then it must be a SondeError, which says so to a person. */
function mayRefuse(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof SondeError)) throw error;
  }
}

/** What a person or an environment sets. */
export const settingTargets: readonly Target[] = [
  target('YAML of a configuration', yamlLike(), (text) => {
    const result = parseYaml(text, 'fuzz.yaml');
    if (!result.ok && result.problems.length === 0) throw new Error('refused without a reason');
  }),
  target(
    'variables of a configuration',
    fc.dictionary(
      fc.constantFrom(
        'SONDE_CAPTURE_FILTER_PORTS',
        'SONDE_CAPTURE_RING_BYTES',
        'SONDE_EXPORTERS_PROMETHEUS_LISTEN',
        'SONDE_LIMITS_MEMORY',
        'SONDE_LOG_LEVEL',
        'SONDE_NO_SUCH_KEY',
      ),
      yamlLike(),
    ),
    (environment) => mayRefuse(() => loadConfiguration({ environment, defaultFile: '/nonexistent/sonde.yaml' })),
  ),
  target('durations, sizes, ratios and addresses', fc.oneof(fc.string(), yamlLike()), (text) => {
    for (const parse of [parseDuration, parseSize, parseRatio]) {
      const value = parse(text);
      if (value !== undefined && !(value >= 0 && Number.isFinite(value))) throw new Error(`${parse.name}: ${value}`);
    }
    const port = parseAddress(text)?.port ?? 0;
    if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) throw new Error(`port ${port}`);
  }),
  target('suggestions for unknown keys', fc.tuple(fc.string(), fc.array(fc.string())), ([word, candidates]) => {
    const suggestion = suggest(word, candidates);
    if (suggestion !== undefined && !candidates.includes(suggestion)) throw new Error(`made up ${suggestion}`);
  }),
];

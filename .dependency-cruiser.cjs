/**
 * Imports point one way: model ← receiver, analyzer, processor, exporter ← pipeline ← cli.
 * scripts/lint runs this and fails if it sees no modules (with TypeScript 7 alone it would see none).
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
const folders = [
  'analyzer',
  'cli',
  'config',
  'control',
  'exporter',
  'governor',
  'model',
  'pipeline',
  'processor',
  'receiver',
  'recording',
];

/** What each folder of src/ may import besides itself. A folder that is not here is an error of its own. */
const allowed = {
  model: [],
  recording: ['model'],
  receiver: ['model', 'recording'],
  analyzer: ['model'],
  processor: ['model'],
  exporter: ['model'],
  governor: ['model'],
  config: ['model'],
  control: ['model', 'config'],
  pipeline: ['model', 'config', 'recording', 'receiver', 'analyzer', 'processor', 'exporter', 'governor', 'control'],
  cli: [
    'model',
    'config',
    'recording',
    'receiver',
    'analyzer',
    'processor',
    'exporter',
    'governor',
    'control',
    'pipeline',
  ],
};

const layers = folders.map((folder) => ({
  name: `${folder}-imports`,
  comment: `src/${folder} may import ${['itself', ...allowed[folder].map((name) => `src/${name}`)].join(', ')}`,
  severity: 'error',
  from: { path: `^src/${folder}/` },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...allowed[folder]].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'known-folders',
      comment: 'every file of src/ lies in a folder whose imports are settled here',
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/(${folders.join('|')})/` },
      to: {},
    },
    {
      name: 'no-cycles',
      comment: 'no import leads back to where it started, types included',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-tests-in-src',
      comment: 'src knows nothing of tests and scripts',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'resolvable',
      comment: 'an import that cannot be resolved cannot be judged',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependencies',
      comment: 'what runs is a dependency, not a development dependency',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|build|coverage)/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.cjs', '.mjs', '.json'],
    },
  },
};

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';
import { renderEffective } from '../../../src/config/render/effective.ts';
import { generatedFiles } from '../../../src/config/render/files.ts';
import { renderJsonSchema } from '../../../src/config/render/json-schema.ts';
import { configurationSchema } from '../../../src/config/schema.ts';
import { leaves, settingTree } from '../../../src/config/tree.ts';

const root = new URL('../../../', import.meta.url);
const tree = settingTree(configurationSchema);

test.each(Object.entries(generatedFiles()))('%s has not drifted from the schema', (path, content) => {
  const file = new URL(path, root);
  expect(existsSync(file), `run node scripts/generate-configuration.mjs`).toBe(true);
  expect(readFileSync(file, 'utf8')).toBe(content);
});

function load(yaml: string) {
  const folder = mkdtempSync(join(tmpdir(), 'sonde-generated-'));
  try {
    const file = join(folder, 'sonde.yaml');
    writeFileSync(file, yaml);
    return loadConfiguration({ environment: {}, file });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const none = loadConfiguration({ environment: {}, defaultFile: '/nonexistent/sonde.yaml' });

test('the commented file changes nothing, and says the defaults when uncommented', () => {
  const yaml = generatedFiles()['config/sonde.yaml'];
  expect(load(yaml).configuration).toEqual(none.configuration);
  const uncommented = yaml.replaceAll(/^( *)# ([a-z0-9_]+: .+)$/gm, (line, indent: string, rest: string) =>
    /^[a-z0-9_]+: ([^ ]+|\{ enabled: false \} #.*|\[.*\])$/.test(rest) ? `${indent}${rest}` : line,
  );
  expect(uncommented.match(/^ *[a-z0-9_]+: ./gm)?.length).toBeGreaterThan(30);
  expect(load(uncommented).configuration).toEqual(none.configuration);
});

test('what config print shows can be read back', () => {
  const loaded = load('capture: {udp: true, filter: {ports: [80, "!22"]}}\nprocessors: {aggregate: {window: 10s}}');
  const printed = renderEffective(tree, loaded);
  expect(printed).toMatch(/udp: true # .*sonde\.yaml:1:16/);
  expect(load(printed).configuration).toEqual(loaded.configuration);
});

test('every key has a doc, and the JSON schema knows it', () => {
  for (const leaf of leaves(tree)) {
    expect(leaf.about.doc).toMatch(/\.$/);
    let node = renderJsonSchema() as { properties?: Record<string, unknown>; description?: string };
    for (const key of leaf.path) {
      node = node.properties?.[key] as typeof node;
    }
    expect(node.description).toContain(leaf.about.doc);
  }
});

test('every key of the contract exists', () => {
  const keys = leaves(tree).map((leaf) => leaf.path.join('.'));
  const exporters = ['prometheus', 'otlp', 'stdout', 'file', 'datakit'].map((name) => `exporters.${name}.enabled`);
  expect(keys).toEqual(
    expect.arrayContaining([
      ...['policy', 'payload_bytes', 'ring_bytes', 'queue_time', 'udp'].map((key) => `capture.${key}`),
      ...['ports', 'pids', 'cgroups'].map((key) => `capture.filter.${key}`),
      'analyzers.network.max_connections',
      ...['enabled', 'ports', 'slow', 'timeout'].map((key) => `analyzers.network.protocols.http.${key}`),
      'analyzers.tcp.enabled',
      'processors.process.enabled',
      'processors.k8s.enabled',
      'processors.aggregate.window',
      'processors.aggregate.max_label_sets',
      ...exporters,
      ...['listen', 'naming', 'ttl', 'max_series'].map((key) => `exporters.prometheus.${key}`),
      'exporters.otlp.endpoint',
      'control.listen',
      'control.token_file',
      'limits.cpu',
      'limits.memory',
      'log.level',
    ]),
  );
});

import { configurationSchema } from '../schema.ts';
import { settingTree } from '../tree.ts';
import { renderCommentedYaml } from './commented-yaml.ts';
import { renderErrors } from './errors.ts';
import { renderJsonSchema } from './json-schema.ts';
import { renderMarkdown } from './markdown.ts';

/** Every file that is generated from the schema, by its path in the repository. */
export function generatedFiles(): Readonly<Record<string, string>> {
  const root = settingTree(configurationSchema);
  return {
    'config/sonde.yaml': renderCommentedYaml(root),
    'config/sonde.schema.json': `${JSON.stringify(renderJsonSchema(), null, 2)}\n`,
    'docs/configuration.md': renderMarkdown(root),
    'docs/errors.md': renderErrors(),
  };
}

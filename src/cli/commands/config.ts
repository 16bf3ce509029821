import { loadConfiguration } from '../../config/load.ts';
import { renderEffective } from '../../config/render/effective.ts';
import { renderJsonSchema } from '../../config/render/json-schema.ts';
import { configurationSchema } from '../../config/schema.ts';
import { settingTree } from '../../config/tree.ts';
import { createOutput } from '../output.ts';
import type { Environment } from '../environment.ts';

/** `sonde config check|print|schema`. @throws ConfigurationError */
export async function runConfigCommand(
  command: 'check' | 'print' | 'schema',
  options: { readonly configFile: string | undefined; readonly environment: Environment },
): Promise<number> {
  const output = createOutput(process.stdout);
  if (command === 'schema') {
    await output.write(`${JSON.stringify(renderJsonSchema(), null, 2)}\n`);
  } else {
    const loaded = loadConfiguration({ file: options.configFile, environment: options.environment });
    for (const warning of loaded.warnings) {
      process.stderr.write(`sonde: warning: ${warning}\n`);
    }
    await output.write(
      command === 'check'
        ? `${loaded.file ?? 'no configuration file'}: ok\n`
        : `${renderEffective(settingTree(configurationSchema), loaded)}\n`,
    );
  }
  await output.end();
  return 0;
}

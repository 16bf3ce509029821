import { loadConfiguration } from '../../config/load.ts';
import type { LoadedConfiguration } from '../../config/load.ts';
import { ConfigurationError } from '../../config/problem.ts';
import { renderEffective } from '../../config/render/effective.ts';
import { renderJsonSchema } from '../../config/render/json-schema.ts';
import { configurationSchema } from '../../config/schema.ts';
import { settingTree } from '../../config/tree.ts';
import { readToken } from '../../control/token.ts';
import { SondeError } from '../../model/errors.ts';
import { createOutput } from '../output.ts';
import type { Environment } from '../environment.ts';

/** The token is read at the start only: what would stand in the way then is told now. */
function checkToken({ configuration, origins }: LoadedConfiguration): void {
  const key = 'control.token_file';
  const file = configuration.control.token_file;
  if (file === undefined) return;
  try {
    readToken(file);
  } catch (error) {
    if (!(error instanceof SondeError)) throw error;
    const wrong = `${error.text.replace(`${key} `, '')}. ${error.remedy}`;
    throw new ConfigurationError([{ where: origins.get(key) ?? key, key, wrong }]);
  }
}

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
    if (command === 'check') checkToken(loaded);
    await output.write(
      command === 'check'
        ? `${loaded.file ?? 'no configuration file'}: ok\n`
        : `${renderEffective(settingTree(configurationSchema), loaded)}\n`,
    );
  }
  await output.end();
  return 0;
}

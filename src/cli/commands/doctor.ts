import { loadConfiguration } from '../../config/load.ts';
import type { Configuration } from '../../config/schema.ts';
import { createStatus } from '../../control/status.ts';
import type { Feature, Status } from '../../control/status.ts';
import { SondeError } from '../../model/errors.ts';
import { missingFeatures } from '../../pipeline/features.ts';
import type { HostCheck } from '../doctor/check.ts';
import { checkHost } from '../doctor/host-checks.ts';
import { checkPorts } from '../doctor/port-checks.ts';
import { renderDoctor } from '../doctor/render.ts';
import { tryCapture } from '../doctor/try-capture.ts';
import { featuresWithout } from '../doctor/without-capture.ts';
import type { Environment } from '../environment.ts';
import { createOutput } from '../output.ts';
import { programVersion } from '../version.ts';

export interface DoctorOptions {
  readonly json: boolean;
  readonly configFile: string | undefined;
  readonly environment: Environment;
}

/** `sonde doctor`: 0 everything asked for is on, 1 something is off or flawed, 3 capture impossible. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const { configuration } = loadConfiguration({ file: options.configFile, environment: options.environment });
  const checks = [...checkHost({ configuration }), ...(await checkPorts(configuration))];
  const status = await diagnose(configuration, checks);
  const output = createOutput(process.stdout);
  await output.write(
    options.json
      ? `${JSON.stringify({ ...status, checks }, null, 2)}\n`
      : `${renderDoctor({ status, checks }).join('\n')}\n`,
  );
  await output.end();
  if (status.features.some(({ name, state }) => name === 'capture' && state === 'off')) {
    return 3;
  }
  const flawed = checks.some(({ ok }) => !ok) || missingFeatures(status.features, configuration).length > 0;
  return flawed ? 1 : 0;
}

async function diagnose(configuration: Configuration, checks: readonly HostCheck[]): Promise<Status> {
  const version = programVersion();
  const failed = checks.find((check) => !check.ok && check.needed);
  if (failed !== undefined) {
    return impossible(configuration, version, off(`${failed.name}: ${failed.found}`, failed.remedy));
  }
  try {
    const { capture, status } = await tryCapture(configuration, version);
    return {
      ...status,
      features: [capture, ...status.features.filter(({ name }) => name !== 'capture')],
    };
  } catch (error) {
    if (!(error instanceof SondeError)) {
      throw error;
    }
    return impossible(configuration, version, off(error.text, error.remedy));
  }
}

function impossible(configuration: Configuration, version: string, capture: Feature): Status {
  const features = featuresWithout(capture, configuration);
  return createStatus({ version, features: () => features, stages: [] })();
}

function off(reason: string, remedy: string | null): Feature {
  return { name: 'capture', state: 'off', reason, remedy };
}

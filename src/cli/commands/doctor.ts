import { loadConfiguration } from '../../config/load.ts';
import type { Configuration } from '../../config/schema.ts';
import { createStatus } from '../../control/status.ts';
import type { Feature, Status } from '../../control/status.ts';
import { SondeError } from '../../model/errors.ts';
import { checkHost } from '../doctor/host-checks.ts';
import type { HostCheck } from '../doctor/host-checks.ts';
import { renderDoctor } from '../doctor/render.ts';
import { tryCapture } from '../doctor/try-capture.ts';
import type { Environment } from '../environment.ts';
import { createOutput } from '../output.ts';
import { missingFeatures, pipelineFeatures } from '../../pipeline/features.ts';
import { programVersion } from '../version.ts';

export interface DoctorOptions {
  readonly json: boolean;
  readonly configFile: string | undefined;
  readonly environment: Environment;
}

/** `sonde doctor`: 0 everything asked for is on, 1 some of it is off, 3 capture impossible. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const { configuration } = loadConfiguration({ file: options.configFile, environment: options.environment });
  const checks = checkHost();
  const { capture, status } = await diagnose(configuration, checks);
  const output = createOutput(process.stdout);
  await output.write(
    options.json
      ? `${JSON.stringify({ ...status, checks }, null, 2)}\n`
      : `${renderDoctor({ status, checks }).join('\n')}\n`,
  );
  await output.end();
  if (capture.state === 'off') {
    return 3;
  }
  return missingFeatures(status.features, configuration).length === 0 ? 0 : 1;
}

async function diagnose(
  configuration: Configuration,
  checks: readonly HostCheck[],
): Promise<{ capture: Feature; status: Status }> {
  const version = programVersion();
  const failed = checks.find((check) => !check.ok);
  if (failed !== undefined) {
    const capture = off(`${failed.name}: ${failed.found}`, failed.remedy);
    const features = [capture, ...pipelineFeatures(configuration)];
    return { capture, status: createStatus({ version, features: () => features, stages: [] })() };
  }
  try {
    const result = await tryCapture(configuration, version);
    return {
      capture: result.capture,
      status: { ...result.status, features: [result.capture, ...result.status.features] },
    };
  } catch (error) {
    if (!(error instanceof SondeError)) {
      throw error;
    }
    const capture = off(error.text, error.remedy);
    const features = [capture, ...pipelineFeatures(configuration)];
    return { capture, status: createStatus({ version, features: () => features, stages: [] })() };
  }
}

function off(reason: string, remedy: string | null): Feature {
  return { name: 'capture', state: 'off', reason, remedy };
}

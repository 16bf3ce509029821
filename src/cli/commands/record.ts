import { loadConfiguration } from '../../config/load.ts';
import type { Configuration } from '../../config/schema.ts';
import { formatSize } from '../../config/units.ts';
import { SondeError } from '../../model/errors.ts';
import { createLifecycle } from '../../pipeline/lifecycle.ts';
import { createKernelPipeline } from '../../pipeline/kernel-pipeline.ts';
import type { EndReason } from '../../recording/part-writer.ts';
import type { Environment } from '../environment.ts';
import { exitOnInternalErrors } from '../internal-errors.ts';
import { lawLines } from '../law-lines.ts';
import { createLog } from '../log.ts';
import { asRecordingError, checkRecording } from '../record/settings.ts';
import type { RecordSettings } from '../record/settings.ts';
import { listenForStop } from '../stop-signal.ts';
import { programVersion } from '../version.ts';

export interface RecordCommandOptions {
  readonly settings: RecordSettings;
  /** End after so many seconds; undefined: at a signal. */
  readonly forSeconds: number | undefined;
  /** In place of `capture.payload_bytes`. */
  readonly payloadBytes: number | undefined;
  readonly configFile: string | undefined;
  readonly environment: Environment;
}

/** `sonde record`: captures without exporters. 0 also when the file is full. @throws SondeError */
export async function record(options: RecordCommandOptions): Promise<number> {
  const { settings, forSeconds } = options;
  const loaded = loadConfiguration({ file: options.configFile, environment: options.environment });
  checkRecording(settings);
  const signal = listenForStop();
  const log = createLog({
    level: loaded.configuration.log.level,
    sink: { write: (text: string) => process.stderr.write(text) },
    pretty: process.stderr.isTTY,
  });
  for (const warning of loaded.warnings) {
    log.warn(warning);
  }
  let ended: { readonly reason: EndReason; readonly detail: string } | undefined;
  const pipeline = createKernelPipeline({
    configuration: captureOnly(loaded.configuration, options.payloadBytes),
    version: programVersion(),
    onError: (component, error) => log.error({ component, err: error }, 'cannot go on'),
    record: {
      ...settings,
      onEnd(reason, detail) {
        ended = { reason, detail };
        signal.stop();
      },
    },
  });
  const lifecycle = createLifecycle({
    components: pipeline.components,
    onStopError: (component, error) => log.error({ component, err: error }, 'did not stop in order'),
  });
  const leaveInternalErrors = exitOnInternalErrors({
    giveTerminalBack() {},
    write: (text) => process.stderr.write(text),
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    await lifecycle.start().catch((error: unknown) => {
      throw asRecordingError(error, settings);
    });
    process.stderr.write(`sonde recording ${settings.path}\n`);
    if (forSeconds !== undefined) {
      timer = setTimeout(() => signal.stop(), forSeconds * 1000);
    }
    await signal.stopped;
  } finally {
    clearTimeout(timer);
    await lifecycle.stop();
    leaveInternalErrors();
    signal.dispose();
  }
  const { recorder } = pipeline;
  if (ended !== undefined) {
    process.stderr.write(`sonde: ${ended.detail}\n`);
  }
  process.stderr.write(
    `${[
      'sonde done',
      `recorded bytes=${recorder?.bytes ?? 0} files=${recorder?.files.length ?? 0} last=${recorder?.files.at(-1) ?? ''}`,
      ...lawLines(pipeline.stages),
    ].join('\n')}\n`,
  );
  if (ended !== undefined && ended.reason !== 'size_cap') {
    throw new SondeError('SONDE_FILE_TAKEN', {
      detail: `the recording ended early: ${ended.detail}`,
      remedy: `Make room there, or write elsewhere; ${formatSize(recorder?.bytes ?? 0)} bytes of it can be replayed.`,
    });
  }
  return 0;
}

function captureOnly(configuration: Configuration, payloadBytes: number | undefined): Configuration {
  const { capture, exporters } = configuration;
  return {
    ...configuration,
    capture: { ...capture, payload_bytes: payloadBytes ?? capture.payload_bytes },
    exporters: {
      ...exporters,
      prometheus: { ...exporters.prometheus, enabled: false },
      stdout: { ...exporters.stdout, enabled: false },
    },
  };
}

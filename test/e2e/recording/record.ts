import { fileURLToPath } from 'node:url';
import { until } from '../../traffic/condition.ts';
import { startProcess } from '../../traffic/process.ts';
import type { RunningProcess } from '../../traffic/process.ts';
import type { Scene } from '../../traffic/scene.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/sonde', import.meta.url));

export interface RecordingProcess {
  readonly process: RunningProcess;
  /** Ends it by a signal and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface StartRecordingOptions {
  readonly file: string;
  /** Only sockets of these ports. */
  readonly ports: readonly number[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `sonde record` and waits until it records. */
export async function startRecording(scene: Scene, options: StartRecordingOptions): Promise<RecordingProcess> {
  const { file, ports, args = [], env = {} } = options;
  const running = startProcess(scene, {
    command: PROGRAM,
    args: ['record', file, ...args],
    env: {
      SONDE_CONFIG: '/dev/null',
      SONDE_CAPTURE_RING_BYTES: '16MiB',
      SONDE_CAPTURE_FILTER_PORTS: ports.join(','),
      ...env,
    },
  });
  const gone = running.exited.then((code): never => {
    throw new Error(`sonde ended with ${code} before it recorded:\n${running.output.stderr}`);
  });
  gone.catch(() => undefined);
  const ready = until(() => running.output.stderr.includes(`sonde recording ${file}`), {
    what: 'it records',
    timeoutMs: 30_000,
  });
  await Promise.race([ready, gone]);
  return {
    process: running,
    stop: async (signal = 'SIGTERM') => {
      process.kill(running.pid, signal);
      return await running.exited;
    },
  };
}

/** Whether the law holds in the line that a run prints at its end for this stage. */
export function lawLine(stderr: string, stage: string): Readonly<Record<string, number>> {
  const line = stderr.split('\n').find((one) => one.includes(`stage=${stage} `)) ?? '';
  return Object.fromEntries(
    [...line.matchAll(/([\w.]+)=(\d+)/g)].map(([, name = '', value]): [string, number] => [name, Number(value)]),
  );
}

import { untilListening } from '../port.ts';
import { type ProcessOptions, type RunningProcess, startProcess } from '../process.ts';
import type { Scene } from '../scene.ts';

/** Starts a server and waits until it listens on the port; if it ends before, the error holds what it said. */
export async function startDaemon(scene: Scene, options: ProcessOptions, port: number): Promise<RunningProcess> {
  const running = startProcess(scene, options);
  const gone = running.exited.then((code): never => {
    throw new Error(`${options.command} ended with ${code} before it listened:\n${running.output.stderr}`);
  });
  gone.catch(() => undefined);
  await Promise.race([untilListening(port), gone]);
  return running;
}

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProcess, untilLine, type RunningProcess } from './process.ts';
import type { Scene } from './scene.ts';

/** Compiles one of the programs in c/ into the scene's directory and gives its path. */
export async function compileProgram(
  scene: Scene,
  { name, bits = 64 }: { name: 'client' | 'server' | 'uring_client'; bits?: 32 | 64 },
): Promise<string> {
  const program = join(scene.directory, `${name}-${bits}`);
  await runProcess(scene, {
    command: 'gcc',
    args: [
      ...(bits === 32 ? ['-m32'] : []),
      '-O1',
      '-pthread',
      '-D_GNU_SOURCE',
      '-D_FILE_OFFSET_BITS=64',
      '-o',
      program,
      fileURLToPath(new URL(`c/${name}.c`, import.meta.url)),
    ],
  });
  return program;
}

/** Options of a C program, passed as `key=value`: see the comment at its top. */
export type ProgramOptions = Readonly<Record<string, string | number>>;

export interface ClientResult {
  readonly exchanges: number;
  readonly sent: number;
  readonly received: number;
  readonly statuses?: Readonly<Record<string, number>>;
}

/** Runs c/client.c or c/uring_client.c to its end. */
export async function runClient(scene: Scene, program: string, options: ProgramOptions): Promise<ClientResult> {
  return JSON.parse(await runProcess(scene, { command: program, args: render(options) })) as ClientResult;
}

/** Starts c/server.c. */
export async function startCServer(scene: Scene, program: string, options: ProgramOptions): Promise<RunningProcess> {
  const { process } = await untilLine(
    scene,
    { command: program, args: render(options) },
    (line) => line === 'listening' || undefined,
  );
  return process;
}

function render(options: ProgramOptions): string[] {
  return Object.entries(options).map(([key, value]) => `${key}=${value}`);
}

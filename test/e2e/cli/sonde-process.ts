import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tmpdir } from 'node:os';

export const PROGRAM = fileURLToPath(new URL('../../../bin/sonde', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  /** Runs the program as another user. */
  readonly uid?: number;
  readonly program?: string;
}

/** Runs `bin/sonde` to its end, with an environment that holds no configuration. */
export function sonde(args: readonly string[], options: StartOptions = {}): Promise<Ended> {
  if (!existsSync(MAIN)) {
    throw new Error('dist/ is not built: run `npm run build`');
  }
  return new Promise((resolve, reject) => {
    const child = spawn(options.program ?? PROGRAM, args, {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'] ?? '', SONDE_CONFIG: '/dev/null', ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
    // The program may refuse its arguments and end before it reads anything.
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** No stack trace in what a person sees. */
export const STACK = /^\s+at .*\.(js|ts):\d+/m;

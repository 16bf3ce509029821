import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import type { Scene } from './scene.ts';

export interface ProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line of standard output. */
  readonly onLine?: (line: string) => void;
  /** Written to standard input, which then ends. */
  readonly input?: string | Uint8Array;
}

export interface RunningProcess {
  readonly pid: number;
  /** What it wrote so far. */
  readonly output: { stdout: string; stderr: string };
  /** Resolves with the exit code (128 + signal number is not made up: a signal gives null). */
  readonly exited: Promise<number | null>;
  /** Ends the whole process group and waits for it. */
  end(): Promise<void>;
}

const groups = new Set<number>();
process.once('exit', () => {
  for (const group of groups) signalGroup(group, 'SIGKILL');
});

/** Starts a program in its own process group, which ends with the scene. */
export function startProcess(scene: Scene, options: ProcessOptions): RunningProcess {
  const { command, args = [], env, onLine, input } = options;
  const child = spawn(command, args, {
    cwd: scene.directory,
    env: { ...process.env, ...env },
    detached: true,
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  collect(child, output, onLine);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code));
  });
  exited.catch(() => undefined);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  const pid = child.pid ?? 0;
  if (pid > 0) groups.add(pid);
  const end = async (): Promise<void> => {
    if (pid === 0 || !groups.has(pid)) return;
    signalGroup(pid, 'SIGTERM');
    signalGroup(pid, 'SIGCONT');
    const patience = new AbortController();
    const ended = exited.then(() => true).finally(() => patience.abort());
    const late = delay(3_000, false, { signal: patience.signal }).catch(() => true);
    await Promise.race([ended, late]);
    signalGroup(pid, 'SIGKILL');
    await exited.catch(() => undefined);
    groups.delete(pid);
  };
  scene.onEnd(end);
  return { pid, output, exited, end };
}

function collect(child: ChildProcess, output: RunningProcess['output'], onLine?: (line: string) => void): void {
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    if (onLine === undefined) {
      output.stdout += text;
      return;
    }
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It has ended.
  }
}

/** Runs a program to its end and gives its standard output; another exit code than 0 is an error. */
export async function runProcess(scene: Scene, options: ProcessOptions): Promise<string> {
  const running = startProcess(scene, options);
  const code = await running.exited;
  await running.end();
  if (code !== 0) {
    throw new Error(
      `${options.command} ${options.args?.join(' ')} ended with ${code}:\n${running.output.stderr}${running.output.stdout}`,
    );
  }
  return running.output.stdout;
}

/** Waits for the first line of standard output that `match` accepts. */
export async function untilLine<T>(
  scene: Scene,
  options: Omit<ProcessOptions, 'onLine'>,
  match: (line: string) => T | undefined,
  onLine: (line: string) => void = () => undefined,
): Promise<{ process: RunningProcess; value: T }> {
  let matched: (value: T) => void = () => undefined;
  let found = false;
  const value = new Promise<T>((resolve) => {
    matched = resolve;
  });
  const running = startProcess(scene, {
    ...options,
    onLine: (line) => {
      const result = found ? undefined : match(line);
      if (result === undefined) {
        onLine(line);
        return;
      }
      found = true;
      matched(result);
    },
  });
  const gone = running.exited.then((code): never => {
    throw new Error(`${options.command} ended with ${code} before it was ready:\n${running.output.stderr}`);
  });
  gone.catch(() => undefined);
  return { process: running, value: await Promise.race([value, gone]) };
}

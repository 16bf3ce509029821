import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Scene } from './scene.ts';

/** A process that holds sockets and does with them what it is told, see programs/talker.py. */
export interface Talker {
  readonly pid: number;
  /** @throws Error with what Python said, if it ended */
  tell<T = Record<string, never>>(call: Call): Promise<T>;
}

export type Call = { readonly do: string } & Readonly<Record<string, unknown>>;

const PROGRAM = fileURLToPath(new URL('programs/talker.py', import.meta.url));

export function startTalker(scene: Scene): Talker {
  const child = spawn('python3', ['-u', PROGRAM], { stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(line));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      for (const one of waiting.splice(0)) one.reject(new Error(`the talker has ended:\n${stderr}`));
      resolve();
    });
  });
  child.stdin.on('error', () => undefined);
  scene.onEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return {
    pid: child.pid ?? 0,
    async tell<T>(call: Call): Promise<T> {
      const line = new Promise<string>((resolve, reject) => waiting.push({ resolve, reject }));
      child.stdin.write(`${JSON.stringify(call)}\n`);
      return JSON.parse(await line) as T;
    },
  };
}

/** Two processes and connections between them. */
export interface Pair {
  readonly server: Talker;
  readonly client: Talker;
  readonly port: number;
  readonly listener: number;
  /** Number of the i-th connection's end. */
  readonly serverEnds: readonly number[];
  readonly clientEnds: readonly number[];
}

export async function startPair(
  scene: Scene,
  { host = '127.0.0.1', count = 1, accepted = true }: { host?: string; count?: number; accepted?: boolean } = {},
): Promise<Pair> {
  const server = startTalker(scene);
  const client = startTalker(scene);
  const { id, port } = await server.tell<{ id: number; port: number }>({ do: 'listen', host });
  const made = await client.tell<{ ids: number[] }>({ do: 'connect', host, port, count });
  const taken = accepted ? await server.tell<{ ids: number[] }>({ do: 'accept', id, count }) : { ids: [] };
  return { server, client, port, listener: id, serverEnds: taken.ids, clientEnds: made.ids };
}

/** Sends from one end and waits until the other has received. */
export async function pass(
  from: readonly [Talker, number],
  to: readonly [Talker, number],
  data: string,
): Promise<void> {
  await from[0].tell({ do: 'send', id: from[1], data });
  await to[0].tell({ do: 'receive', id: to[1], size: data.length });
}

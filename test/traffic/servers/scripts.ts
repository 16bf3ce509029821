import { fileURLToPath } from 'node:url';
import { type RunningProcess, untilLine } from '../process.ts';
import type { Scene } from '../scene.ts';

/** Bytes that went over one connection, as the server's own socket counted them. */
export interface ConnectionBytes {
  readonly port: number;
  readonly received: number;
  readonly sent: number;
}

export interface ScriptServer {
  readonly process: RunningProcess;
  readonly url: string;
  /** Connections that have ended so far; only the Node server tells. */
  readonly connections: readonly ConnectionBytes[];
}

const PROGRAMS = {
  node: { command: process.execPath, file: 'node-server.mjs' },
  python: { command: 'python3', file: 'python-server.py' },
} as const;

/** Starts programs/node-server.mjs (routes: see there; both address families) or programs/python-server.py (IPv4). */
export async function startScriptServer(
  scene: Scene,
  { kind, port }: { kind: keyof typeof PROGRAMS; port: number },
): Promise<ScriptServer> {
  const { command, file } = PROGRAMS[kind];
  const connections: ConnectionBytes[] = [];
  const path = fileURLToPath(new URL(`../programs/${file}`, import.meta.url));
  const { process: running } = await untilLine(
    scene,
    { command, args: [path, String(port)] },
    (line) => line === 'listening' || undefined,
    (line) => void connections.push(JSON.parse(line) as ConnectionBytes),
  );
  return { process: running, url: `http://127.0.0.1:${port}`, connections };
}

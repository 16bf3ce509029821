import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Scene } from '../../traffic/scene.ts';
import type { Network } from './network.ts';

/** What a relay does with packets; relay.py. */
export interface Disturbance {
  /** Seconds that each packet takes, each way. */
  readonly delay?: number;
  /** Each n-th data packet towards the far end is overtaken by the one after it; 0: none. */
  readonly swap?: number;
  /** Each n-th data packet towards the far end arrives twice; 0: none. */
  readonly duplicate?: number;
}

/** What it has done with data packets towards the far end. */
export interface Disturbed {
  readonly data: number;
  readonly swapped: number;
  readonly duplicated: number;
}

/** A second path between the ends of a network, through a process. */
export interface Relay {
  readonly nearAddress: string;
  readonly farAddress: string;
  readonly farAddress6: string;
  /** From now on; what is not named stays as it was. Gives what was done so far. */
  disturb(disturbance: Disturbance): Promise<Disturbed>;
}

/** Why there can be no TUN device here; undefined if there can. */
export function withoutTun(): string | undefined {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return undefined;
  } catch (error) {
    return `no TUN device: ${(error as Error).message}`;
  }
}

/** Starts one; it ends with the scene. @throws if the kernel refuses TUN devices */
export async function startRelay(scene: Scene, network: Network): Promise<Relay> {
  const program = fileURLToPath(new URL('relay.py', import.meta.url));
  const child = spawn('python3', ['-u', program, network.near, network.far, 'relay'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  scene.onEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const line = async (): Promise<string> => {
    const next: IteratorResult<string, unknown> = await lines.next();
    if (next.done === true) throw new Error('the relay has ended');
    return next.value;
  };
  const ready = await line();
  if (ready !== 'ready') throw new Error(ready);
  for (const [namespace, host] of [
    [network.near, 1],
    [network.far, 2],
  ] as const) {
    for (const address of [`10.78.0.${host}/24`, `fd78::${host}/64`])
      network.run(namespace, 'ip', ['address', 'add', address, 'dev', 'relay']);
    network.run(namespace, 'ip', ['link', 'set', 'relay', 'up']);
  }
  return {
    nearAddress: '10.78.0.1',
    farAddress: '10.78.0.2',
    farAddress6: 'fd78::2',
    disturb: async (disturbance) => {
      child.stdin.write(`${JSON.stringify(disturbance)}\n`);
      return JSON.parse(await line()) as Disturbed;
    },
  };
}

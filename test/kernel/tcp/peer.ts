import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Scene } from '../../traffic/scene.ts';

/** What the kernel says of a socket when asked (TCP_INFO: what `ss -ti` shows). */
export type TcpInfo = Readonly<
  Record<
    | 'unacked'
    | 'total_retrans'
    | 'segs_out'
    | 'segs_in'
    | 'min_rtt'
    | 'data_segs_in'
    | 'data_segs_out'
    | 'busy_time'
    | 'rwnd_limited'
    | 'delivered'
    | 'bytes_sent'
    | 'bytes_retrans'
    | 'bytes_received'
    | 'dsack_dups'
    | 'reord_seen'
    | 'rcv_ooopack'
    | 'rtt'
    | 'rttvar'
    | 'snd_cwnd',
    number
  >
>;

/** A process that makes connections as it is told; peer.py. Sockets have names that the test gives. */
export interface Peer {
  readonly pid: number;
  /** Calls a function of peer.py and gives what it returned. */
  ask<T = unknown>(name: string, ...args: readonly (string | number)[]): Promise<T>;
  /** Gives the port. */
  listen(
    name: string,
    host: string,
    options?: { port?: number; backlog?: number; receiveBuffer?: number },
  ): Promise<number>;
  info(name: string): Promise<TcpInfo>;
}

/** Starts a peer, in a network namespace if one is named; it ends with the scene. */
export function startPeer(scene: Scene, namespace?: string): Peer {
  const python = ['python3', '-u', fileURLToPath(new URL('peer.py', import.meta.url))];
  const [command = '', ...args] = namespace === undefined ? python : ['ip', 'netns', 'exec', namespace, ...python];
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  scene.onEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const ask = async <T>(...call: readonly (string | number)[]): Promise<T> => {
    child.stdin.write(`${JSON.stringify(call)}\n`);
    const line: IteratorResult<string, unknown> = await lines.next();
    if (line.done === true) throw new Error(`the peer ended while it was asked to ${call.join(' ')}`);
    return JSON.parse(line.value) as T;
  };
  return {
    pid: child.pid ?? 0,
    ask,
    listen: (name, host, { port = 0, backlog = 16, receiveBuffer = 0 } = {}) =>
      ask<number>('listen', name, host, port, backlog, receiveBuffer),
    info: (name) => ask<TcpInfo>('info', name),
  };
}

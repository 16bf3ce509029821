import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import type { Socket } from 'node:net';
import { until } from './condition.ts';
import type { RunningProcess } from './process.ts';

/** Environment that a Node process needs so that `blockEventLoop` can reach it on a free port. */
export const BLOCKABLE = { NODE_OPTIONS: '--inspect-port=0' } as const;

/**
 * Blocks the JavaScript thread of a Node process (started with `BLOCKABLE`) for so long, as a long computation would:
 * through its inspector, which SIGUSR1 opens. Resolves when the thread is free again.
 */
export async function blockEventLoop(running: RunningProcess, ms: number): Promise<void> {
  process.kill(running.pid, 'SIGUSR1');
  const address = await until(() => /ws:\/\/(127\.0\.0\.1:\d+\/\S+)/.exec(running.output.stderr)?.[1], {
    what: 'the inspector listens',
  });
  const socket = await openWebSocket(`http://${address}`);
  const expression = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms})`;
  const answered = new Promise<string>((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString('latin1')));
    socket.once('error', reject);
  });
  socket.write(textFrame(JSON.stringify({ id: 1, method: 'Runtime.evaluate', params: { expression } })));
  const answer = await answered;
  socket.destroy();
  if (!answer.includes('timed-out')) throw new Error(`the thread was not blocked: ${answer}`);
}

function openWebSocket(url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    };
    request(url, { headers, agent: false })
      .on('upgrade', (_, socket) => resolve(socket))
      .on('error', reject)
      .end();
  });
}

/** A masked text frame (RFC 6455, 5.2); the mask is zero, which the protocol allows. */
function textFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Scene } from './scene.ts';

/** A connection on which a test writes and reads as it likes, and which knows its bytes. */
export interface RawConnection {
  readonly socket: Socket;
  /** All bytes received so far, as latin1. */
  received(): string;
  receivedBytes(): number;
  sentBytes(): number;
  /** Writes, and waits until the kernel has taken it: each call is at least one system call of its own. */
  send(data: string | Uint8Array): Promise<void>;
  /** Waits until so many responses have come whole (by Content-Length; bodiless without one). */
  responses(count: number): Promise<void>;
  /** Waits until so many bytes have come. */
  bytes(count: number): Promise<void>;
  /** Waits until the other side has ended or reset the connection. */
  ended(): Promise<void>;
  /** Ends the sending direction only. */
  halfClose(): Promise<void>;
  /** Ends with a reset (SO_LINGER 0). */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export async function openRaw(
  scene: Scene,
  { port, host = '127.0.0.1' }: { port: number; host?: string },
): Promise<RawConnection> {
  const socket = connect({ port, host, allowHalfOpen: true, noDelay: true });
  await once(socket, 'connect');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const state = { over: false };
  let text = '';
  let wake: () => void = () => undefined;
  socket.on('data', (data: Buffer) => {
    text += data.toString('latin1');
    wake();
  });
  const end = (): void => {
    state.over = true;
    wake();
  };
  socket.on('end', end).on('close', end).on('error', end);
  scene.onEnd(() => void socket.destroy());

  const when = async (condition: () => boolean, what: string): Promise<void> => {
    while (!condition()) {
      if (state.over)
        throw new Error(`the connection ended while waiting for ${what}; received: ${text.slice(0, 200)}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return {
    socket,
    received: () => text,
    receivedBytes: () => text.length,
    sentBytes: () => socket.bytesWritten,
    send: (data) =>
      new Promise((resolve, reject) => {
        socket.write(data, (error) => (error == null ? resolve() : reject(error)));
      }),
    responses: (count) => when(() => wholeResponses(text) >= count, `${count} responses`),
    bytes: (count) => when(() => text.length >= count, `${count} bytes`),
    ended: async () => {
      while (!state.over) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    halfClose: () => new Promise((resolve) => socket.end(() => resolve())),
    reset: async () => {
      socket.resetAndDestroy();
      await closed;
    },
    close: async () => {
      socket.end();
      socket.destroy();
      await closed;
    },
  };
}

function wholeResponses(text: string): number {
  let at = 0;
  let count = 0;
  for (;;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) return count;
    const head = text.slice(at, end);
    const length = /\r\ncontent-length:\s*(\d+)/i.exec(head)?.[1] ?? '0';
    at = end + 4 + Number(length);
    if (at > text.length) return count;
    if (!/^HTTP\/1\.\d 1\d\d /.test(head)) count++;
  }
}

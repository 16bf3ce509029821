import { createServer, type Socket } from 'node:net';
import type { Scene } from './scene.ts';

/**
 * A server whose every move the test decides: `serve` gets each connection. It runs in the test's process and is
 * closed, with its connections, when the scene ends.
 */
export async function startRawServer(
  scene: Scene,
  { port, serve }: { port: number; serve: (socket: Socket) => void },
): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
  scene.onEnd(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
}

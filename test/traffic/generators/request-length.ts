import { freePorts } from '../port.ts';
import { startRawServer } from '../raw-server.ts';
import type { Scene } from '../scene.ts';

/**
 * How many bytes a generator's request has on the wire, found by letting it make one against a server that only
 * counts. Ports have five digits everywhere, so the Host header is as long as it will be.
 */
export async function requestLength(
  scene: Scene,
  { path, run }: { path: string; run: (url: string) => Promise<unknown> },
): Promise<number> {
  const [port = 0] = await freePorts(1);
  let length = 0;
  await startRawServer(scene, {
    port,
    serve: (socket) => {
      socket.on('data', (data) => {
        length += data.length;
        if (data.toString('latin1').endsWith('\r\n\r\n')) {
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
        }
      });
    },
  });
  await run(`http://127.0.0.1:${port}${path}`);
  return length;
}

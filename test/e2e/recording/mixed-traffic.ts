import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { ab, curl, h2load, nodeClient } from '../../traffic/generators/load.ts';
import { freePorts } from '../../traffic/port.ts';
import { openRaw } from '../../traffic/raw.ts';
import type { Scene } from '../../traffic/scene.ts';
import { startNginx } from '../../traffic/servers/nginx.ts';
import { startScriptServer } from '../../traffic/servers/scripts.ts';

/** What came of a request, in the generator's words: a status, or what it got instead. */
export type Outcome = string;

/** How many requests were made of a port, by what came of them. */
export type Made = Readonly<Record<Outcome, number>>;

/** Servers that a test makes requests of, and what it has made so far. */
export interface MixedTraffic {
  /** Of all servers, for the filter. */
  readonly ports: readonly number[];
  readonly nginx: number;
  readonly node: number;
  /** Speaks something of its own. */
  readonly own: number;
  /** Makes requests of every sort once more, `scale` times as many of the plain ones. @returns by port */
  make(scale?: number): Promise<ReadonlyMap<number, Made>>;
  /** What all calls of `make` made together. */
  readonly made: ReadonlyMap<number, Made>;
}

/** A word that is in bodies, header values and queries, and nowhere else. */
export const SECRET = 'Geheimnis0815';

/** Starts nginx, Node's server and a server of no known protocol. */
export async function startMixedTraffic(scene: Scene): Promise<MixedTraffic> {
  const [nginx = 0, node = 0, own = 0] = await freePorts(3);
  await startNginx(scene, { port: nginx, files: { 'index.html': 612, large: 200_000 } });
  await startScriptServer(scene, { kind: 'node', port: node });
  await startLineServer(scene, own);
  const made = new Map<number, Record<Outcome, number>>();
  return {
    ports: [nginx, node, own],
    nginx,
    node,
    own,
    made,
    make: async (scale = 1) => {
      const now = new Map<number, Record<Outcome, number>>();
      const count = (port: number, outcome: Outcome, times = 1): void => {
        for (const tally of [now, made]) {
          const byOutcome = tally.get(port) ?? {};
          byOutcome[outcome] = (byOutcome[outcome] ?? 0) + times;
          tally.set(port, byOutcome);
        }
      };
      await plain(scene, nginx, scale, count);
      await odd(scene, node, count);
      await failing(scene, node, count);
      await lines(scene, own, count);
      return now;
    },
  };
}

type Count = (port: number, outcome: Outcome, times?: number) => void;

/** Kept-alive connections and one for each request, over both address families; pipelined; errors; a large body. */
async function plain(scene: Scene, port: number, scale: number, count: Count): Promise<void> {
  const host = `127.0.0.1:${port}`;
  await h2load(scene, { url: `http://${host}/`, exchanges: 200 * scale, connections: 4 });
  // h2load names [::1] without its brackets, which nginx refuses.
  await nodeClient(scene, { url: `http://[::1]:${port}/`, exchanges: 100 * scale, connections: 2, keepAlive: true });
  await ab(scene, { url: `http://${host}/`, exchanges: 50 * scale, connections: 2, keepAlive: false });
  count(port, '200', 350 * scale);
  await h2load(scene, { url: `http://${host}/missing`, exchanges: 20, connections: 1 });
  await h2load(scene, { url: `http://${host}/broken`, exchanges: 10, connections: 1 });
  await h2load(scene, { url: `http://${host}/empty`, exchanges: 10, connections: 1 });
  await h2load(scene, { url: `http://${host}/large`, exchanges: 3, connections: 1 });
  count(port, '404', 20);
  count(port, '503', 10);
  count(port, '204', 10);
  count(port, '200', 3);
  const connection = await openRaw(scene, { port });
  // Their answers are short: of what is read in one call, the kernel's side copies 4 KiB.
  await connection.send('GET /empty HTTP/1.1\r\nHost: pipe\r\n\r\n'.repeat(12));
  await connection.responses(12);
  await connection.close();
  count(port, '204', 12);
}

/** Bodies of every framing, with secrets in them; an answer that takes its time. */
async function odd(scene: Scene, port: number, count: Count): Promise<void> {
  const url = `http://[::1]:${port}`;
  const secret = ['Authorization: Bearer ', 'Cookie: session=', 'X-Api-Key: '].flatMap((field) => [
    '-H',
    `${field}${SECRET}`,
  ]);
  const body = `{"card":"${SECRET}"}`.repeat(30);
  const calls: readonly (readonly string[])[] = [
    [`${url}/chunked/300/5`],
    [`${url}/fixed/30000?token=${SECRET}`, ...secret],
    [`${url}/upload?user=${SECRET}`, '--data-binary', body, ...secret],
    [`${url}/upload`, '-H', 'Transfer-Encoding: chunked', '--data-binary', body],
    [`${url}/until-close/5000`],
    ['-I', `${url}/fixed/5000`],
    ['--http1.0', `${url}/chunked/100/3`],
    [`${url}/early`],
    [`${url}/delay/300`],
    ['-H', 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', `${url}/users/4711/orders`],
  ];
  for (const call of calls) count(port, await curl(scene, call));
  for (const status of ['201', '304', '404', '500', '503']) {
    count(port, await curl(scene, [`http://127.0.0.1:${port}/status/${status}`]));
  }
}

/** Requests that get no answer, or not all of it. */
async function failing(scene: Scene, port: number, count: Count): Promise<void> {
  const without = async (path: string, outcome: Outcome): Promise<void> => {
    const connection = await openRaw(scene, { port });
    await connection.send(`GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`);
    await connection.ended();
    await connection.close();
    count(port, outcome);
  };
  await without('/reset', 'reset');
  await without('/hang-up', 'closed');
  await without('/reset-after/1000', 'cut');
}

async function lines(scene: Scene, port: number, count: Count): Promise<void> {
  const connection = await openRaw(scene, { port });
  for (let i = 0; i < 10; i++) {
    const length = connection.receivedBytes();
    await connection.send(`say ${SECRET} ${i}\n`);
    await connection.bytes(length + 20);
  }
  await connection.close();
  count(port, 'line', 10);
}

/** Answers each line with 20 bytes. */
async function startLineServer(scene: Scene, port: number): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(`${SECRET.padEnd(19, '.')}\n`));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  scene.onEnd(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
}

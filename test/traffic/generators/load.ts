import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProcess } from '../process.ts';
import type { Scene } from '../scene.ts';

/** What a generator says that it did. */
export interface Load {
  readonly exchanges: number;
  /** Bytes of all responses, heads included. */
  readonly responseBytes: number;
  /** Responses by status class (`2xx`) or status, as far as the generator tells. */
  readonly statuses: Readonly<Record<string, number>>;
}

export interface LoadOptions {
  readonly url: string;
  readonly exchanges: number;
  readonly connections: number;
}

/** h2load over HTTP/1.1: kept-alive connections, exactly `exchanges` requests. */
export async function h2load(scene: Scene, { url, exchanges, connections }: LoadOptions): Promise<Load> {
  const output = await runProcess(scene, {
    command: 'h2load',
    args: ['--h1', '-n', String(exchanges), '-c', String(connections), '-t', '1', url],
  });
  const [, done] = field(output, /(\d+) done, (\d+) succeeded/);
  const [, ok, moved, refused, failed] = field(output, /status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx/);
  const [, bytes] = field(output, /traffic: [^(]*\((\d+)\) total/);
  return {
    exchanges: Number(done),
    responseBytes: Number(bytes),
    statuses: { '2xx': Number(ok), '3xx': Number(moved), '4xx': Number(refused), '5xx': Number(failed) },
  };
}

/** ApacheBench: HTTP/1.0, a connection for each request unless `keepAlive`. */
export async function ab(
  scene: Scene,
  { url, exchanges, connections, keepAlive }: LoadOptions & { keepAlive: boolean },
): Promise<Load> {
  const output = await runProcess(scene, {
    command: 'ab',
    args: ['-q', '-n', String(exchanges), '-c', String(connections), ...(keepAlive ? ['-k'] : []), url],
  });
  const [, done] = field(output, /Complete requests:\s+(\d+)/);
  const [, failed] = field(output, /Failed requests:\s+(\d+)/);
  const [, bytes] = field(output, /Total transferred:\s+(\d+)/);
  const other = /Non-2xx responses:\s+(\d+)/.exec(output)?.[1] ?? '0';
  if (failed !== '0') throw new Error(`ab: ${failed} requests failed`);
  return {
    exchanges: Number(done),
    responseBytes: Number(bytes),
    statuses: { '2xx': Number(done) - Number(other), other: Number(other) },
  };
}

const PIPELINE = `
init = function(args)
  local depth = tonumber(args[1])
  local requests = {}
  for i = 1, depth do requests[i] = wrk.format(nil, nil) end
  batch = table.concat(requests)
end
request = function() return batch end
done = function(summary)
  io.write(string.format("requests=%d bytes=%d status=%d\\n", summary.requests, summary.bytes, summary.errors.status))
end
`;

export interface WrkOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Requests that a connection has under way at a time. */
  readonly depth: number;
}

/** wrk for a while: what it counts leaves out what was under way at its end, connections × depth at most. */
export async function wrk(scene: Scene, { url, connections, seconds, depth }: WrkOptions): Promise<Load> {
  const script = join(scene.directory, `pipeline-${depth}.lua`);
  await writeFile(script, PIPELINE);
  const output = await runProcess(scene, {
    command: 'wrk',
    args: ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, url, '--', String(depth)],
  });
  const [, requests, bytes, failed] = field(output, /requests=(\d+) bytes=(\d+) status=(\d+)/);
  return {
    exchanges: Number(requests),
    responseBytes: Number(bytes),
    statuses: { '2xx': Number(requests) - Number(failed), other: Number(failed) },
  };
}

/** Node's http client in a process of its own; knows the bytes of its sockets in both directions. */
export async function nodeClient(
  scene: Scene,
  { url, exchanges, connections, keepAlive }: LoadOptions & { keepAlive: boolean },
): Promise<Load & { requestBytes: number }> {
  const program = fileURLToPath(new URL('../programs/node-client.mjs', import.meta.url));
  const output = await runProcess(scene, {
    command: process.execPath,
    args: [program, url, String(exchanges), String(connections), keepAlive ? 'keep' : 'close'],
  });
  const result = JSON.parse(output) as { statuses: Record<string, number>; sent: number; received: number };
  return {
    exchanges: Object.values(result.statuses).reduce((sum, count) => sum + count, 0),
    requestBytes: result.sent,
    responseBytes: result.received,
    statuses: result.statuses,
  };
}

/** curl with these arguments, the body thrown away; gives the status. */
export async function curl(scene: Scene, args: readonly string[], input?: string | Uint8Array): Promise<string> {
  const output = await runProcess(scene, {
    command: 'curl',
    args: ['-q', '-s', '--noproxy', '*', '-o', '/dev/null', '-w', '%{http_code}', ...args],
    ...(input === undefined ? {} : { input }),
  });
  return output.trim();
}

function field(output: string, pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(output);
  if (match === null) throw new Error(`no ${pattern} in:\n${output}`);
  return match;
}

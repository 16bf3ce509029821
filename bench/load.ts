import { Child } from './child.ts';

/** What a load generator says that it did. */
export interface LoadResult {
  /** Requests that were answered in full. */
  readonly requests: number;
  /** Requests that failed, by the generator's own word. */
  readonly failed: number;
  readonly seconds: number;
  /** Requests that may have been under way at the end, beyond those counted. */
  readonly open: number;
}

/** The generators run on CPU 0, the server on CPU 1. */
const CLIENT_CPU = 0;
/** How much longer than asked for a generator may take. */
const GRACE_MS = 30_000;

export interface SaturateOptions {
  readonly url: string;
  readonly seconds: number;
  readonly connections?: number;
  /** A new connection for each request. */
  readonly close?: boolean;
  /** A Lua script that makes the requests. */
  readonly script?: string;
}

/** wrk, as fast as it goes. */
export async function saturate(options: SaturateOptions): Promise<LoadResult> {
  const { url, seconds, connections = 16, close = false, script } = options;
  const command = ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s'];
  if (close) command.push('-H', 'Connection: close');
  if (script !== undefined) command.push('-s', script);
  const child = new Child([...command, url], { cpu: CLIENT_CPU });
  return parseWrk(await child.output(seconds * 1000 + GRACE_MS), connections);
}

export interface RateOptions {
  readonly url: string;
  /** Requests a second in all. */
  readonly rate: number;
  readonly seconds: number;
  readonly connections?: number;
}

/** h2load over HTTP/1.1 at a held rate with a fixed number of requests, so that the count is exact. */
export async function hold(options: RateOptions): Promise<LoadResult> {
  const { url, rate, seconds, connections = 16 } = options;
  const each = Math.max(1, Math.round(rate / connections));
  const requests = each * connections * seconds;
  const child = new Child(['h2load', '--h1', '-t1', `-c${connections}`, `--rps=${each}`, '-n', String(requests), url], {
    cpu: CLIENT_CPU,
  });
  // A machine that cannot keep the rate takes longer for its fixed number.
  return parseH2load(await child.output(20 * seconds * 1000 + GRACE_MS));
}

/** h2load over HTTP/1.1 as fast as it goes, with a fixed number of requests. */
export async function exactly(options: {
  readonly url: string;
  readonly requests: number;
  readonly connections?: number;
}): Promise<LoadResult> {
  const { url, requests, connections = 16 } = options;
  const child = new Child(['h2load', '--h1', '-t1', `-c${connections}`, '-n', String(requests), url], {
    cpu: CLIENT_CPU,
  });
  return parseH2load(await child.output(GRACE_MS + 10 * requests));
}

/** ab without keep-alive: a connection for each of `requests`. */
export async function churn(options: {
  readonly url: string;
  readonly requests: number;
  readonly connections?: number;
}): Promise<LoadResult> {
  const { url, requests, connections = 8 } = options;
  const child = new Child(['ab', '-q', '-c', String(connections), '-n', String(requests), url], { cpu: CLIENT_CPU });
  return parseAb(await child.output(GRACE_MS + requests));
}

export function parseWrk(text: string, connections: number): LoadResult {
  const [, requests, seconds, unit] = found(/(\d+) requests in ([\d.]+)(ms|s|m)/, text, 'wrk');
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const status = /Non-2xx or 3xx responses: (\d+)/.exec(text);
  const failed = (errors ?? []).slice(1).reduce((total, count) => total + Number(count), Number(status?.[1] ?? 0));
  const scale = { ms: 0.001, s: 1, m: 60 }[unit as 'ms' | 's' | 'm'];
  return { requests: Number(requests), failed, seconds: Number(seconds) * scale, open: connections };
}

export function parseH2load(text: string): LoadResult {
  const [, seconds, unit] = found(/finished in ([\d.]+)(us|ms|s)/, text, 'h2load');
  const [, requests, failed] = found(/(\d+) succeeded, (\d+) failed/, text, 'h2load');
  const scale = { us: 1e-6, ms: 0.001, s: 1 }[unit as 'us' | 'ms' | 's'];
  return { requests: Number(requests), failed: Number(failed), seconds: Number(seconds) * scale, open: 0 };
}

export function parseAb(text: string): LoadResult {
  const [, seconds] = found(/Time taken for tests:\s+([\d.]+) seconds/, text, 'ab');
  const [, requests] = found(/Complete requests:\s+(\d+)/, text, 'ab');
  const [, failed] = found(/Failed requests:\s+(\d+)/, text, 'ab');
  return { requests: Number(requests), failed: Number(failed), seconds: Number(seconds), open: 0 };
}

function found(pattern: RegExp, text: string, who: string): RegExpExecArray {
  const match = pattern.exec(text);
  if (match === null) throw new Error(`${who} said nothing that reads as ${pattern}: ${text}`);
  return match;
}

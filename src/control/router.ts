import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod/mini';
import { SondeError } from '../model/errors.ts';
import { isOwnHost } from '../model/own-host.ts';
import { hasBody, readJson } from './read-body.ts';
import type { Answer, Route } from './route.ts';
import type { Authorize } from './token.ts';

export interface RouterOptions {
  readonly routes: readonly Route[];
  /** Without it no token is asked for, and the Host header must name this host. */
  readonly authorize?: Authorize | undefined;
  /** An answer that is no stream and was not taken within so long ends its connection, ms. Default 30,000. */
  readonly answerMs?: number | undefined;
  /** Told of what a handler threw that is no fault of the caller. */
  readonly onError?: (path: string, error: unknown) => void;
}

/** Answers one request; never throws, never rejects. */
export type Router = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/**
 * Finds the route of a request. In this order: the Host header (a page whose name was made to point here must not get
 * in), the token, the path, the method, the body.
 */
export function createRouter(options: RouterOptions): Router {
  const { answerMs = 30_000, onError = () => {} } = options;
  return async (request, response) => {
    const stopLimit = limitTime(response, answerMs);
    const [path = '/', query = ''] = splitOnce(request.url ?? '/', '?');
    try {
      await answer(request, response, { ...options, path, query, stopLimit });
    } catch (error) {
      if (error instanceof SondeError && error.exitCode === 2) {
        send(response, { status: 400, body: { error: error.message } });
        return;
      }
      if (!request.destroyed || !response.destroyed) {
        onError(path, error);
      }
      if (response.headersSent) {
        response.destroy();
      } else {
        send(response, { status: 500, body: { error: 'something went wrong inside Sonde; its log tells more' } });
      }
    }
  };
}

interface Asked extends RouterOptions {
  readonly path: string;
  readonly query: string;
  /** The answer may take as long as it wants. */
  readonly stopLimit: () => void;
}

async function answer(request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> {
  const { routes, authorize, path, stopLimit } = asked;
  const here = routes.filter((route) => route.path === path);
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = here.find((one) => one.method === method);
  const refuse = (status: number, error: string): void => {
    // What is left of the request is not read: the connection cannot be used again.
    if (hasBody(request)) {
      response.setHeader('connection', 'close');
    }
    send(response, { status, body: { error } });
  };
  if (authorize === undefined && !isOwnHost(request.headers.host)) {
    return refuse(403, 'the Host header names neither an address nor localhost');
  }
  if (authorize !== undefined && here.every((one) => one.open !== true) && !authorize(request.headers.authorization)) {
    response.setHeader('www-authenticate', 'Bearer');
    return refuse(401, 'the token of control.token_file or control.token is required');
  }
  if (here.length === 0) {
    return refuse(404, `there are ${[...new Set(routes.map((one) => one.path))].toSorted().join(', ')}`);
  }
  if (route === undefined) {
    const methods = here.flatMap((one) => (one.method === 'GET' ? ['GET', 'HEAD'] : [one.method]));
    response.setHeader('allow', methods.join(', '));
    return refuse(405, `${path} answers ${methods.join(', ')}`);
  }
  let body: unknown;
  if (route.body === undefined) {
    if (hasBody(request) && route.ignoresBody !== true) {
      return refuse(413, 'a request has no body here');
    }
  } else {
    const read = await readJson(request);
    if (!read.ok) {
      return refuse(read.status, read.error);
    }
    const parsed = z.safeParse(route.body, read.value);
    if (!parsed.success) {
      return refuse(400, describeIssue(parsed.error.issues[0]));
    }
    body = parsed.data;
  }
  const reply = await route.handle({ query: new URLSearchParams(asked.query), body });
  if (!('start' in reply)) {
    send(response, reply);
    return;
  }
  if (response.destroyed) {
    return;
  }
  if (response.socket === null) {
    // A response that waits for its turn is not told when the caller goes away.
    response.setHeader('connection', 'close');
    return refuse(400, 'this connection still waits for an earlier answer: ask for a stream on one of its own');
  }
  response.writeHead(reply.status, { 'content-type': reply.contentType, 'cache-control': 'no-store' });
  if (request.method === 'HEAD') {
    response.end();
  } else {
    stopLimit();
    response.flushHeaders();
    reply.start(response);
  }
}

/**
 * Ends the connection if the answer was not taken in time, counted from the moment when it was its turn.
 *
 * @returns takes the limit away
 */
function limitTime(response: ServerResponse, ms: number): () => void {
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    timer = setTimeout(() => response.destroy(), ms);
    timer.unref();
  };
  const stop = (): void => {
    response.off('socket', begin);
    clearTimeout(timer);
  };
  if (response.socket === null) {
    response.once('socket', begin);
  } else {
    begin();
  }
  response.once('close', stop);
  return stop;
}

/** `body.rules[0].port: at most 65535` */
function describeIssue(issue: z.core.$ZodIssue | undefined): string {
  if (issue === undefined) {
    return 'the body is not understood';
  }
  const where = issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return `body${where}: ${wrongWith(issue)}`;
}

function wrongWith(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be of type ${issue.expected}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'unrecognized_keys':
      return `unknown key ${issue.keys.join(', ')}`;
    case 'too_big':
      return `at most ${String(issue.maximum)}`;
    case 'too_small':
      return `at least ${String(issue.minimum)}`;
    default:
      return 'not understood; /openapi.json describes what may be sent';
  }
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (response.destroyed || response.headersSent) {
    return;
  }
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

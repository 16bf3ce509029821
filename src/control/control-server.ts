import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../config/units.ts';
import { formatAddress } from '../config/units.ts';
import { SondeError } from '../model/errors.ts';
import { isOwnHost } from '../model/own-host.ts';
import type { Status } from './status.ts';
import type { Authorize } from './token.ts';

export interface ControlOptions {
  readonly listen: Address;
  readonly status: () => Status;
  /** Whether everything has started. */
  readonly ready: () => boolean;
  /** Without it no token is asked for, and only this host may listen. */
  readonly authorize?: Authorize;
}

/** The HTTP interface for people and scripts. */
export interface ControlServer {
  readonly name: string;
  /** @throws SondeError SONDE_PORT_TAKEN, SONDE_PORT_REFUSED */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** `http://HOST:PORT`; known after the start. */
  url(): string;
}

/** Paths of the design whose feature this build lacks. */
const ABSENT = ['/config', '/profile'];

const MAX_CONNECTIONS = 64;

/** GET /healthz, /readyz and /status as JSON. Everything about it is bounded: connections, headers, time, bodies. */
export function createControlServer(options: ControlOptions): ControlServer {
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: 5000,
      requestTimeout: 5000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 5000,
    },
    (request, response) => {
      request.resume();
      answer(request, response, options);
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  return {
    name: 'control',
    start: () =>
      new Promise((resolve, reject) => {
        const refused = (error: NodeJS.ErrnoException): void => reject(listenError(error, options.listen));
        server.once('error', refused);
        server.listen({ host: options.listen.host, port: options.listen.port }, () => {
          server.off('error', refused);
          resolve();
        });
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
    url: () => {
      const { port } = server.address() as AddressInfo;
      return `http://${formatAddress({ host: options.listen.host, port })}`;
    },
  };
}

function listenError(cause: NodeJS.ErrnoException, listen: Address): SondeError {
  const where = `${formatAddress(listen)} (control.listen)`;
  return cause.code === 'EADDRINUSE'
    ? new SondeError('SONDE_PORT_TAKEN', { detail: `${where} is already in use`, cause })
    : new SondeError('SONDE_PORT_REFUSED', {
        detail: `${where} cannot be listened on: ${cause.code ?? cause.message}`,
        cause,
      });
}

function answer(request: IncomingMessage, response: ServerResponse, options: ControlOptions): void {
  const path = (request.url ?? '/').split('?')[0];
  if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined) {
    send(response.setHeader('connection', 'close'), 413, { error: 'a request has no body here' });
  } else if (request.method !== 'GET' && request.method !== 'HEAD') {
    send(response.setHeader('allow', 'GET, HEAD'), 405, { error: 'only GET is answered here' });
  } else if (options.authorize === undefined && !isOwnHost(request.headers.host)) {
    send(response, 403, { error: 'the Host header names neither an address nor localhost' });
  } else if (path === '/healthz') {
    send(response, 200, { status: 'ok' });
  } else if (path === '/readyz') {
    const ready = options.ready();
    send(response, ready ? 200 : 503, { status: ready ? 'ready' : 'starting' });
  } else if (options.authorize !== undefined && !options.authorize(request.headers.authorization)) {
    send(response.setHeader('www-authenticate', 'Bearer'), 401, {
      error: 'the token of control.token_file is required',
    });
  } else if (path === '/status') {
    send(response, 200, options.status());
  } else if (ABSENT.includes(path)) {
    send(response, 501, { error: `${path} is not in this build yet` });
  } else {
    send(response, 404, { error: 'there are /healthz, /readyz and /status' });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

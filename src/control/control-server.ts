import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../config/units.ts';
import { formatAddress } from '../config/units.ts';
import { SondeError } from '../model/errors.ts';
import type { Route } from './route.ts';
import { createRouter } from './router.ts';
import type { Authorize } from './token.ts';

export interface ControlOptions {
  readonly listen: Address;
  readonly routes: readonly Route[];
  /** Without it no token is asked for, and only this host may listen. */
  readonly authorize?: Authorize | undefined;
  /** Within so long an answer must have been taken, but for a stream, ms. Default 30,000. */
  readonly answerMs?: number;
  /** Those beyond are refused. Default 64. */
  readonly maxConnections?: number;
  /** Told of what went wrong inside. */
  readonly onError?: (path: string, error: unknown) => void;
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

/** Serves the routes. Everything about it is bounded: connections, headers, time, bodies. */
export function createControlServer(options: ControlOptions): ControlServer {
  const router = createRouter(options);
  const server = createServer(
    {
      maxHeaderSize: 8192,
      headersTimeout: 5000,
      requestTimeout: 5000,
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: 5000,
    },
    (request, response) => void router(request, response),
  );
  server.maxConnections = options.maxConnections ?? 64;
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

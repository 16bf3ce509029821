import type { ServerResponse } from 'node:http';
import type * as z from 'zod/mini';

/** A request that passed the checks of the server: host, token, size and form of the body. */
export interface RouteRequest {
  readonly query: URLSearchParams;
  /** The JSON body as `Route.body` read it; undefined for GET. */
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  /** Sent as JSON. */
  readonly body: unknown;
}

/** An answer that goes on: `start` is called once the head was sent, and the response is its own from then on. */
export interface StreamAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly start: (response: ServerResponse) => void;
}

/** A parameter of the query. */
export interface Parameter {
  readonly name: string;
  readonly required: boolean;
  readonly doc: string;
  readonly schema: z.ZodMiniType;
}

export interface ResponseDoc {
  readonly doc: string;
  readonly schema: z.ZodMiniType;
  /** Default `application/json`. */
  readonly contentType?: string;
}

/** One method of one path of the control interface: what it does, and what docs/openapi.json says of it. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST';
  /** Without parameters: `/status`. */
  readonly path: string;
  /** Answered without the token: it tells nothing but that somebody is there. */
  readonly open?: boolean;
  /** One clause for the list of operations. */
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  /** What the body must be; without it none is allowed. The schema's output is `RouteRequest.body`. */
  readonly body?: z.ZodMiniType;
  /** Whether there is a body and what is in it makes no difference. */
  readonly ignoresBody?: boolean;
  /** By status. What the server itself answers (400, 401, 403, 413, 415) is added where it can happen. */
  readonly responses: Readonly<Record<number, ResponseDoc>>;
  /** @throws SondeError what is wrong with the request: answered with 400 */
  handle(request: RouteRequest): Answer | StreamAnswer | Promise<Answer | StreamAnswer>;
}

import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import * as z from 'zod/mini';
import { SondeError } from '../../model/errors.ts';

export interface ControlClientOptions {
  /** `http://HOST:PORT` of a control interface. */
  readonly url: string;
  readonly token: string | undefined;
  /** ms until an answer must be there. Default 3,000. */
  readonly timeoutMs?: number;
}

/** Asks the control interface of a probe. */
export interface ControlClient {
  /** The answer, if it has the shape of the schema. @throws SondeError SONDE_NO_PROBE */
  get<T extends z.ZodMiniType>(path: string, schema: T): Promise<z.output<T>>;
  close(): void;
}

/** A report of 500 services and 4,000 routes and peers has less. */
const MAX_BODY = 16 * 1024 * 1024;

export function createControlClient({ url, token, timeoutMs = 3000 }: ControlClientOptions): ControlClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const headers = authorization(token);
  return {
    async get(path, schema) {
      const text = await new Promise<string>((resolve, reject) => {
        const call = request(`${url}${path}`, { agent, headers }, (response) => {
          collect(response).then((body) => {
            const problem = refusal(url, path, response.statusCode ?? 0);
            return problem === undefined ? resolve(body) : reject(problem);
          }, reject);
        });
        call.setTimeout(timeoutMs, () => call.destroy(unreachable(url, `no answer within ${timeoutMs / 1000} s`)));
        call.once('error', (error: NodeJS.ErrnoException) => {
          reject(error instanceof SondeError ? error : unreachable(url, error.code ?? error.message));
        });
        call.end();
      });
      const parsed = z.safeParse(schema, parseJson(text));
      if (!parsed.success) {
        throw notSonde(url, path);
      }
      return parsed.data;
    },
    close: () => agent.destroy(),
  };
}

/** The headers that show a token. */
export function authorization(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

/** Undefined if it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function collect(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      text += part;
      if (text.length > MAX_BODY) {
        response.destroy(new Error('the answer is too long'));
      }
    });
    response.once('end', () => resolve(text));
    response.once('error', reject);
  });
}

/** What a status says, if it is not the one that was hoped for. */
export function refusal(url: string, path: string, status: number): SondeError | undefined {
  if (status === 200) {
    return undefined;
  }
  if (status === 401) {
    return new SondeError('SONDE_NO_PROBE', {
      detail: `the probe at ${url} asks for its token`,
      remedy: 'Give the file that holds it with --token-file, or the token itself in SONDE_CONTROL_TOKEN.',
    });
  }
  return status === 403
    ? new SondeError('SONDE_NO_PROBE', {
        detail: `the probe at ${url} refuses this name`,
        remedy: 'Give its address in place of the name.',
      })
    : notSonde(url, path, status);
}

function notSonde(url: string, path: string, status?: number): SondeError {
  return new SondeError('SONDE_NO_PROBE', {
    detail: `what answers at ${url}${path} is no probe of this version${status === undefined ? '' : ` (status ${status})`}`,
    remedy: 'Give the address of its control interface with --url.',
  });
}

function unreachable(url: string, why: string): SondeError {
  return new SondeError('SONDE_NO_PROBE', { detail: `no probe answers at ${url} (${why})` });
}

import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type * as z from 'zod/mini';
import { servicesSchema } from '../../control/routes/services.ts';
import { statusSchema } from '../../control/routes/status.ts';
import { SondeError } from '../../model/errors.ts';
import type { ExchangeLine } from '../../model/exchange-line.ts';
import type { ExchangeFollower, ViewSource } from './source.ts';
import type { ExchangeQuery } from './state.ts';

export interface RemoteSourceOptions {
  /** `http://HOST:PORT` of a control interface. */
  readonly url: string;
  readonly token: string | undefined;
  /** ms until an answer must be there. Default 3,000. */
  readonly timeoutMs?: number;
}

/** A report of 500 services and 4,000 routes and peers has less. */
const MAX_BODY = 16 * 1024 * 1024;
const MAX_LINE = 256 * 1024;

/** A probe that runs elsewhere, through its control interface. */
export function createRemoteSource(options: RemoteSourceOptions): ViewSource {
  const { url, token, timeoutMs = 3000 } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const headers = authorization(token);

  const get = async <T extends z.ZodMiniType>(path: string, schema: T): Promise<z.output<T>> => {
    const text = await new Promise<string>((resolve, reject) => {
      const call = request(`${url}${path}`, { agent, headers }, (response) => {
        collect(response, MAX_BODY).then((body) => {
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
    const parsed = schema.safeParse(parseJson(text));
    if (!parsed.success) {
      throw notSonde(url, path);
    }
    return parsed.data;
  };

  return {
    name: `sonde at ${url}`,
    remark: '',
    async read() {
      const [services, status] = await Promise.all([get('/services', servicesSchema), get('/status', statusSchema)]);
      return { services, status };
    },
    follow: followExchanges(options),
    close: () => agent.destroy(),
  };
}

/** Follows exchanges through the control interface of a probe, be it that of this process. */
export function followExchanges({ url, token }: RemoteSourceOptions): ViewSource['follow'] {
  const headers = authorization(token);
  return (query, follower) => followRemote({ url, headers, query }, follower);
}

function authorization(token: string | undefined): Readonly<Record<string, string>> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

interface Followed {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: ExchangeQuery;
}

function followRemote({ url, headers, query }: Followed, { onExchange, onEnd }: ExchangeFollower): () => void {
  const asked = new URLSearchParams({ follow: '1', ...query });
  const path = `/exchanges?${asked.toString()}`;
  let stopped = false;
  const end = (reason: string): void => {
    if (!stopped) {
      stopped = true;
      onEnd(reason);
    }
  };
  const call = request(`${url}${path}`, { agent: false, headers }, (response) => {
    const problem = refusal(url, '/exchanges', response.statusCode ?? 0);
    if (problem !== undefined) {
      call.destroy();
      end(problem.text);
      return;
    }
    let rest = '';
    response.setEncoding('utf8');
    response.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const exchange = parseExchange(line);
        if (exchange !== undefined && !stopped) {
          onExchange(exchange);
        }
      }
      if (rest.length > MAX_LINE) {
        call.destroy();
        end(`${url} sends lines that are too long`);
      }
    });
    response.once('close', () => end(`${url} has ended the list of exchanges`));
  });
  call.once('error', (error: NodeJS.ErrnoException) => end(`no exchanges from ${url}: ${error.code ?? error.message}`));
  call.end();
  return () => {
    stopped = true;
    call.destroy();
  };
}

/** A line that is no exchange tells of something else, such as lines that were left out. */
function parseExchange(line: string): ExchangeLine | undefined {
  const value = parseJson(line) as Partial<ExchangeLine> | null | undefined;
  return typeof value?.time === 'string' && typeof value.conn === 'string' && typeof value.role === 'string'
    ? (value as ExchangeLine)
    : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function collect(response: IncomingMessage, limit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      text += part;
      if (text.length > limit) {
        response.destroy(new Error('the answer is too long'));
      }
    });
    response.once('end', () => resolve(text));
    response.once('error', reject);
  });
}

function refusal(url: string, path: string, status: number): SondeError | undefined {
  if (status === 200) {
    return undefined;
  }
  if (status === 401) {
    return new SondeError('SONDE_NO_PROBE', {
      detail: `the probe at ${url} asks for its token`,
      remedy: 'Give the file that holds it with --token-file.',
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

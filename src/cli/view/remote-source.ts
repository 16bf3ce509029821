import { request } from 'node:http';
import { servicesSchema } from '../../control/routes/services.ts';
import { statusSchema } from '../../control/routes/status.ts';
import type { ExchangeLine } from '../../model/exchange-line.ts';
import { authorization, createControlClient, parseJson, refusal } from './control-client.ts';
import type { ControlClientOptions } from './control-client.ts';
import type { ExchangeFollower, ViewSource } from './source.ts';
import type { ExchangeSubject } from '../../control/exchange-subject.ts';

const MAX_LINE = 256 * 1024;

/** A probe that runs elsewhere, through its control interface. */
export function createRemoteSource(options: ControlClientOptions): ViewSource {
  const { url } = options;
  const client = createControlClient(options);
  return {
    name: `sonde at ${url}`,
    remark: '',
    async read() {
      const [services, status] = await Promise.all([
        client.get('/services', servicesSchema),
        client.get('/status', statusSchema),
      ]);
      return { services, status };
    },
    follow: followExchanges(options),
    close: () => client.close(),
  };
}

/** Follows exchanges through the control interface of a probe, be it that of this process. */
export function followExchanges({ url, token }: ControlClientOptions): ViewSource['follow'] {
  const headers = authorization(token);
  return (query, follower) => followRemote({ url, headers, query }, follower);
}

interface Followed {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: ExchangeSubject;
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

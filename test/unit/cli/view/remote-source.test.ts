import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createRemoteSource, followExchanges } from '../../../../src/cli/view/remote-source.ts';
import { until } from '../../../traffic/condition.ts';
import { exchangeLine } from '../exchange-line.fixture.ts';
import { report, service } from './reports.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const STATUS = {
  version: '1',
  kernel: '6.18',
  uptime_s: 5,
  features: [],
  loss: [],
  cost: { kernel_ns: null, cpu_ratio: 0, rss_bytes: 1, map_bytes: null },
  governor: { level: 0, reason: null },
};

describe('a probe elsewhere', () => {
  test('is read with its token', async () => {
    const asked: (string | undefined)[] = [];
    const shop = report(1000, [service('shop', 3)]);
    const url = await serve((request, response) => {
      asked.push(request.headers.authorization);
      response.end(JSON.stringify(request.url === '/services' ? shop : STATUS));
    });
    const source = createRemoteSource({ url, token: 'secret' });
    expect(await source.read()).toMatchObject({ services: shop, status: { uptime_s: 5 } });
    expect(asked).toEqual(['Bearer secret', 'Bearer secret']);
    source.close();
  });

  test.each<[string, RequestListener, string]>([
    ['another program', (_, response) => response.end('<html>'), 'is no probe of this version'],
    ['another shape', (_, response) => response.end('{"services":[{"service":1}]}'), 'is no probe of this version'],
    ['no such page', (_, response) => response.writeHead(404).end(), 'status 404'],
    ['a token is missing', (_, response) => response.writeHead(401).end(), 'asks for its token'],
    ['silence', () => undefined, 'no answer within 0.2 s'],
    ['a broken answer', (request) => request.socket.destroy(), 'no probe answers at'],
  ])('%s is told in a sentence', async (_, listener, expected) => {
    const source = createRemoteSource({ url: await serve(listener), token: undefined, timeoutMs: 200 });
    await expect(source.read()).rejects.toMatchObject({ code: 'SONDE_NO_PROBE' });
    await expect(source.read()).rejects.toThrow(expected);
    source.close();
  });

  test('an answer without end is not kept', async () => {
    const url = await serve((_, response) => {
      const piece = ' '.repeat(1 << 20);
      const more = (): void => {
        if (!response.destroyed) response.write(piece, more);
      };
      more();
    });
    const source = createRemoteSource({ url, token: undefined, timeoutMs: 10_000 });
    await expect(source.read()).rejects.toThrow('too long');
    source.close();
  });
});

describe('its exchanges', () => {
  test('are asked for by what the view calls them; what is no exchange is passed over', async () => {
    let asked = '';
    const line = JSON.stringify(exchangeLine({ resource: '/1' }));
    const url = await serve((request, response) => {
      asked = request.url ?? '';
      response.write(line.slice(0, 10));
      setImmediate(() => response.end(`${line.slice(10)}\n{"lost":3}\nnot json\nnull\n`));
    });
    const seen: unknown[] = [];
    const ends: string[] = [];
    followExchanges({ url, token: undefined })(
      { service: 'shop', route: 'GET /a' },
      { onExchange: (exchange) => seen.push(exchange.resource), onEnd: (reason) => ends.push(reason) },
    );
    await until(() => ends.length > 0, { what: 'the end' });
    const query = new URL(asked, url).searchParams;
    expect(Object.fromEntries(query)).toEqual({ follow: '1', service: 'shop', route: 'GET /a' });
    expect(seen).toEqual(['/1']);
    expect(ends[0]).toContain('has ended the list');
  });

  test('end with a reason, but not when they were ended here', async () => {
    const ends: string[] = [];
    const follower = { onExchange: () => undefined, onEnd: (reason: string) => ends.push(reason) };
    const refused = await serve((_, response) => response.writeHead(503).end());
    followExchanges({ url: refused, token: undefined })({}, follower);
    await until(() => ends.length === 1, { what: 'the refusal' });
    let closed = false;
    const open = await serve((request, response) => {
      response.flushHeaders();
      request.socket.once('close', () => {
        closed = true;
      });
      response.write('x'.repeat(10));
    });
    const stop = followExchanges({ url: open, token: undefined })({}, follower);
    await until(
      async () => {
        const [server] = servers.slice(-1);
        return new Promise<boolean>((resolve) => server?.getConnections((_, count) => resolve(count > 0)));
      },
      { what: 'the connection' },
    );
    stop();
    await until(() => closed, { what: 'the close' });
    expect(ends).toHaveLength(1);
  });
});

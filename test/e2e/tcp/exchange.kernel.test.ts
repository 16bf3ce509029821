import { get } from 'node:http';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import type { ExchangeLine } from '../../traffic/sonde.ts';
import { listenAt, setStage, type Stage } from './stage.ts';

let scene: Scene;
let stage: Stage;
/** What GET /exchanges shows. */
const followed: ExchangeLine[] = [];

beforeAll(async () => {
  scene = await createScene();
  stage = await setStage(scene, { lines: true });
  await new Promise<void>((resolve, reject) => {
    const request = get(`${stage.sonde.controlUrl}/exchanges?follow=1`, { agent: false }, (response) => {
      const lines = createInterface({ input: response });
      // The test breaks it off at its end.
      for (const source of [response, lines]) source.on('error', () => undefined);
      lines.on('line', (line) => followed.push(JSON.parse(line) as ExchangeLine));
      resolve();
    });
    request.on('error', reject);
    scene.onEnd(() => void request.destroy());
  });
});
afterAll(async () => scene?.end());

const request = (path: string, length = 0) =>
  `${length === 0 ? 'GET' : 'POST'} ${path} HTTP/1.1\r\nHost: far\r\nContent-Length: ${length}\r\n\r\n`;
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

async function ask(name: string, path: string): Promise<void> {
  const { near, far } = stage;
  const text = request(path);
  await near.ask('send_text', name, text);
  expect(await far.ask('receive', name, text.length)).toBe(text.length);
}

async function answer(name: string): Promise<void> {
  await stage.far.ask('send_text', name, RESPONSE);
  expect(await stage.near.ask('receive', name, RESPONSE.length)).toBe(RESPONSE.length);
}

/** The lines of both roles of each path, as stdout and as GET /exchanges tell them: they must be the same. */
async function lines(port: number, count: number): Promise<ExchangeLine[]> {
  const here = (): ExchangeLine[] => followed.filter(({ dst }) => dst.endsWith(`:${port}`));
  await until(() => stage.sonde.at(port).length >= count && here().length >= count, {
    what: `${count} lines`,
    timeoutMs: 15_000,
  });
  await stage.sonde.settle();
  const printed = stage.sonde.at(port);
  expect(printed).toHaveLength(count);
  expect(here()).toEqual(printed);
  return printed;
}

const of = (all: readonly ExchangeLine[], role: string, resource: string): ExchangeLine => {
  const found = all.find((line) => line.role === role && line.attributes['url.path'] === resource);
  if (found === undefined) throw new Error(`no ${role} line of ${resource}: ${JSON.stringify(all)}`);
  return found;
};

test.each([['IPv4'], ['IPv6']])(
  'a request that was sent again says so, those around it do not: %s',
  async (version) => {
    const { network, near } = stage;
    const address = version === 'IPv4' ? network.farAddress : network.farAddress6;
    const port = await listenAt(stage, address);
    await stage.connect('c', address, port);
    await ask('c', '/before');
    await answer('c');
    const before = (await near.info('c')).total_retrans;
    const hole = network.drop(network.far, `tcp dport ${port} limit rate 1/hour burst 1 packets`);
    await ask('c', '/lost');
    hole.end();
    const again = (await near.info('c')).total_retrans - before;
    await answer('c');
    await ask('c', '/after');
    await answer('c');
    const all = await lines(port, 6);
    expect(again).toBeGreaterThan(0);
    expect({
      before: of(all, 'client', '/before').attributes['net.retransmits'],
      lost: of(all, 'client', '/lost').attributes['net.retransmits'],
      after: of(all, 'client', '/after').attributes['net.retransmits'],
      // It did not send anything again.
      server: of(all, 'server', '/lost').attributes['net.retransmits'],
    }).toEqual({ before: undefined, lost: again, after: undefined, server: undefined });
  },
);

test('the round trip of a connection that was measured before', async () => {
  const { network, near } = stage;
  const port = await listenAt(stage, network.farAddress);
  await stage.connect('rtt', network.farAddress, port);
  await ask('rtt', '/first');
  await answer('rtt');
  const { rtt } = await until(
    async () => {
      const info = await near.info('rtt');
      return info.unacked === 0 && info;
    },
    { what: 'all is acknowledged' },
  );
  await stage.page(
    (samples) =>
      samples.some(
        ({ name, labels, value }) =>
          name === 'sonde_tcp_rtt_seconds_count' &&
          labels.server_port === String(port) &&
          labels.role === 'client' &&
          value > 0,
      ),
    'it is measured',
  );
  await ask('rtt', '/second');
  await answer('rtt');
  const all = await lines(port, 4);
  expect(of(all, 'client', '/second').attributes['net.rtt']).toBe(rtt * 1000);
});

test('a server that stops reading: both ends tell how long, at least', async () => {
  const { network, near, far } = stage;
  const port = await listenAt(stage, network.farAddress, { receiveBuffer: 8192 });
  await stage.connect('slow', network.farAddress, port);
  const started = performance.now();
  const size = 8_000_000;
  const head = request('/upload', size);
  await near.ask('send_text', 'slow', head);
  // The server knows of the request before it stops.
  expect(await far.ask('receive', 'slow', head.length)).toBe(head.length);
  const stopped = performance.now();
  const sending = near.ask('send', 'slow', size);
  await stage.page(
    (samples) =>
      samples.some(
        ({ name, labels, value }) =>
          name === 'sonde_tcp_zero_window_seconds_total' &&
          labels.server_port === String(port) &&
          labels.side === 'receive' &&
          value > 1,
      ),
    'the window has been closed for a second',
  );
  const closed = (performance.now() - stopped) * 1e6;
  expect(await far.ask('receive', 'slow', size)).toBe(size);
  await sending;
  // The server thinks for a while: with its window open.
  await stage.sonde.settle();
  await answer('slow');
  const elapsed = (performance.now() - started) * 1e6;
  const all = await lines(port, 2);
  for (const role of ['client', 'server']) {
    const { attributes, duration_ns: duration } = of(all, role, '/upload');
    const told = Number(attributes['net.zero_window_ns']);
    expect(told).toBeGreaterThan(1e9);
    if (role === 'server') expect(told).toBeLessThanOrEqual(closed);
    expect(told).toBeLessThanOrEqual(duration);
    expect(duration).toBeLessThan(elapsed);
  }
});

test('a reset in the middle of a request: sent by one end, received by the other', async () => {
  const { network, near, far } = stage;
  const port = await listenAt(stage, network.farAddress);
  await stage.connect('r', network.farAddress, port);
  await ask('r', '/fine');
  await answer('r');
  await ask('r', '/broken');
  await far.ask('reset', 'r');
  expect(await near.ask('receive_error', 'r')).toBe('ECONNRESET');
  await near.ask('close', 'r');
  const all = await lines(port, 4);
  expect({
    client: of(all, 'client', '/broken').attributes['net.reset'],
    server: of(all, 'server', '/broken').attributes['net.reset'],
    before: [of(all, 'client', '/fine'), of(all, 'server', '/fine')].map(({ attributes }) => attributes['net.reset']),
    status: of(all, 'client', '/broken').status,
  }).toEqual({ client: 'received', server: 'sent', before: [undefined, undefined], status: null });
});

test('a response that was sent again: the server had answered, and only the client’s wait tells of it', async () => {
  const { network, near, far } = stage;
  const port = await listenAt(stage, network.farAddress);
  await stage.connect('response', network.farAddress, port);
  await ask('response', '/early');
  await answer('response');
  await ask('response', '/answered');
  const hole = network.drop(network.near, `tcp sport ${port} tcp flags psh limit rate 1/hour burst 1 packets`);
  await answer('response');
  expect(hole.packets()).toBe(1);
  hole.end();
  const { total_retrans: again } = await far.info('response');
  // Of its own accord, where a busy machine answered too late.
  const { total_retrans: asked } = await near.info('response');
  await near.ask('close', 'response');
  await far.ask('close', 'response');
  const labels = { role: 'server', server_port: String(port) };
  expect(await stage.expectSum('sonde_tcp_retransmits_total', labels, again)).toBe(again);
  const all = await lines(port, 4);
  const [client, server] = [of(all, 'client', '/answered'), of(all, 'server', '/answered')];
  expect(server.attributes).not.toHaveProperty(['net.retransmits']);
  if (asked === 0) expect(client.attributes).not.toHaveProperty(['net.retransmits']);
  // The kernel waits for 200 ms at least before it sends a lone segment again.
  expect(client.duration_ns - server.duration_ns).toBeGreaterThan(100e6);
});

test('a connection that waits to be accepted: the request lies in its socket for as long', async () => {
  const { network, near, far } = stage;
  const port = await listenAt(stage, network.farAddress);
  const text = request('/waited');
  await near.ask('connect', 'w', network.farAddress, port);
  await near.ask('send_text', 'w', text);
  const sent = performance.now();
  await stage.page(() => performance.now() - sent > 700, 'time passes');
  await far.ask('accept', 'w', `server ${port}`);
  expect(await far.ask('receive', 'w', text.length)).toBe(text.length);
  await answer('w');
  const all = await lines(port, 2);
  expect(of(all, 'server', '/waited').queue_ns).toBeGreaterThan(600e6);
});

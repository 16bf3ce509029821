import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startRelay, withoutTun } from '../../kernel/tcp/relay.ts';
import type { TcpInfo } from '../../kernel/tcp/peer.ts';
import { until } from '../../traffic/condition.ts';
import { sumOf } from '../../traffic/metrics.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { listenAt, setStage, socketStatistics, type Stage } from './stage.ts';

let scene: Scene;
let stage: Stage;

beforeAll(async () => {
  scene = await createScene();
  stage = await setStage(scene);
});
afterAll(async () => scene?.end());

const client = (port: number) => ({ role: 'client', server_port: String(port) });
const server = (port: number) => ({ role: 'server', server_port: String(port) });

/** Near has everything acknowledged. */
const settled = async (name: string): Promise<TcpInfo> =>
  await until(
    async () => {
      const info = await stage.near.info(name);
      return info.unacked === 0 && info;
    },
    { what: 'all is acknowledged', timeoutMs: 20_000 },
  );

async function transfer(name: string, size: number): Promise<void> {
  const sent = stage.near.ask('send', name, size);
  expect(await stage.far.ask('receive', name, size)).toBe(size);
  await sent;
}

async function close(name: string): Promise<void> {
  await stage.near.ask('close', name);
  await stage.far.ask('close', name);
}

test.each([['IPv4'], ['IPv6']])('loss: the page says what TCP_INFO, ss and nstat say: %s', async (version) => {
  const { network, near, far, expectSum } = stage;
  const address = version === 'IPv4' ? network.farAddress : network.farAddress6;
  const before = network.count(network.near, 'TcpRetransSegs');
  const port = await listenAt(stage, address);
  await stage.connect('loss', address, port);
  const loss = network.drop(network.far, `tcp dport ${port} tcp flags & (syn | fin | rst) == 0 numgen inc mod 7 == 3`);
  for (let i = 0; i < 20; i++) {
    await near.ask('send_pieces', 'loss', 3, 1000);
    await far.ask('receive', 'loss', 3000);
  }
  const dropped = loss.packets();
  loss.end();
  await transfer('loss', 1);
  const said = await settled('loss');
  const heard = await far.info('loss');
  const shown = socketStatistics(network, network.near, port);
  const again = network.count(network.near, 'TcpRetransSegs') - before;
  await close('loss');
  expect(said.total_retrans).toBeGreaterThan(3);
  expect(await expectSum('sonde_tcp_closes_total', client(port), 1)).toBe(1);
  expect(await expectSum('sonde_tcp_retransmits_total', client(port), said.total_retrans)).toBe(said.total_retrans);
  const page = await stage.page(
    (samples) => sumOf(samples, 'sonde_tcp_drops_total', { server_port: String(port) }) >= dropped,
    'the drops are told',
  );
  const here = (name: string, more = {}) => sumOf(page, name, { ...client(port), ...more });
  const there = (name: string) => sumOf(page, name, server(port));
  expect({
    segments: here('sonde_tcp_retransmits_total'),
    bytes: here('sonde_tcp_retransmitted_bytes_total'),
    sent: here('sonde_tcp_sent_bytes_total'),
    spurious: here('sonde_tcp_spurious_retransmits_total'),
    unknown: here('sonde_tcp_retransmits_total', { cause: 'unknown' }),
    received: there('sonde_tcp_received_bytes_total'),
    outOfOrder: there('sonde_tcp_out_of_order_segments_total'),
    dropped: sumOf(page, 'sonde_tcp_drops_total', { server_port: String(port), reason: 'netfilter_drop' }),
  }).toEqual({
    segments: said.total_retrans,
    bytes: said.bytes_retrans,
    sent: said.bytes_sent,
    spurious: said.dsack_dups,
    unknown: 0,
    received: heard.bytes_received,
    outOfOrder: heard.rcv_ooopack,
    dropped,
  });
  expect(here('sonde_tcp_loss_probes_total')).toBe(here('sonde_tcp_retransmits_total', { cause: 'probe' }));
  expect(here('sonde_tcp_retransmits_total')).toBe(again);
  expect(shown).toMatchObject({
    retrans: `0/${here('sonde_tcp_retransmits_total')}`,
    bytes_retrans: String(here('sonde_tcp_retransmitted_bytes_total')),
    bytes_sent: String(here('sonde_tcp_sent_bytes_total')),
  });
});

test('a reader that stops: how long the sender waited for it', async () => {
  const { network, near, far } = stage;
  const port = await listenAt(stage, network.farAddress, { receiveBuffer: 8192 });
  const started = performance.now();
  await stage.connect('slow', network.farAddress, port);
  const filled = await near.ask<number>('fill', 'slow');
  await stage.page(
    (samples) => sumOf(samples, 'sonde_tcp_zero_window_seconds_total', { ...server(port), side: 'receive' }) > 1,
    'the receiver’s window has been closed for a second',
  );
  const open = await stage.page(
    (samples) => sumOf(samples, 'sonde_tcp_unsent_bytes', client(port)) > 0,
    'what waits is shown',
  );
  const waiting =
    sumOf(open, 'sonde_tcp_unread_bytes', server(port)) + sumOf(open, 'sonde_tcp_unsent_bytes', client(port));
  // What is under way, or was put aside, is in neither.
  expect(waiting).toBeLessThanOrEqual(filled);
  expect(sumOf(open, 'sonde_tcp_unread_bytes', server(port))).toBeGreaterThan(0);
  const said = await near.info('slow');
  expect(await far.ask('receive', 'slow', filled)).toBe(filled);
  const after = await settled('slow');
  await close('slow');
  const elapsed = (performance.now() - started) / 1000;
  const page = await stage.page(
    (samples) => sumOf(samples, 'sonde_tcp_closes_total', { server_port: String(port) }) === 2,
    'both ends are closed',
  );
  const seconds = (side: string, labels: Record<string, string>) =>
    sumOf(page, 'sonde_tcp_zero_window_seconds_total', { ...labels, side });
  const sender = seconds('send', client(port));
  expect(sender).toBeGreaterThanOrEqual(said.rwnd_limited / 1e6);
  // A tick of the kernel's clock is 10 ms at most.
  expect(sender).toBeLessThanOrEqual(after.rwnd_limited / 1e6 + 0.02);
  expect(sumOf(page, 'sonde_tcp_receiver_limited_seconds_total', client(port))).toBe(sender);
  expect(sumOf(page, 'sonde_tcp_busy_seconds_total', client(port))).toBeGreaterThanOrEqual(sender);
  expect(seconds('receive', server(port))).toBeGreaterThan(1);
  expect(seconds('receive', server(port))).toBeLessThan(elapsed);
  expect(seconds('receive', client(port))).toBe(0);
  expect(sumOf(page, 'sonde_tcp_unsent_bytes', { server_port: String(port) })).toBe(0);
});

test.each([['IPv4'], ['IPv6']])('a full accept queue: how full, and who was turned away: %s', async (version) => {
  const { network, near, far, expectSum } = stage;
  const address = version === 'IPv4' ? network.farAddress : network.farAddress6;
  network.limitSyns(network.near);
  const before = network.count(network.far, 'TcpExtListenOverflows');
  const port = await listenAt(stage, address, { backlog: 1 });
  // One more than the backlog is let in.
  await near.ask('connect', 'first', address, port);
  await near.ask('connect', 'second', address, port);
  expect(await near.ask('connect', 'third', address, port)).toBe('ETIMEDOUT');
  const turnedAway = network.count(network.far, 'TcpExtListenOverflows') - before;
  expect(turnedAway).toBeGreaterThanOrEqual(2);
  const labels = { server_address: address, server_port: String(port) };
  expect(await expectSum('sonde_tcp_listen_overflows_total', labels, turnedAway)).toBe(turnedAway);
  expect(await expectSum('sonde_tcp_listen_backlog', labels, 2)).toBe(2);
  expect(await expectSum('sonde_tcp_listen_backlog_limit', labels, 1)).toBe(1);
  await far.ask('accept', 'first', `server ${port}`);
  await far.ask('accept', 'second', `server ${port}`);
  expect(await expectSum('sonde_tcp_listen_backlog', labels, 0)).toBe(0);
  await close('first');
  await close('second');
});

test('sockets that share a port: their queues are told together', async () => {
  const { network, near, far, expectSum } = stage;
  const port = stage.port();
  await far.ask('listen_shared', 'one', network.farAddress, port, 5);
  await far.ask('listen_shared', 'other', network.farAddress, port, 7);
  for (let i = 0; i < 6; i++) await near.ask('connect', `shared ${i}`, network.farAddress, port);
  const labels = { server_address: network.farAddress, server_port: String(port) };
  expect(await expectSum('sonde_tcp_listen_backlog', labels, 6)).toBe(6);
  expect(await expectSum('sonde_tcp_listen_backlog_limit', labels, 12)).toBe(12);
  const series = (await stage.sonde.scrape()).filter(
    ({ name, labels: each }) => name === 'sonde_tcp_listen_backlog' && each.server_port === String(port),
  );
  expect(series).toHaveLength(1);
  for (let i = 0; i < 6; i++) await near.ask('close', `shared ${i}`);
  await far.ask('close', 'one');
  await far.ask('close', 'other');
});

const refused = withoutTun();

describe.skipIf(refused !== undefined)(
  `a path with delay and disorder${refused === undefined ? '' : `: ${refused}`}`,
  () => {
    test('round trips, disorder and vain retransmissions are those that TCP_INFO tells of', async () => {
      const { near, far, network } = stage;
      const relay = await startRelay(scene, network);
      await relay.disturb({ delay: 0.03 });
      const port = await listenAt(stage, relay.farAddress);
      await stage.connect('far away', relay.farAddress, port);
      for (let i = 0; i < 3; i++) await transfer('far away', 1000);
      await relay.disturb({ swap: 5 });
      await transfer('far away', 100_000);
      await settled('far away');
      // Longer than the kernel waits for an acknowledgement.
      await relay.disturb({ swap: 0, delay: 0.7 });
      await transfer('far away', 1000);
      await until(
        async () => {
          const info = await near.info('far away');
          return info.unacked === 0 && info.dsack_dups > 0;
        },
        { what: 'the receiver says that it had it', timeoutMs: 20_000 },
      );
      await relay.disturb({ delay: 0.03 });
      await transfer('far away', 1);
      const said = await settled('far away');
      const heard = await far.info('far away');
      await close('far away');
      const page = await stage.page(
        (samples) => sumOf(samples, 'sonde_tcp_closes_total', { server_port: String(port) }) === 2,
        'both ends are closed',
      );
      expect({
        retransmits: sumOf(page, 'sonde_tcp_retransmits_total', client(port)),
        spurious: sumOf(page, 'sonde_tcp_spurious_retransmits_total', client(port)),
        reordered: sumOf(page, 'sonde_tcp_reordering_events_total', client(port)),
        outOfOrder: sumOf(page, 'sonde_tcp_out_of_order_segments_total', server(port)),
        outOfOrderHere: sumOf(page, 'sonde_tcp_out_of_order_segments_total', client(port)),
      }).toEqual({
        retransmits: said.total_retrans,
        spurious: said.dsack_dups,
        reordered: said.reord_seen,
        outOfOrder: heard.rcv_ooopack,
        outOfOrderHere: 0,
      });
      expect(heard.rcv_ooopack).toBeGreaterThan(0);
      const connect = sumOf(page, 'sonde_tcp_connect_duration_seconds_sum', client(port));
      expect(connect).toBeGreaterThan(0.059);
      for (const name of ['sonde_tcp_rtt_seconds', 'sonde_tcp_min_rtt_seconds']) {
        const samples = sumOf(page, `${name}_count`, client(port));
        expect(samples).toBeGreaterThan(0);
        expect(sumOf(page, `${name}_bucket`, { ...client(port), le: '0.05' })).toBe(0);
        expect(sumOf(page, `${name}_sum`, client(port)) / samples).toBeGreaterThanOrEqual(said.min_rtt / 1e6);
      }
    });
  },
);

import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadAddon } from '../../../src/receiver/kernel/addon.ts';
import { until } from '../../traffic/condition.ts';
import { lawOf, sumOf } from '../../traffic/metrics.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { listenAt, promtoolComplaints, setStage, type Stage } from './stage.ts';

let scene: Scene;
let stage: Stage;
/** All ports that kernels picked for clients. */
const ephemeral = new Set<string>();

beforeAll(async () => {
  scene = await createScene();
  stage = await setStage(scene);
  stage.network.limitSyns(stage.network.near);
});
afterAll(async () => scene?.end());

/** The kernel gives no reasons of resets until 6.10. */
const reason = (name: string) => (loadAddon().kernelEnum('sk_rst_reason') === undefined ? {} : { reason: name });

interface Version {
  readonly address: string;
  readonly nearAddress: string;
}
const versions = (['IPv4', 'IPv6'] as const).map((version) => [version] as const);
const ends = (version: 'IPv4' | 'IPv6'): Version => {
  const { farAddress, farAddress6, nearAddress } = stage.network;
  return version === 'IPv4'
    ? { address: farAddress, nearAddress }
    : { address: farAddress6, nearAddress: farAddress6.replace(/2$/, '1') };
};
const client = (address: string, port: number) => ({
  role: 'client',
  network_peer_address: address,
  server_port: String(port),
});
const server = (address: string, port: number) => ({
  role: 'server',
  network_peer_address: address,
  server_port: String(port),
});

test.each(versions)('connects and accepts, how long they took, and what is open: %s', async (version) => {
  const { address, nearAddress } = ends(version);
  const { near, far, expectSum } = stage;
  const started = performance.now();
  const port = await listenAt(stage, address);
  for (const name of ['a', 'b', 'c']) ephemeral.add(String(await stage.connect(name, address, port)));
  // One that does not wait for its connect.
  expect(await near.ask('connect_later', 'd', address, port)).toBe('EINPROGRESS');
  await far.ask('accept', 'd', `server ${port}`);
  await near.ask('send', 'a', 1000);
  const here = client(address, port);
  const there = server(nearAddress, port);
  expect(await expectSum('sonde_tcp_connects_total', { ...here, result: 'ok' }, 4)).toBe(4);
  expect(await expectSum('sonde_tcp_accepts_total', there, 4)).toBe(4);
  expect(await expectSum('sonde_tcp_connections', here, 4)).toBe(4);
  expect(await expectSum('sonde_tcp_connections', there, 4)).toBe(4);
  expect(await expectSum('sonde_tcp_unread_bytes', there, 1000)).toBe(1000);
  await far.ask('receive', 'a', 1000);
  for (const name of ['a', 'b']) {
    await near.ask('close', name);
    await far.ask('close', name);
  }
  for (const name of ['c', 'd']) {
    await far.ask('close', name);
    await near.ask('close', name);
  }
  const elapsed = (performance.now() - started) / 1000;
  expect(await expectSum('sonde_tcp_closes_total', here, 4)).toBe(4);
  expect(await expectSum('sonde_tcp_closes_total', there, 4)).toBe(4);
  const page = await stage.page(
    (samples) => sumOf(samples, 'sonde_tcp_connections', { server_port: String(port) }) === 0,
    'none is open',
  );
  expect({
    closedHere: sumOf(page, 'sonde_tcp_closes_total', { ...here, side: 'local', reason: 'fin' }),
    closedThere: sumOf(page, 'sonde_tcp_closes_total', { ...here, side: 'remote', reason: 'fin' }),
    asTheServerSawIt: sumOf(page, 'sonde_tcp_closes_total', { ...there, side: 'local', reason: 'fin' }),
    durations: sumOf(page, 'sonde_tcp_connection_duration_seconds_count', here),
    connects: sumOf(page, 'sonde_tcp_connect_duration_seconds_count', here),
    ofServers: sumOf(page, 'sonde_tcp_connect_duration_seconds_count', there),
    unread: sumOf(page, 'sonde_tcp_unread_bytes', { server_port: String(port) }),
    sent: sumOf(page, 'sonde_tcp_sent_bytes_total', here),
    received: sumOf(page, 'sonde_tcp_received_bytes_total', there),
    again: sumOf(page, 'sonde_tcp_retransmits_total', here),
  }).toEqual({
    closedHere: 2,
    closedThere: 2,
    asTheServerSawIt: 2,
    durations: 4,
    connects: 4,
    ofServers: 0,
    unread: 0,
    sent: 1000,
    received: 1000,
    again: 0,
  });
  const connecting = sumOf(page, 'sonde_tcp_connect_duration_seconds_sum', here);
  expect(connecting).toBeGreaterThan(0);
  expect(connecting).toBeLessThan(elapsed);
  expect(sumOf(page, 'sonde_tcp_connection_duration_seconds_sum', here)).toBeLessThan(4 * elapsed);
});

test.each(versions)('a closed port: refused, and the reset that says so at both ends: %s', async (version) => {
  const { address, nearAddress } = ends(version);
  const port = stage.port();
  const before = stage.network.count(stage.network.far, 'TcpOutRsts');
  await stage.near.ask('refused', address, port, 3);
  const here = client(address, port);
  expect(await stage.expectSum('sonde_tcp_connects_total', { ...here, result: 'refused' }, 3)).toBe(3);
  const received = { ...here, side: 'received' };
  expect(await stage.expectSum('sonde_tcp_resets_total', received, 3)).toBe(3);
  const sent = { network_peer_address: nearAddress, server_port: String(port), side: 'sent', ...reason('no_socket') };
  expect(await stage.expectSum('sonde_tcp_resets_total', sent, 3)).toBe(3);
  expect(stage.network.count(stage.network.far, 'TcpOutRsts') - before).toBe(3);
  const page = await stage.sonde.scrape();
  // Nobody’s: without a service.
  expect(
    page.find(
      ({ name, labels }) =>
        name === 'sonde_tcp_resets_total' && labels.side === 'sent' && labels.server_port === String(port),
    )?.labels,
  ).not.toHaveProperty('service_name');
  expect(sumOf(page, 'sonde_tcp_closes_total', here)).toBe(0);
});

test.each(versions)('a black hole: SYNs are sent again, then the connect times out: %s', async (version) => {
  const { address, nearAddress } = ends(version);
  const { near, network, expectSum } = stage;
  const port = await listenAt(stage, address);
  const hole = network.drop(network.far, `tcp dport ${port}`);
  const started = performance.now();
  expect(await near.ask('connect', 'lost', address, port)).toBe('ETIMEDOUT');
  const elapsed = (performance.now() - started) / 1000;
  const here = client(address, port);
  expect(await expectSum('sonde_tcp_connects_total', { ...here, result: 'timeout' }, 1)).toBe(1);
  expect(await expectSum('sonde_tcp_retransmits_total', { ...here, cause: 'syn' }, 1)).toBe(1);
  expect(hole.packets()).toBe(2);
  const dropped = { network_peer_address: nearAddress, server_port: String(port), reason: 'netfilter_drop' };
  expect(await expectSum('sonde_tcp_drops_total', dropped, 2)).toBe(2);
  const page = await stage.sonde.scrape();
  const took = sumOf(page, 'sonde_tcp_connect_duration_seconds_sum', { ...here, result: 'timeout' });
  expect(took).toBeGreaterThan(2);
  expect(took).toBeLessThanOrEqual(elapsed);
  // The application gives up sooner.
  await near.ask('connect_later', 'impatient', address, port);
  await near.ask('close', 'impatient');
  expect(await expectSum('sonde_tcp_connects_total', { ...here, result: 'timeout' }, 2)).toBe(2);
  hole.end();
  expect(await expectSum('sonde_tcp_connections', here, 0)).toBe(0);
});

test('what a firewall turns away, and a neighbour that does not answer, is unreachable', async () => {
  const { near, network, expectSum } = stage;
  const port = stage.port();
  network.run(network.far, 'nft', [
    'add table inet refusing; add chain inet refusing c { type filter hook input priority 0; }; ' +
      `add rule inet refusing c tcp dport ${port} reject with icmpx type host-unreachable`,
  ]);
  for (const version of ['IPv4', 'IPv6'] as const) {
    const { address } = ends(version);
    expect(await near.ask('connect', 'turned', address, port)).toBe('EHOSTUNREACH');
    const labels = { ...client(address, port), result: 'unreachable' };
    expect(await expectSum('sonde_tcp_connects_total', labels, 1)).toBe(1);
  }
  // TCP itself must not give up before the neighbour is given up.
  network.run(network.near, 'sysctl', ['-qw', 'net.ipv4.neigh.cable.mcast_solicit=1', 'net.ipv4.tcp_syn_retries=6']);
  expect(await near.ask('connect', 'nobody', '10.77.0.99', port)).toBe('EHOSTUNREACH');
  const labels = { ...client('10.77.0.99', port), result: 'unreachable' };
  expect(await expectSum('sonde_tcp_connects_total', labels, 1)).toBe(1);
});

test('no route at all: the kernel says so before TCP begins, and no connect counts', async () => {
  const { near } = stage;
  const port = stage.port();
  expect(await near.ask('connect', 'nowhere', '203.0.113.9', port)).toBe('ENETUNREACH');
  await stage.sonde.settle();
  expect(sumOf(await stage.sonde.scrape(), 'sonde_tcp_connects_total', { server_port: String(port) })).toBe(0);
});

test.each(versions)('SO_LINGER 0: who reset, and who was reset: %s', async (version) => {
  const { address, nearAddress } = ends(version);
  const { near, far, expectSum } = stage;
  const port = await listenAt(stage, address);
  ephemeral.add(String(await stage.connect('r', address, port)));
  await near.ask('send', 'r', 10);
  await far.ask('receive', 'r', 10);
  await near.ask('reset', 'r');
  expect(await far.ask('receive_error', 'r')).toBe('ECONNRESET');
  await far.ask('close', 'r');
  const here = client(address, port);
  const there = server(nearAddress, port);
  expect(await expectSum('sonde_tcp_resets_total', { ...here, side: 'sent', ...reason('tcp_state') }, 1)).toBe(1);
  expect(await expectSum('sonde_tcp_resets_total', { ...there, side: 'received' }, 1)).toBe(1);
  expect(await expectSum('sonde_tcp_closes_total', { ...here, side: 'local', reason: 'reset' }, 1)).toBe(1);
  expect(await expectSum('sonde_tcp_closes_total', { ...there, side: 'remote', reason: 'reset' }, 1)).toBe(1);
  const page = await stage.sonde.scrape();
  expect(sumOf(page, 'sonde_tcp_resets_total', { server_port: String(port) })).toBe(2);
  expect(sumOf(page, 'sonde_tcp_closes_total', { server_port: String(port) })).toBe(2);
});

test('retransmissions that run out: the connection has timed out, closed by nobody', async () => {
  const { near, network, expectSum } = stage;
  const { address } = ends('IPv4');
  const port = await listenAt(stage, address);
  network.run(network.near, 'sysctl', ['-qw', 'net.ipv4.tcp_retries2=2']);
  ephemeral.add(String(await stage.connect('t', address, port)));
  const hole = network.drop(network.far, `tcp dport ${port}`);
  await near.ask('send', 't', 10);
  expect(await near.ask('receive_error', 't')).toBe('ETIMEDOUT');
  hole.end();
  await near.ask('close', 't');
  const here = client(address, port);
  expect(await expectSum('sonde_tcp_closes_total', { ...here, reason: 'timeout' }, 1)).toBe(1);
  const closes = (await stage.sonde.scrape()).filter(
    ({ name, labels }) =>
      name === 'sonde_tcp_closes_total' && labels.role === 'client' && labels.server_port === String(port),
  );
  expect(closes.map(({ labels }) => labels.side)).toEqual([undefined]);
});

test('nothing that was told of these connections was lost on the way', async () => {
  const stages = lawOf(await stage.sonde.scrape()).filter(({ stage: name }) => name === 'tcp' || name === 'window.tcp');
  expect(stages).toHaveLength(2);
  for (const { stage: name, produced, delivered, inFlight, dropped } of stages) {
    expect({ name, produced, lost: Object.values(dropped).reduce((all, each) => all + each, 0) }).toEqual({
      name,
      produced: delivered + inFlight,
      lost: 0,
    });
    expect(produced).toBeGreaterThan(50);
  }
});

test('each series names a port that serves, whatever happened; the page is a page', async () => {
  const { sonde } = stage;
  const series = (await sonde.scrape()).filter(({ name }) => /^sonde_(tcp|udp)_/.test(name));
  expect(ephemeral.size).toBeGreaterThan(5);
  const ports = new Set(series.map(({ labels }) => labels.server_port ?? 'none'));
  expect([...ports].filter((port) => port === 'none' || Number(port) >= 32_768 || ephemeral.has(port))).toEqual([]);
  expect(ports.size).toBeGreaterThan(8);
  const text = await until(
    async () => {
      const response = await fetch(sonde.metricsUrl);
      return response.ok && (await response.text());
    },
    { what: 'the page' },
  );
  const complaints = promtoolComplaints(text);
  if (complaints !== undefined) expect(complaints).toBe('');
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { TCP_EVENT } from '../../../src/model/record.gen.ts';
import { loadAddon } from '../../../src/receiver/kernel/addon.ts';
import { until } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { createNetwork, type Network } from './network.ts';
import { type Peer, startPeer } from './peer.ts';
import { startTcpRecorder, type TcpRecorder } from './tcp-recorder.ts';

const reasons = loadAddon().kernelEnum('skb_drop_reason') ?? {};
const numberOf = (name: string): number =>
  Number(Object.entries(reasons).find(([, each]) => each === `SKB_DROP_REASON_${name}`)?.[0]);

let scene: Scene;
let network: Network;
let near: Peer;
let far: Peer;
let recorder: TcpRecorder;

beforeEach(async () => {
  scene = await createScene();
  network = createNetwork(scene);
  near = startPeer(scene, network.near);
  far = startPeer(scene, network.far);
});
afterEach(async () => scene?.end());

const drops = (port: number) =>
  recorder.events.filter(
    ({ event, localPort, remotePort }) => event === TCP_EVENT.drop && [localPort, remotePort].includes(port),
  );

test.each([['IPv4'], ['IPv6']])('what the firewall drops is counted and told with the reason: %s', async (version) => {
  const address = version === 'IPv4' ? network.farAddress : network.farAddress6;
  recorder = startTcpRecorder(scene, { namespaces: network.numbers });
  const port = await far.listen('server', address);
  const local = await near.ask<number>('connect', 'c', address, port);
  await far.ask('accept', 's', 'server');
  const rule = network.drop(network.far, `tcp dport ${port}`);
  await near.ask('send', 'c', 500);
  await until(() => rule.packets() >= 3, { what: 'retransmissions are dropped as well' });
  await near.ask('reset', 'c');
  const dropped = rule.packets();
  rule.end();
  const netfilter = numberOf('NETFILTER_DROP');
  await until(() => drops(port).length >= dropped, { what: 'they are told' });
  // It has said nothing so far: the sweep leaves it to its first call for a while.
  await until(() => recorder.at(port), { what: 'the silent end is announced' });
  await recorder.receiver.stop();
  const told = drops(port).filter(({ cause }) => cause === netfilter);
  expect(told).toHaveLength(dropped);
  expect(recorder.receiver.tcpDrops().get(netfilter)).toBeGreaterThanOrEqual(dropped);
  for (const drop of told) {
    expect(drop).toMatchObject({ localPort: port, remotePort: local, family: version === 'IPv4' ? 4 : 6 });
    expect(drop.netns).toBe(recorder.at(port)?.netns);
    expect(drop.amount).toBeGreaterThan(0);
  }
});

test('plain traffic drops nothing: connections that open, talk and close in every order', async () => {
  recorder = startTcpRecorder(scene, { namespaces: network.numbers });
  const port = await far.listen('server', network.farAddress);
  for (let i = 0; i < 20; i++) {
    await near.ask('connect', 'c', network.farAddress, port);
    await far.ask('accept', 's', 'server');
    await near.ask('send', 'c', 5000);
    await far.ask('receive', 's', 5000);
    await far.ask('send', 's', 50_000);
    await near.ask('receive', 'c', 50_000);
    if (i % 2 === 0) await near.ask('close', 'c');
    await far.ask('close', 's');
    if (i % 2 === 1) await near.ask('close', 'c');
  }
  await until(() => [...recorder.sockets.values()].filter(({ closed }) => closed !== undefined).length >= 40, {
    what: 'all are closed',
  });
  await recorder.receiver.stop();
  expect(drops(port)).toEqual([]);
});

test('drops of a filtered port are in no count', async () => {
  const port = await far.listen('server', network.farAddress);
  recorder = startTcpRecorder(scene, { filter: { ports: { include: [], exclude: [port] } } });
  const rule = network.drop(network.far, `tcp dport ${port}`);
  await near.ask('connect_later', 'c', network.farAddress, port);
  await until(() => rule.packets() >= 1, { what: 'a SYN is dropped' });
  await recorder.receiver.stop();
  expect(drops(port)).toEqual([]);
});

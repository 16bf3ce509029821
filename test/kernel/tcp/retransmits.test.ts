import { afterEach, beforeEach, expect, test } from 'vitest';
import { CLOSE, KIND, RETRANSMIT, ROLE, TCP_EVENT } from '../../../src/model/record.gen.ts';
import { until } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { sum } from '../expectations.ts';
import { createNetwork, type Network } from './network.ts';
import { type Peer, startPeer } from './peer.ts';
import { startTcpRecorder, type TcpRecorder } from './tcp-recorder.ts';

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
  recorder = startTcpRecorder(scene, { namespaces: network.numbers });
});
afterEach(async () => scene?.end());

const of = (event: number) => recorder.events.filter((each) => each.event === event);

test('lost segments: the last record of a connection says what the kernel says, and each was told as it happened', async () => {
  const port = await far.listen('server', network.farAddress);
  const local = await near.ask<number>('connect', 'c', network.farAddress, port);
  await far.ask('accept', 's', 'server');
  const loss = network.drop(network.far, `tcp dport ${port} tcp flags & (syn | fin | rst) == 0 numgen inc mod 7 == 3`);
  for (let i = 0; i < 30; i++) {
    await near.ask('send_pieces', 'c', 3, 1000);
    await far.ask('receive', 's', 3000);
  }
  loss.end();
  await near.ask('send', 'c', 1);
  await far.ask('receive', 's', 1);
  const said = await until(
    async () => {
      const info = await near.info('c');
      return info.delivered >= info.data_segs_out - info.total_retrans && info;
    },
    { what: 'all is acknowledged' },
  );
  const heard = await far.info('s');
  await near.ask('close', 'c');
  await far.ask('close', 's');
  await until(() => recorder.at(local)?.closed !== undefined && recorder.at(port)?.closed !== undefined, {
    what: 'both ends closed',
  });
  await recorder.receiver.stop();

  expect(said.total_retrans).toBeGreaterThan(5);
  const client = recorder.at(local);
  const last = client?.quality.at(-1);
  expect({
    role: client?.role,
    retransmits: last?.retransmits,
    bytesRetransmitted: last?.bytesRetransmitted,
    bytesSent: last?.bytesSent,
    dataSegmentsOut: last?.dataSegmentsOut,
    spurious: last?.spurious,
    minRttUs: last?.minRttUs,
  }).toEqual({
    role: ROLE.client,
    retransmits: said.total_retrans,
    bytesRetransmitted: said.bytes_retrans,
    bytesSent: said.bytes_sent,
    dataSegmentsOut: said.data_segs_out,
    spurious: said.dsack_dups,
    minRttUs: said.min_rtt,
  });
  expect(last?.retransmits).toBe(network.count(network.near, 'TcpRetransSegs'));
  expect(last?.srttUs).toBeGreaterThan(0);
  expect(last?.busyUs).toBeGreaterThanOrEqual(said.busy_time);
  const server = recorder.at(port)?.quality.at(-1);
  expect({ bytesReceived: server?.bytesReceived, outOfOrder: server?.outOfOrder, unread: server?.unread }).toEqual({
    bytesReceived: heard.bytes_received,
    outOfOrder: heard.rcv_ooopack,
    unread: 0,
  });
  // Before the close record, while the index is still the socket's.
  expect(client?.kinds.slice(-2)).toEqual([KIND.tcp, KIND.close]);

  const events = of(TCP_EVENT.retransmit).filter(({ socket }) => socket === client?.id);
  expect(events.map(({ number }) => number)).toEqual(events.map((_, i) => i + 1));
  expect(sum(events.map(({ amount }) => amount))).toBe(said.bytes_retrans);
  expect(new Set(events.map(({ remotePort }) => remotePort))).toEqual(new Set([port]));
  const causes = events.map(({ cause }) => cause);
  expect(causes.every((cause) => cause !== RETRANSMIT.unknown && cause !== RETRANSMIT.syn)).toBe(true);
  expect(last?.lossProbes).toBe(causes.filter((cause) => cause === RETRANSMIT.probe).length);
});

test('a hole in a long stream is filled by fast retransmission, a silent peer by timeouts', async () => {
  const port = await far.listen('server', network.farAddress6);
  const local = await near.ask<number>('connect', 'c', network.farAddress6, port);
  await far.ask('accept', 's', 'server');
  await near.ask('send', 'c', 200_000);
  await far.ask('receive', 's', 200_000);
  const hole = network.drop(network.far, `tcp dport ${port} limit rate 1/hour burst 1 packets`);
  await near.ask('send', 'c', 200_000);
  await far.ask('receive', 's', 200_000);
  hole.end();
  await until(() => of(TCP_EVENT.retransmit).length > 0, { what: 'the hole is filled' });
  const filled = of(TCP_EVENT.retransmit);
  expect(filled.every(({ cause }) => cause === RETRANSMIT.fast || cause === RETRANSMIT.probe)).toBe(true);

  const silence = network.drop(network.far, `tcp dport ${port}`);
  await near.ask('send', 'c', 100);
  await until(() => of(TCP_EVENT.retransmit).some(({ cause }) => cause === RETRANSMIT.timeout), {
    what: 'a timeout',
  });
  silence.end();
  await far.ask('receive', 's', 100);
  const event = of(TCP_EVENT.retransmit).find(({ cause }) => cause === RETRANSMIT.timeout);
  expect(event).toMatchObject({ family: 6, localPort: local, remotePort: port, state: 1, amount: 100 });
  expect(event?.remoteAddress).toBe('fd770000000000000000000000000002');
});

test('a SYN into a black hole: retransmitted as often as the kernel may, then the connect fails', async () => {
  network.limitSyns(network.near);
  const port = await far.listen('server', network.farAddress);
  const hole = network.drop(network.far, `tcp dport ${port}`);
  expect(await near.ask('connect', 'c', network.farAddress, port)).toBe('ETIMEDOUT');
  expect(hole.packets()).toBe(2);
  const socket = await until(
    () => [...recorder.sockets.values()].find((each) => each.remotePort === port && each.closed !== undefined),
    { what: 'the connection is told of' },
  );
  const events = of(TCP_EVENT.retransmit);
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    cause: RETRANSMIT.syn,
    number: 1,
    socket: '0.0',
    state: 2,
    localPort: socket.localPort,
    remotePort: port,
    remoteAddress: '0a4d0002'.padEnd(32, '0'),
    netns: socket.netns,
  });
  expect(socket.closed).toEqual({ error: 110, reason: CLOSE.connectFailed });
  expect(socket.quality.map(({ retransmits, segmentsIn }) => ({ retransmits, segmentsIn }))).toEqual([
    { retransmits: 1, segmentsIn: 0 },
  ]);
  expect(network.count(network.near, 'TcpRetransSegs')).toBe(1);
});

test('a SYN-ACK that gets lost is told of although there is no connection yet', async () => {
  const port = await far.listen('server', network.farAddress);
  const hole = network.drop(network.near, `tcp sport ${port} limit rate 1/hour burst 1 packets`);
  const local = await near.ask<number>('connect', 'c', network.farAddress, port);
  await far.ask('accept', 's', 'server');
  expect(hole.packets()).toBe(1);
  await until(() => of(TCP_EVENT.retransmit).some(({ localPort }) => localPort === port), { what: 'it is told' });
  const event = of(TCP_EVENT.retransmit).find(({ localPort }) => localPort === port);
  expect(event).toMatchObject({ cause: RETRANSMIT.syn, remotePort: local, socket: '0.0', state: 3, family: 4 });
});

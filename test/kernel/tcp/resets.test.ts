import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CLOSE, TCP_EVENT } from '../../../src/model/record.gen.ts';
import { loadAddon } from '../../../src/receiver/kernel/addon.ts';
import { until } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { type Peer, startPeer } from './peer.ts';
import { startTcpRecorder, type TcpEvent, type TcpRecorder } from './tcp-recorder.ts';

let scene: Scene;
let peer: Peer;
let recorder: TcpRecorder;

beforeEach(async () => {
  scene = await createScene();
  peer = startPeer(scene);
});
afterEach(async () => scene?.end());

const resets = (port: number): TcpEvent[] =>
  recorder.events.filter(
    ({ event, localPort, remotePort }) =>
      (event === TCP_EVENT.resetSent || event === TCP_EVENT.resetReceived) && [localPort, remotePort].includes(port),
  );

/** Until 6.10 the kernel gives no reason. */
const reasons = loadAddon().kernelEnum('sk_rst_reason');
const reason = (event: TcpEvent | undefined): string | undefined =>
  event === undefined ? undefined : (reasons?.[event.cause] ?? 'none').replace('SK_RST_REASON_', '');

async function pair(host: string): Promise<{ port: number; local: number }> {
  const port = await peer.listen('server', host);
  const local = await peer.ask<number>('connect', 'c', host, port);
  await peer.ask('accept', 's', 'server');
  await peer.ask('send', 'c', 10);
  await peer.ask('receive', 's', 10);
  return { port, local };
}

describe.each([['127.0.0.1'], ['::1']])('over %s', (host) => {
  test('SO_LINGER 0: the end that closes sends the reset, the other receives it', async () => {
    recorder = startTcpRecorder(scene);
    const { port, local } = await pair(host);
    await peer.ask('reset', 'c');
    expect(await peer.ask('receive_error', 's')).toBe('ECONNRESET');
    await peer.ask('close', 's');
    await until(() => recorder.at(local)?.closed !== undefined && recorder.at(port)?.closed !== undefined, {
      what: 'both ends closed',
    });
    const [sent, received, ...rest] = resets(port).toSorted((a, b) => a.event - b.event);
    expect(rest).toEqual([]);
    expect(sent).toMatchObject({ event: TCP_EVENT.resetSent, number: 1, localPort: local, remotePort: port });
    expect(received).toMatchObject({ event: TCP_EVENT.resetReceived, number: 1, localPort: port, remotePort: local });
    if (reasons !== undefined) expect(reason(sent)).toBe('TCP_STATE');
    expect([sent?.socket, received?.socket]).toEqual([recorder.at(local)?.id, recorder.at(port)?.id]);
    expect(recorder.at(local)?.closed?.reason).toBe(CLOSE.resetLocal);
    expect(recorder.at(port)?.closed?.reason).toBe(CLOSE.resetRemote);
    // disconnect() clears the socket's counters: what it had done is told all the same.
    expect(recorder.at(local)?.quality.at(-1)).toMatchObject({ bytesSent: 10, dataSegmentsOut: 1 });
  });

  test('a server that closes with bytes unread resets', async () => {
    recorder = startTcpRecorder(scene);
    const { port, local } = await pair(host);
    await peer.ask('send', 'c', 1000);
    await peer.ask('close', 's');
    await until(() => recorder.at(port)?.closed !== undefined && resets(port).length === 2, { what: 'the reset' });
    const sent = resets(port).find(({ event }) => event === TCP_EVENT.resetSent);
    expect(sent).toMatchObject({ localPort: port, remotePort: local, socket: recorder.at(port)?.id });
    if (reasons !== undefined) expect(reason(sent)).toBe('TCP_ABORT_ON_CLOSE');
  });

  test('a port where nobody listens: a reset without a socket, received by the connect that fails', async () => {
    recorder = startTcpRecorder(scene);
    const port = await peer.listen('server', host);
    await peer.ask('close', 'server');
    expect(await peer.ask('connect', 'c', host, port)).toBe('ECONNREFUSED');
    await until(() => resets(port).length === 2, { what: 'both ends of the reset' });
    const [sent, received] = resets(port).toSorted((a, b) => a.event - b.event);
    expect(sent).toMatchObject({ event: TCP_EVENT.resetSent, number: 0, socket: '0.0', localPort: port });
    if (reasons !== undefined) expect(reason(sent)).toBe('NO_SOCKET');
    expect(received).toMatchObject({ event: TCP_EVENT.resetReceived, number: 1, remotePort: port, state: 2 });
    expect(sent).toMatchObject({ remotePort: received?.localPort, localAddress: received?.remoteAddress });
    const failed = [...recorder.sockets.values()].find(({ remotePort }) => remotePort === port);
    expect(failed?.closed).toEqual({ error: 111, reason: CLOSE.connectFailed });
  });
});

test('nothing is told of a filtered port', async () => {
  const excluded = await peer.listen('server', '127.0.0.1');
  const seen = await peer.listen('other', '127.0.0.1');
  await peer.ask('close', 'server');
  await peer.ask('close', 'other');
  recorder = startTcpRecorder(scene, { filter: { ports: { include: [], exclude: [excluded] } } });
  await peer.ask('refused', '127.0.0.1', excluded, 3);
  await peer.ask('refused', '127.0.0.1', seen, 3);
  await recorder.receiver.stop();
  expect(resets(seen)).toHaveLength(6);
  expect(resets(excluded)).toEqual([]);
});

test('nothing is told, or attached, if TCP is not asked for', async () => {
  recorder = startTcpRecorder(scene, { tcp: false });
  const { port, local } = await pair('127.0.0.1');
  await peer.ask('reset', 'c');
  await peer.ask('close', 's');
  await recorder.receiver.stop();
  expect(recorder.at(local)?.closed).toBeDefined();
  expect([resets(port), recorder.at(local)?.quality, recorder.listeners]).toEqual([[], [], []]);
  expect(recorder.receiver.counters().tcpEvents).toBe(0);
});

test('a flood is paced: all are counted, and the law of the ring holds', async () => {
  const port = await peer.listen('server', '127.0.0.1');
  await peer.ask('close', 'server');
  recorder = startTcpRecorder(scene);
  // Several at once: one alone may be too slow for a flood where others use the machine.
  const peers = [peer, ...Array.from({ length: 3 }, () => startPeer(scene))];
  await Promise.all(peers.map((each) => each.ask('refused', '127.0.0.1', port, 1500)));
  await recorder.receiver.stop();
  const { tcpEvents, tcpEventsWritten, tcpEventsPaced, ringLifeFull } = recorder.receiver.counters();
  expect(tcpEvents).toBeGreaterThanOrEqual(12_000);
  expect(tcpEventsPaced).toBeGreaterThan(0);
  expect(tcpEventsWritten + tcpEventsPaced + ringLifeFull).toBe(tcpEvents);
  expect(recorder.events).toHaveLength(tcpEventsWritten);
  for (const stage of recorder.receiver.stages) {
    const { produced, delivered, inFlight, dropped } = stage.read();
    const lost = Object.values(dropped).reduce((all, each) => all + each, 0);
    expect({ stage: stage.name, produced, lost }).toEqual({
      stage: stage.name,
      produced: delivered + inFlight + lost,
      lost: 0,
    });
  }
});

import { afterEach, beforeEach, expect, test } from 'vitest';
import { TCP_EVENT } from '../../../src/model/record.gen.ts';
import { until } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
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

test('a reader that stops: its closed window is told, how long at least, and the sender’s wait', async () => {
  const port = await far.listen('server', network.farAddress, { receiveBuffer: 8192 });
  const local = await near.ask<number>('connect', 'c', network.farAddress, port);
  await far.ask('accept', 's', 'server');
  const started = performance.now();
  const filled = await near.ask<number>('fill', 'c');
  await until(() => network.count(network.far, 'TcpExtTCPToZeroWindowAdv') > 0, { what: 'the window closes' });
  const window = (event: number) => recorder.events.filter((each) => each.event === event && each.localPort === port);
  await until(() => window(TCP_EVENT.zeroWindow).length > 0, { what: 'it is seen' });
  await until(() => (recorder.at(port)?.quality.at(-1)?.zeroWindowUs ?? 0) > 1_000_000, { what: 'it lasts' });
  const stopped = performance.now();
  expect(recorder.at(port)?.quality.at(-1)).toMatchObject({ receiveWindow: 0 });
  expect(recorder.at(port)?.quality.at(-1)?.unread).toBeGreaterThan(0);
  expect(recorder.at(local)?.quality.at(-1)).toMatchObject({ sendWindow: 0 });
  expect(recorder.at(local)?.quality.at(-1)?.unsent).toBeGreaterThan(0);
  const said = await near.info('c');

  expect(await far.ask('receive', 's', filled)).toBe(filled);
  const opened = await until(() => window(TCP_EVENT.windowOpen)[0], { what: 'it opens' });
  const total = performance.now() - started;
  expect(window(TCP_EVENT.zeroWindow).map(({ number, socket }) => ({ number, socket }))).toEqual([
    { number: 1, socket: recorder.at(port)?.id },
  ]);
  // At least so long, and never longer than the test itself knows of.
  expect(opened.amount).toBeGreaterThan(1_000_000);
  expect(opened.amount).toBeLessThan(total * 1000);
  await near.ask('close', 'c');
  await far.ask('close', 's');
  await until(() => recorder.at(local)?.closed !== undefined && recorder.at(port)?.closed !== undefined, {
    what: 'both ends closed',
  });
  expect(recorder.at(port)?.quality.at(-1)?.zeroWindowUs).toBe(opened.amount);
  const sender = recorder.at(local)?.quality.at(-1);
  expect(sender?.receiverLimitedUs).toBeGreaterThanOrEqual(said.rwnd_limited);
  expect(sender?.receiverLimitedUs).toBeLessThanOrEqual(total * 1000 + 8_000);
  expect(said.rwnd_limited).toBeGreaterThan((stopped - started) * 500);
  expect(sender?.busyUs).toBeGreaterThanOrEqual(sender?.receiverLimitedUs ?? 0);
});

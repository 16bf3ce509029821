import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { createNetwork, type Network } from './network.ts';
import { type Peer, startPeer } from './peer.ts';
import { type Listener, startTcpRecorder, type TcpRecorder } from './tcp-recorder.ts';

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

const last = (port: number): Listener | undefined => recorder.listeners.findLast((each) => each.port === port);

test.each([['before'], ['after']])(
  'a full accept queue, listened to %s the start: depth, limit, and what was turned away',
  async (when) => {
    const listen = () => far.listen('server', network.farAddress, { backlog: 1 });
    network.limitSyns(network.near);
    await far.listen('other', network.farAddress);
    const before = when === 'before' ? await listen() : 0;
    recorder = startTcpRecorder(scene);
    const port = before === 0 ? await listen() : before;
    // One more than the backlog is let in.
    await near.ask('connect', 'a', network.farAddress, port);
    await near.ask('connect', 'b', network.farAddress, port);
    expect(await near.ask('connect', 'c', network.farAddress, port)).toBe('ETIMEDOUT');
    const turnedAway = network.count(network.far, 'TcpExtListenDrops');
    expect(turnedAway).toBe(network.count(network.far, 'TcpExtListenOverflows'));
    expect(turnedAway).toBeGreaterThanOrEqual(2);
    await until(() => last(port)?.drops === turnedAway, { what: 'the listener is looked at' });
    expect(last(port)).toMatchObject({
      backlog: 2,
      maxBacklog: 1,
      tgid: far.pid,
      comm: 'python3',
      family: 4,
      address: '0a4d0002'.padEnd(32, '0'),
    });
    await far.ask('accept', 's', 'server');
    await until(() => last(port)?.backlog === 1, { what: 'one is accepted' });
    await far.ask('close', 'server');
    const looks = (): number => recorder.listeners.filter((each) => each.port === port).length;
    await until(
      async () => {
        const seen = looks();
        const others = recorder.listeners.length;
        // Another listener in the meantime shows that the looks went on.
        await until(() => recorder.listeners.length > others, { what: 'another look' });
        return looks() === seen;
      },
      { what: 'a closed listener is gone' },
    );
  },
);

test('listeners of a filtered port are not told of', async () => {
  const excluded = await far.listen('one', network.farAddress);
  const seen = await far.listen('two', network.farAddress6);
  recorder = startTcpRecorder(scene, { filter: { ports: { include: [], exclude: [excluded] } } });
  await until(() => last(seen), { what: 'a look' });
  await recorder.receiver.stop();
  expect(last(seen)).toMatchObject({ family: 6, backlog: 0, drops: 0 });
  expect(last(excluded)).toBeUndefined();
});

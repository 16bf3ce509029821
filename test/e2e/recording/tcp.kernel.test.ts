import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNetwork } from '../../kernel/tcp/network.ts';
import { startPeer } from '../../kernel/tcp/peer.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene } from '../../traffic/scene.ts';
import type { Scene } from '../../traffic/scene.ts';
import { startSonde } from '../../traffic/sonde.ts';
import type { ExchangeLine } from '../../traffic/sonde.ts';
import { liveLines, parsed, replay } from './recorded.ts';

let scene: Scene;
let live: readonly string[];
let replayed: readonly string[];
let lost: number;
beforeAll(async () => {
  scene = await createScene();
  const network = createNetwork(scene);
  const near = startPeer(scene, network.near);
  const far = startPeer(scene, network.far);
  const [port = 0] = await freePorts(1);
  await far.listen('server', network.farAddress6, { port });
  const file = join(scene.directory, 'lossy.sonde');
  const running = await startSonde(scene, { ports: [port], lines: true, args: ['--record', file] });
  await near.ask('connect', 'c', network.farAddress6, port);
  await far.ask('accept', 's', 'server');
  const exchange = async (): Promise<void> => {
    await near.ask('send', 'c', 700);
    await far.ask('receive', 's', 700);
    await far.ask('send', 's', 50);
    await near.ask('receive', 'c', 50);
  };
  for (let i = 0; i < 5; i++) await exchange();
  // Every third segment of the client's, so that some requests are sent again.
  const loss = network.drop(network.far, `tcp dport ${port} tcp flags & (syn | fin | rst) == 0 numgen inc mod 3 == 1`);
  for (let i = 0; i < 12; i++) await exchange();
  lost = loss.packets();
  loss.end();
  await near.ask('send', 'c', 10);
  await far.ask('receive', 's', 10);
  await far.ask('reset', 's');
  await near.ask('receive_error', 'c');
  await near.ask('close', 'c');
  await running.settle();
  await running.stop();
  live = liveLines(running);
  replayed = (await replay([file])).lines;
});
afterAll(async () => scene?.end());

test('a replay tells what the network did to each exchange as the live run did', () => {
  const told = (lines: readonly ExchangeLine[], attribute: string): number =>
    lines.filter(({ attributes }) => attributes[attribute] !== undefined).length;
  const lines = parsed(replayed);
  expect(lost).toBeGreaterThan(2);
  expect(told(lines, 'net.retransmits')).toBeGreaterThan(1);
  expect(told(lines, 'net.rtt')).toBeGreaterThan(5);
  expect(told(lines, 'net.reset')).toBeGreaterThan(0);
  expect(lines.some(({ error }) => error === 'reset')).toBe(true);
  expect(replayed).toEqual(live);
});

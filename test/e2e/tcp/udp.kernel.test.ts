import { afterEach, beforeEach, expect, test } from 'vitest';
import { sumOf } from '../../traffic/metrics.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { setStage } from './stage.ts';

let scene: Scene;
beforeEach(async () => {
  scene = await createScene();
});
afterEach(async () => scene?.end());

test('UDP: datagrams and bytes by peer and process, over IPv4 and IPv6, and no port of a client', async () => {
  const { network, near, far, port, sonde, page } = await setStage(scene, { capture: { udp: true } });
  const sent = [3, 5];
  const ports: number[] = [];
  const clients: string[] = [];
  for (const [i, address] of [network.farAddress, network.farAddress6].entries()) {
    const at = port();
    ports.push(at);
    await far.ask('udp', 'server', address, at);
    clients.push(String(await near.ask<number>('udp_connect', 'client', address, at)));
    const count = sent[i] ?? 0;
    const echoed = far.ask('udp_echo', 'server', count);
    for (let k = 0; k < count; k++) {
      await near.ask('send', 'client', 100 * (k + 1));
      await near.ask('receive', 'client', 100 * (k + 1));
    }
    await echoed;
    await near.ask('close', 'client');
    await far.ask('close', 'server');
  }
  const received = (samples: Parameters<typeof sumOf>[0]) =>
    ports.map((at) =>
      sumOf(samples, 'sonde_udp_received_datagrams_total', { role: 'client', server_port: String(at) }),
    );
  const samples = await page((each) => String(received(each)) === String(sent), 'all datagrams are counted');
  for (const [i, address] of [network.farAddress, network.farAddress6].entries()) {
    const count = sent[i] ?? 0;
    const bytes = 50 * count * (count + 1);
    const sum = (name: string, labels: Record<string, string>) =>
      sumOf(samples, `sonde_udp_${name}_total`, { server_port: String(ports[i]), ...labels });
    const here = { role: 'client', network_peer_address: address };
    const nearAddress = i === 0 ? network.nearAddress : address.replace(/2$/, '1');
    expect({
      sent: [sum('sent_datagrams', here), sum('sent_bytes', here)],
      received: [sum('received_datagrams', here), sum('received_bytes', here)],
      // The server knows to whom it sends, and receives from it does not know whom.
      answered: [
        sum('sent_datagrams', { role: 'server', network_peer_address: nearAddress }),
        sum('sent_bytes', { role: 'server', network_peer_address: nearAddress }),
      ],
      asked: [sum('received_datagrams', { role: 'server' }), sum('received_bytes', { role: 'server' })],
    }).toEqual({
      sent: [count, bytes],
      received: [count, bytes],
      answered: [count, bytes],
      asked: [count, bytes],
    });
  }
  const series = samples.filter(({ name }) => name.startsWith('sonde_udp_'));
  expect(series.filter(({ labels }) => clients.includes(labels.server_port ?? ''))).toEqual([]);
  const unknown = series.filter(
    ({ name, labels, value }) => name === 'sonde_udp_received_datagrams_total' && labels.role === 'server' && value > 0,
  );
  expect(unknown.map(({ labels }) => labels.network_peer_address)).toEqual([undefined, undefined]);
  expect(await sonde.stop()).toBe(0);
});

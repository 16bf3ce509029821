import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RETRANSMIT, TCP_EVENT } from '../../../src/model/record.gen.ts';
import { until } from '../../traffic/condition.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { createNetwork, type Network } from './network.ts';
import { type Peer, startPeer, type TcpInfo } from './peer.ts';
import { type Relay, startRelay, withoutTun } from './relay.ts';
import { startTcpRecorder, type TcpRecorder, type TcpSocket } from './tcp-recorder.ts';

const refused = withoutTun();

describe.skipIf(refused !== undefined)(
  `a path with delay and disorder${refused === undefined ? '' : `: ${refused}`}`,
  () => {
    let scene: Scene;
    let network: Network;
    let relay: Relay;
    let near: Peer;
    let far: Peer;
    let recorder: TcpRecorder;
    let ports: { local: number; remote: number };

    beforeEach(async () => {
      scene = await createScene();
      network = createNetwork(scene);
      relay = await startRelay(scene, network);
      near = startPeer(scene, network.near);
      far = startPeer(scene, network.far);
      recorder = startTcpRecorder(scene, { namespaces: network.numbers });
    });
    afterEach(async () => scene?.end());

    async function connect(address: string): Promise<void> {
      const remote = await far.listen('server', address);
      const local = await near.ask<number>('connect', 'c', address, remote);
      await far.ask('accept', 's', 'server');
      ports = { local, remote };
    }

    async function transfer(size: number): Promise<void> {
      const sent = near.ask('send', 'c', size);
      expect(await far.ask('receive', 's', size)).toBe(size);
      await sent;
    }

    /** All is acknowledged: nothing is under way any more. */
    const settled = async (): Promise<TcpInfo> =>
      await until(
        async () => {
          const info = await near.info('c');
          return info.unacked === 0 && info;
        },
        { what: 'all is acknowledged', timeoutMs: 20_000 },
      );

    async function closed(): Promise<{ client: TcpSocket; server: TcpSocket }> {
      await near.ask('close', 'c');
      await far.ask('close', 's');
      return await until(
        () => {
          const [client, server] = [recorder.at(ports.local), recorder.at(ports.remote)];
          return client?.closed !== undefined && server?.closed !== undefined && { client, server };
        },
        { what: 'both ends are closed', timeoutMs: 20_000 },
      );
    }

    test.each([['IPv4'], ['IPv6']])('the round trip is told as the kernel measured it: %s', async (version) => {
      await relay.disturb({ delay: 0.03 });
      await connect(version === 'IPv4' ? relay.farAddress : relay.farAddress6);
      for (let i = 0; i < 5; i++) await transfer(1000);
      const said = await settled();
      const seen = await until(
        () =>
          recorder
            .at(ports.local)
            ?.quality.find((each) => each.segmentsOut === said.segs_out && each.segmentsIn === said.segs_in),
        { what: 'the sweep sees the same' },
      );
      expect({ rtt: seen.srttUs, variation: seen.rttvarUs, least: seen.minRttUs }).toEqual({
        rtt: said.rtt,
        variation: said.rttvar,
        least: said.min_rtt,
      });
      // The clocks of relay and TCP tick apart by a little.
      expect(seen.minRttUs).toBeGreaterThan(59_000);
      expect(seen.srttUs).toBeGreaterThanOrEqual(seen.minRttUs);
    });

    test('packets that overtake others are counted where they arrive, and noticed where they came from', async () => {
      await relay.disturb({ delay: 0.01 });
      await connect(relay.farAddress);
      await transfer(20_000);
      await relay.disturb({ swap: 7 });
      for (let i = 0; i < 5; i++) await transfer(100_000);
      const said = await settled();
      const heard = await far.info('s');
      const { swapped } = await relay.disturb({ swap: 0 });
      const { client, server } = await closed();
      expect(swapped).toBeGreaterThan(10);
      expect(heard.rcv_ooopack).toBeGreaterThan(10);
      expect(server.quality.at(-1)?.outOfOrder).toBe(heard.rcv_ooopack);
      expect(client.quality.at(-1)).toMatchObject({
        outOfOrder: 0,
        reordered: said.reord_seen,
        retransmits: said.total_retrans,
        spurious: said.dsack_dups,
      });
    });

    test('a path that is suddenly slow: what was sent again in vain is told apart', async () => {
      await relay.disturb({ delay: 0.005 });
      await connect(relay.farAddress);
      for (let i = 0; i < 5; i++) await transfer(1000);
      await settled();
      // Longer than the kernel waits for an acknowledgement.
      await relay.disturb({ delay: 0.7 });
      await transfer(1000);
      const said = await until(
        async () => {
          const info = await near.info('c');
          return info.total_retrans > 0 && info.dsack_dups === info.total_retrans && info;
        },
        { what: 'the receiver says that it had all of it', timeoutMs: 20_000 },
      );
      await relay.disturb({ delay: 0.005 });
      const { client } = await closed();
      expect(client.quality.at(-1)).toMatchObject({
        spurious: said.dsack_dups,
        retransmits: said.total_retrans,
        bytesRetransmitted: said.bytes_retrans,
      });
      const causes = recorder.events
        .filter(({ event, socket }) => event === TCP_EVENT.retransmit && socket === client.id)
        .map(({ cause }) => cause);
      expect(causes).toHaveLength(said.total_retrans);
      expect(causes.every((cause) => cause === RETRANSMIT.timeout || cause === RETRANSMIT.probe)).toBe(true);
    });

    test('packets that the path doubles are no retransmissions, but the receiver reports them alike', async () => {
      await relay.disturb({ delay: 0.005, duplicate: 5 });
      await connect(relay.farAddress);
      await transfer(100_000);
      const said = await settled();
      const { duplicated } = await relay.disturb({ duplicate: 0 });
      const { client, server } = await closed();
      expect(duplicated).toBeGreaterThan(5);
      expect(server.quality.at(-1)?.bytesReceived).toBe(100_000);
      expect(client.quality.at(-1)).toMatchObject({
        retransmits: said.total_retrans,
        spurious: said.dsack_dups,
        bytesSent: said.bytes_sent,
      });
      expect(said.dsack_dups).toBeGreaterThan(0);
    });
  },
);

import { execFileSync } from 'node:child_process';
import { createNetwork, type Network } from '../../kernel/tcp/network.ts';
import { type Peer, startPeer } from '../../kernel/tcp/peer.ts';
import { eventually, until } from '../../traffic/condition.ts';
import { type Sample, sumOf } from '../../traffic/metrics.ts';
import { freePorts } from '../../traffic/port.ts';
import type { Scene } from '../../traffic/scene.ts';
import { type Sonde, type SondeOptions, startSonde } from '../../traffic/sonde.ts';

type Labels = Readonly<Record<string, string>>;

/** Two hosts, and Sonde watching both of them. Times are those of the page's window, a second. */
export interface Stage {
  readonly network: Network;
  readonly near: Peer;
  readonly far: Peer;
  readonly sonde: Sonde;
  /** A port for a server, on either host, that no test had before. */
  readonly port: () => number;
  /** Waits until the page's sum of the metric with these labels is `value`; gives what it is then, or at the end. */
  readonly expectSum: (name: string, labels: Labels, value: number) => Promise<number>;
  /** Waits until the check holds of the page; gives the page. */
  readonly page: (check: (samples: readonly Sample[]) => boolean, what: string) => Promise<Sample[]>;
  /** Connects `name` of near to `name` of far; gives near's port. */
  readonly connect: (name: string, address: string, port: number) => Promise<number>;
}

const PORTS = 16;

/** Sets it up; it ends with the scene. */
export async function setStage(scene: Scene, options: SondeOptions = {}): Promise<Stage> {
  const network = createNetwork(scene);
  const ports = await freePorts(PORTS);
  const near = startPeer(scene, network.near);
  const far = startPeer(scene, network.far);
  const sonde = await startSonde(scene, { ports, ...options });
  const left = [...ports];
  return {
    network,
    near,
    far,
    sonde,
    port: () => {
      const port = left.shift();
      if (port === undefined) throw new Error(`a test file has ${PORTS} ports`);
      return port;
    },
    expectSum: async (name, labels, value) => {
      let seen = Number.NaN;
      await eventually(async () => {
        seen = sumOf(await sonde.scrape(), name, labels);
        return Math.abs(seen - value) < 1e-9;
      }, 15_000);
      return seen;
    },
    page: async (check, what) =>
      await until(
        async () => {
          const samples = await sonde.scrape();
          return check(samples) && samples;
        },
        { what, timeoutMs: 20_000, everyMs: 200 },
      ),
    connect: async (name, address, port) => {
      const local = await near.ask<number | string>('connect', name, address, port);
      if (typeof local !== 'number') throw new Error(`connect: ${local}`);
      await far.ask('accept', name, `server ${port}`);
      return local;
    },
  };
}

/** Starts a server of far that `Stage.connect` finds; gives its port. */
export async function listenAt(
  { far, port }: Pick<Stage, 'far' | 'port'>,
  address: string,
  options: { backlog?: number; receiveBuffer?: number } = {},
): Promise<number> {
  const chosen = port();
  return await far.listen(`server ${chosen}`, address, { ...options, port: chosen });
}

/** What `ss -ti` says of a connection of a namespace to this port: `retrans:0/5` under `retrans`, and so on. */
export function socketStatistics(network: Network, namespace: string, port: number): Readonly<Record<string, string>> {
  const text = network.run(namespace, 'ss', ['-tinOH', 'dst', `:${port}`]);
  return Object.fromEntries([...text.matchAll(/(\w+):(\S+)/g)].map(([, key = '', value = '']) => [key, value]));
}

/** What promtool says against a page; empty if nothing, undefined if there is no promtool. */
export function promtoolComplaints(page: string): string | undefined {
  try {
    return execFileSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

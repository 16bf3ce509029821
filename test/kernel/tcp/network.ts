import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import type { Scene } from '../../traffic/scene.ts';

/** Two network namespaces, joined by a cable. */
export interface Network {
  /** Names of the namespaces. */
  readonly near: string;
  readonly far: string;
  /** Numbers of the namespaces, as records carry them. */
  readonly numbers: readonly number[];
  readonly nearAddress: string;
  readonly farAddress: string;
  readonly farAddress6: string;
  /** Runs a command in a namespace. */
  run(namespace: string, command: string, args: readonly string[], input?: string): string;
  /** Drops what comes in over the cable and matches, by nft; `packets()` is how many it were. */
  drop(namespace: string, match: string): Dropping;
  /** A SYN without answer is sent again once, a second later; two seconds after that the connect fails. */
  limitSyns(namespace: string): void;
  /** A counter of the namespace as `nstat` names it. */
  count(namespace: string, name: string): number;
}

export interface Dropping {
  packets(): number;
  end(): void;
}

let made = 0;

/** Makes them with addresses and without any traffic of their own; they end with the scene. */
export function createNetwork(scene: Scene): Network {
  made += 1;
  const [near, far] = ['near', 'far'].map((end) => `sonde-${process.pid}-${made}-${end}`) as [string, string];
  const command = (name: string, args: readonly string[], input?: string): string =>
    execFileSync(name, args, { encoding: 'utf8', input: input ?? '', stdio: ['pipe', 'pipe', 'pipe'] });
  const run: Network['run'] = (namespace, name, args, input) =>
    command('ip', ['netns', 'exec', namespace, name, ...args], input);
  for (const name of [near, far]) {
    command('ip', ['netns', 'add', name]);
    scene.onEnd(() => void command('ip', ['netns', 'delete', name]));
  }
  const ip = (namespace: string, ...args: string[]): string => command('ip', ['-n', namespace, ...args]);
  ip(near, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', far);
  for (const [namespace, host] of [
    [near, 1],
    [far, 2],
  ] as const) {
    ip(namespace, 'link', 'set', 'lo', 'up');
    ip(namespace, 'address', 'add', `10.77.0.${host}/24`, 'dev', 'cable');
    ip(namespace, 'address', 'add', `fd77::${host}/64`, 'dev', 'cable', 'nodad');
    ip(namespace, 'link', 'set', 'cable', 'up');
  }
  return {
    near,
    far,
    numbers: [near, far].map((name) => statSync(`/run/netns/${name}`).ino),
    nearAddress: '10.77.0.1',
    farAddress: '10.77.0.2',
    farAddress6: 'fd77::2',
    run,
    drop(namespace, match) {
      made += 1;
      const table = `t${made}`;
      run(
        namespace,
        'nft',
        ['-f', '-'],
        `table inet ${table} { chain c { type filter hook input priority 0; iif cable ${match} counter drop; }; }\n`,
      );
      const packets = (): number => {
        const listing = run(namespace, 'nft', ['list', 'table', 'inet', table]);
        return Number(/counter packets (\d+)/.exec(listing)?.[1] ?? Number.NaN);
      };
      return { packets, end: () => void run(namespace, 'nft', ['delete', 'table', 'inet', table]) };
    },
    limitSyns(namespace) {
      // Kernels before 6.5 have no linear timeouts.
      run(namespace, 'sysctl', ['-eqw', 'net.ipv4.tcp_syn_retries=1', 'net.ipv4.tcp_syn_linear_timeouts=0']);
    },
    count(namespace, name) {
      const line = run(namespace, 'nstat', ['-asz', name])
        .split('\n')
        .find((each) => each.startsWith(name));
      return Number(line?.split(/\s+/)[1] ?? Number.NaN);
    },
  };
}

import { EmptyHooks } from '../hooks.ts';
import { type SaturateOptions, saturate } from '../load.ts';
import { Nginx, type PAYLOADS } from '../nginx.ts';
import { Probe } from '../probe.ts';
import { observe, type Run } from '../run.ts';
import { describeRun } from './describe-run.ts';
import { loadSeconds, type Setting, warmUpSeconds } from './setting.ts';

/** One row of the second table: what was varied, and its three runs. */
export interface CostRow {
  readonly group: string;
  readonly name: string;
  readonly runs: readonly Run[];
}

interface Variation {
  readonly group: string;
  readonly name: string;
  readonly load: Omit<SaturateOptions, 'url' | 'seconds'> & { readonly path?: string };
  readonly capture?: Readonly<Record<string, unknown>>;
  /** Times as long as the others: opening many connections takes its time. */
  readonly longer?: number;
  /** See only the server's end, by a filter on its process. */
  readonly serverOnly?: boolean;
}

const SIZES: Readonly<Record<keyof typeof PAYLOADS, string>> = {
  '100': '100 B',
  '1k': '1 KB',
  '16k': '16 KB',
  '256k': '256 KB',
  '1m': '1 MB',
};

export const VARIATIONS: readonly Variation[] = [
  ...Object.entries(SIZES).map(([file, name]) => ({ group: 'response', name, load: { path: `/${file}.bin` } })),
  ...[1, 10, 100, 1000, 10_000].map((connections) => ({
    group: 'connections',
    name: connections.toLocaleString('en'),
    load: { connections },
    longer: connections >= 10_000 ? 2 : 1,
  })),
  { group: 'connection', name: 'one for each request', load: { close: true } },
  { group: 'ends seen', name: 'both', load: {} },
  { group: 'ends seen', name: 'server only', load: {}, serverOnly: true },
  { group: 'policy', name: 'headers', load: {}, capture: { policy: 'headers' } },
  { group: 'policy', name: 'stream', load: {}, capture: { policy: 'stream' } },
];

/** What an exchange costs as one thing varies, all else being as in the first table: 612 bytes, 16 connections. */
export async function measureCost(setting: Setting): Promise<readonly CostRow[]> {
  const rows: CostRow[] = [];
  const nginx = await Nginx.start(setting.directory);
  try {
    for (const variation of VARIATIONS) rows.push(await measureVariation(setting, nginx, variation));
  } finally {
    await nginx.stop();
  }
  return rows;
}

async function measureVariation(setting: Setting, nginx: Nginx, variation: Variation): Promise<CostRow> {
  const { group, name, serverOnly = false, longer = 1 } = variation;
  const { path, ...rest } = variation.load;
  const seconds = longer * loadSeconds(setting);
  const load = () => saturate({ url: nginx.url(path), seconds, ...rest });
  const sides = serverOnly ? 1 : 2;
  const runs: Run[] = [await observe({ pair: 1, mode: 'off', nginx, load, keep: setting.keep })];
  const capture = { ...variation.capture, ...(serverOnly ? { filter: { pids: [nginx.worker] } } : {}) };
  const probe = await Probe.start({ ...setting, capture });
  try {
    await saturate({ url: nginx.url(path), ...rest, seconds: warmUpSeconds(setting) });
    runs.push(await observe({ pair: 1, mode: 'on', nginx, load, probe, sides, keep: setting.keep }));
    const hooks = await EmptyHooks.attach(setting.sources, setting.directory);
    try {
      runs.push(await observe({ pair: 1, mode: 'stats', nginx, load, probe, sides, hooks, keep: setting.keep }));
    } finally {
      await hooks.stop();
    }
  } finally {
    await probe.stop();
  }
  for (const run of runs) setting.say(`cost, ${group} ${name}: ${describeRun(run)}`);
  return { group, name, runs };
}

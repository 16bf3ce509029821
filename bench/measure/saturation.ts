import { EmptyHooks } from '../hooks.ts';
import { saturate } from '../load.ts';
import { Nginx } from '../nginx.ts';
import { Probe } from '../probe.ts';
import { observe, type Run } from '../run.ts';
import { describeRun } from './describe-run.ts';
import { loadSeconds, mostPairs, type Setting, warmUpSeconds } from './setting.ts';

/**
 * wrk against nginx as fast as they go, both ends seen: pairs of a run without and one with the probe in alternating
 * order; with the probe also one with the kernel's statistics and one that is scraped each second. Pairs in which
 * something else took the machine are repeated, up to twice the number asked for.
 */
export async function measureSaturation(setting: Setting): Promise<readonly Run[]> {
  const runs: Run[] = [];
  const nginx = await Nginx.start(setting.directory);
  const load = () => saturate({ url: nginx.url(), seconds: loadSeconds(setting) });
  try {
    await saturate({ url: nginx.url(), seconds: 1 });
    let good = 0;
    for (let pair = 1; good < setting.pairs && pair <= mostPairs(setting); pair++) {
      const off = async () => [await observe({ pair, mode: 'off', nginx, load, keep: setting.keep })];
      const on = () => withProbe(setting, pair, nginx, load);
      const steps = pair % 2 === 1 ? [off, on] : [on, off];
      const made: Run[] = [];
      for (const step of steps) made.push(...(await step()));
      for (const run of made) setting.say(`saturation ${pair}: ${describeRun(run)}`);
      if (!made.some(({ disturbed }) => disturbed)) good++;
      runs.push(...made);
    }
  } finally {
    await nginx.stop();
  }
  return runs;
}

async function withProbe(
  setting: Setting,
  pair: number,
  nginx: Nginx,
  load: () => ReturnType<typeof saturate>,
): Promise<Run[]> {
  const probe = await Probe.start(setting);
  try {
    await saturate({ url: nginx.url(), seconds: warmUpSeconds(setting) });
    const on = await observe({ pair, mode: 'on', nginx, load, probe, keep: setting.keep });
    const hooks = await EmptyHooks.attach(setting.sources, setting.directory);
    let stats: Run;
    try {
      stats = await observe({ pair, mode: 'stats', nginx, load, probe, hooks, keep: setting.keep });
    } finally {
      await hooks.stop();
    }
    const scrape = await observe({ pair, mode: 'scrape', nginx, load, probe, scrape: true, keep: setting.keep });
    return [on, stats, scrape];
  } finally {
    await probe.stop();
  }
}

import { hold, saturate } from '../load.ts';
import { Nginx } from '../nginx.ts';
import { Probe } from '../probe.ts';
import { observe, type Run } from '../run.ts';
import { describeRun } from './describe-run.ts';
import { loadSeconds, mostPairs, type Setting, warmUpSeconds } from './setting.ts';

/** Exchanges a second to hold: a little over the goal of docs/overhead.md. */
const RATE = 52_000;

/** A fixed number of requests at a held rate, both ends seen, the page read each second. */
export async function measureRate(setting: Setting): Promise<readonly Run[]> {
  const runs: Run[] = [];
  const nginx = await Nginx.start(setting.directory);
  const load = () => hold({ url: nginx.url(), rate: RATE, seconds: loadSeconds(setting) });
  try {
    let good = 0;
    for (let pair = 1; good < setting.pairs && pair <= mostPairs(setting); pair++) {
      const probe = await Probe.start(setting);
      try {
        await saturate({ url: nginx.url(), seconds: warmUpSeconds(setting) });
        const run = await observe({ pair, mode: 'scrape', nginx, load, probe, scrape: true, keep: setting.keep });
        setting.say(`rate ${pair}: ${describeRun(run)}`);
        if (!run.disturbed) good++;
        runs.push(run);
      } finally {
        await probe.stop();
      }
    }
  } finally {
    await nginx.stop();
  }
  return runs;
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { saturate } from '../load.ts';
import { Nginx } from '../nginx.ts';
import { Probe } from '../probe.ts';
import type { Setting } from './setting.ts';

/** Memory of the probe while it keeps many series. */
export interface SeriesResult {
  /** Label sets: routes times the two ends that see them. */
  readonly labelSets: number;
  /** Sample lines of the page. */
  readonly samples: number;
  readonly resident: readonly number[];
  readonly peak: number;
  readonly mapBytes: number;
  readonly scrapeMs: number;
}

const ROUTES = 500;
/** No digits and no hexadecimal letters, so that the probe takes each for a route of its own. */
const LETTERS = 'ghjklmnopqrstuvwxyz';

/** Five hundred routes under full load, each seen from both ends: a thousand label sets. */
export async function measureSeries(setting: Setting): Promise<SeriesResult> {
  const script = join(setting.directory, 'routes.lua');
  writeFileSync(script, routesScript(ROUTES));
  const nginx = await Nginx.start(setting.directory);
  const probe = await Probe.start(setting);
  try {
    const resident: number[] = [];
    const over = new AbortController();
    const load = saturate({ url: nginx.url(), seconds: setting.quick ? 5 : 40, script }).finally(() => over.abort());
    while (!over.signal.aborted) {
      await Promise.race([load, delay(1000)]);
      resident.push(probe.memory().resident);
      await probe.page();
    }
    await load;
    await probe.settled(nginx.port);
    const start = performance.now();
    const page = await probe.page();
    const scrapeMs = performance.now() - start;
    const labelSets = page.filter(({ name }) => name.endsWith('_request_duration_seconds_count')).length;
    const { peak } = probe.memory();
    setting.say(`series: ${labelSets} label sets, RSS ${((resident.at(-1) ?? 0) / 2 ** 20).toFixed(0)} MiB`);
    return { labelSets, samples: page.length, resident, peak, mapBytes: probe.bpf().mapBytes, scrapeMs };
  } finally {
    await probe.stop();
    await nginx.stop();
  }
}

/** A script for wrk that asks for `/s/WORD` with `count` different words in turn. */
export function routesScript(count: number): string {
  const words = Array.from({ length: count }, (_, index) => {
    const at = (power: number): string => LETTERS[Math.floor(index / LETTERS.length ** power) % LETTERS.length];
    return `"/s/${at(2)}${at(1)}${at(0)}x"`;
  });
  return `local paths = {${words.join(',')}}
local at = 0
function request()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
`;
}

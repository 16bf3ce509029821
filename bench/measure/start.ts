import { Probe } from '../probe.ts';
import type { Setting } from './setting.ts';

/** From the start of the process to its ready line, and what was on by then. */
export interface StartResult {
  readonly startMs: readonly number[];
  readonly features: string;
}

/** Starts the probe a few times, one after the other. */
export async function measureStart(setting: Setting): Promise<StartResult> {
  const startMs: number[] = [];
  let features = '';
  for (let turn = 0; turn < (setting.quick ? 2 : 7); turn++) {
    const probe = await Probe.start(setting);
    startMs.push(probe.startMs);
    ({ features } = probe);
    await probe.stop();
  }
  setting.say(`start: ${startMs.map((ms) => ms.toFixed(0)).join(', ')} ms, features ${features}`);
  return { startMs, features };
}

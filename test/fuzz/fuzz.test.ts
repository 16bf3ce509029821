import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { analyzerTargets } from './analyzer.ts';
import { httpHeadTargets } from './http-heads.ts';
import { replayOptionTargets } from './replay-options.ts';
import { replayTargets } from './replay.ts';
import { settingTargets } from './settings.ts';
import { shownTextTargets } from './shown-texts.ts';
import { fuzz, target as targetOf } from './target.ts';

const TARGETS = [
  ...analyzerTargets,
  ...httpHeadTargets,
  ...replayTargets,
  ...replayOptionTargets,
  ...settingTargets,
  ...shownTextTargets,
];

// `npm run fuzz` sets both. A test run looks at the same inputs each time, for a moment.
const seconds = Number(process.env['SONDE_FUZZ_SECONDS'] ?? TARGETS.length * 0.3);
const seed = Number(process.env['SONDE_FUZZ_SEED'] ?? 1);
const milliseconds = (seconds * 1_000) / TARGETS.length;

describe(`reading what others chose, seed ${seed}`, () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))(
    '%s: no input throws, takes long or breaks a bound',
    async (_, target) => {
      await fuzz(target, { milliseconds, seed });
    },
    milliseconds + 60_000,
  );
});

it('fuzzing finds a reader that throws for one input in many', async () => {
  const broken = targetOf('broken', fc.string(), (text) => {
    if (text.includes('a') && text.length > 3) throw new Error('no');
  });
  await expect(fuzz(broken, { milliseconds: 10_000, seed })).rejects.toThrow('Property failed');
});

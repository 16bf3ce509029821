import { expect, test } from 'vitest';
import { flawed, passed } from '../../../src/cli/doctor/check.ts';
import { renderDoctor } from '../../../src/cli/doctor/render.ts';
import { featuresWithout } from '../../../src/cli/doctor/without-capture.ts';
import { loadConfiguration } from '../../../src/config/load.ts';
import { createStatus } from '../../../src/control/status.ts';
import type { Feature } from '../../../src/control/status.ts';
import { createKernelPipeline } from '../../../src/pipeline/kernel-pipeline.ts';

const { configuration } = loadConfiguration({ file: '/dev/null', environment: {} });
const OFF: Feature = { name: 'capture', state: 'off', reason: 'btf: none', remedy: 'Use another kernel.' };

test('where nothing can be captured every feature is listed all the same, each with a reason', () => {
  const features = featuresWithout(OFF, configuration);
  const names = features.map(({ name }) => name);
  expect(names[0]).toBe('capture');
  expect(names).toEqual(expect.arrayContaining(['messages', 'connections', 'http', 'prometheus']));
  // What a pipeline that has not started lists is a part of it.
  const pipeline = createKernelPipeline({ configuration, version: '1' });
  expect(names).toEqual(expect.arrayContaining(pipeline.features().map(({ name }) => name)));
  expect(new Set(names).size).toBe(names.length);
  for (const { state, reason } of features) expect(reason === null).toBe(state === 'on');
});

test('people are told what is bad, what is poor, and what it comes down to', () => {
  const features = [OFF, { name: 'http', state: 'on', reason: null, remedy: null } as const];
  const status = createStatus({ version: '1', features: () => features, stages: [] })();
  const text = renderDoctor({
    status,
    checks: [
      passed('kernel', 'Linux 6.18'),
      flawed('clock', 'acpi_pm', 'Use tsc.'),
      { name: 'btf', ok: false, needed: true, found: 'none', remedy: 'Use another kernel.' },
    ],
  }).join('\n');
  expect(text).toMatch(/^ {2}kernel +ok +Linux 6\.18$/m);
  expect(text).toMatch(/^ {2}clock +poor +acpi_pm\. Use tsc\.$/m);
  expect(text).toMatch(/^ {2}btf +BAD +none\. Use another kernel\.$/m);
  expect(text).toMatch(/^ {2}capture +off +btf: none\. Use another kernel\.$/m);
  expect(text).toContain('Capture is impossible here');
});

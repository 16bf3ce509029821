import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';
import { countFeatures, pipelineFeatures } from '../../../src/pipeline/features.ts';

const configuration = (environment: Record<string, string>) =>
  loadConfiguration({ environment, defaultFile: '/nonexistent/sonde.yaml' }).configuration;

test('what is configured off and what is not in the build are off with a reason', () => {
  const features = pipelineFeatures(configuration({ SONDE_PROCESSORS_PROCESS_ENABLED: 'false' }));
  const named = (name: string) => features.find((feature) => feature.name === name);
  expect(named('prometheus')).toEqual({ name: 'prometheus', state: 'on', reason: null, remedy: null });
  expect(named('process')).toMatchObject({ state: 'off', reason: 'processors.process.enabled is false' });
  expect(named('k8s')).toMatchObject({ state: 'off', reason: 'not in this build yet', remedy: null });
  const on = features.filter(({ state }) => state === 'on').length;
  expect(countFeatures(features)).toBe(`${on}/${features.length}`);
  expect(features.every(({ state, reason }) => (state === 'on') === (reason === null))).toBe(true);
});

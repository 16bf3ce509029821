import { expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load.ts';
import { countFeatures, missingFeatures, pipelineFeatures } from '../../../src/pipeline/features.ts';

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

test('what the configuration leaves out and what is not in the build is not missing', () => {
  const off = (name: string) => ({ name, state: 'off' as const, reason: 'off', remedy: null });
  const received = ['sweep', 'queue_time_precise', 'udp'].map(off);
  const missing = (environment: Record<string, string>) =>
    missingFeatures([...received, ...pipelineFeatures(configuration(environment))], configuration(environment)).map(
      ({ name }) => name,
    );
  expect(missing({ SONDE_PROCESSORS_PROCESS_ENABLED: 'false' })).toEqual(['sweep']);
  expect(missing({ SONDE_CAPTURE_UDP: 'true', SONDE_CAPTURE_QUEUE_TIME: 'precise' })).toEqual([
    'sweep',
    'queue_time_precise',
    'udp',
  ]);
});

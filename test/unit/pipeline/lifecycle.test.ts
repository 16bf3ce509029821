import { expect, test } from 'vitest';
import { createLifecycle } from '../../../src/pipeline/lifecycle.ts';
import type { Component } from '../../../src/pipeline/lifecycle.ts';

function recorded(log: string[], name: string, change: Partial<Component> = {}): Component {
  return {
    name,
    start: async () => void log.push(`start ${name}`),
    stop: async () => void log.push(`stop ${name}`),
    ...change,
  };
}

test('exporters start first and stop last', async () => {
  const log: string[] = [];
  const lifecycle = createLifecycle({
    components: ['receiver', 'analyzer', 'exporter'].map((name) => recorded(log, name)),
  });
  await lifecycle.start();
  await Promise.all([lifecycle.stop(), lifecycle.stop()]);
  expect(log).toEqual([
    'start exporter',
    'start analyzer',
    'start receiver',
    'stop receiver',
    'stop analyzer',
    'stop exporter',
  ]);
});

test('when one cannot start, everything is stopped and the reason is told', async () => {
  const log: string[] = [];
  const refused = recorded(log, 'analyzer', { start: () => Promise.reject(new Error('port taken')) });
  const lifecycle = createLifecycle({ components: [recorded(log, 'receiver'), refused, recorded(log, 'exporter')] });
  await expect(lifecycle.start()).rejects.toThrow('port taken');
  expect(log).toEqual(['start exporter', 'stop receiver', 'stop analyzer', 'stop exporter']);
});

test('one that hangs or fails at its stop does not keep the others from stopping', async () => {
  const log: string[] = [];
  const failures: string[] = [];
  const lifecycle = createLifecycle({
    components: [
      recorded(log, 'hanging', { stop: () => new Promise(() => {}) }),
      recorded(log, 'failing', { stop: () => Promise.reject(new Error('broken')) }),
      recorded(log, 'exporter'),
    ],
    stopTimeoutMs: 20,
    onStopError: (name, error) => failures.push(`${name}: ${(error as Error).message}`),
  });
  await lifecycle.start();
  await lifecycle.stop();
  expect(log).toContain('stop exporter');
  expect(failures).toEqual(['hanging: hanging did not stop within 20 ms', 'failing: broken']);
});

import { expect, test } from 'vitest';
import { listenForStop } from '../../../src/cli/stop-signal.ts';

test('the first signal asks, the second one forces', async () => {
  const forced: number[] = [];
  const before = process.listenerCount('SIGTERM');
  const signal = listenForStop({ force: (code) => void forced.push(code) });
  process.emit('SIGTERM', 'SIGTERM');
  await signal.stopped;
  expect(forced).toEqual([]);
  process.emit('SIGINT', 'SIGINT');
  expect(forced).toEqual([130]);
  signal.dispose();
  expect(process.listenerCount('SIGTERM')).toBe(before);
});

test('it can be stopped without a signal', async () => {
  const signal = listenForStop({ force: () => {} });
  signal.stop();
  await expect(signal.stopped).resolves.toBeUndefined();
  signal.dispose();
});

import { expect, test } from 'vitest';
import { createLazySelfMetrics } from '../../../../src/receiver/self/lazy-self-metrics.ts';

test('metrics that cannot be made fail at the scrape, and at no moment that nobody waits for', async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown): void => void rejections.push(reason);
  process.on('unhandledRejection', note);
  try {
    let loads = 0;
    let scrape = (): Promise<string> => Promise.resolve('');
    const loaded = new Promise<void>((resolve) => {
      const lazy = createLazySelfMetrics({
        version: '0',
        loadAfterMs: 0,
        load: async () => {
          loads += 1;
          resolve();
          throw new Error('no prom-client');
        },
      });
      scrape = () => lazy.metrics();
    });
    // The timer of the program does not keep it alive; here something must.
    const alive = setInterval(() => {}, 1000);
    await loaded;
    clearInterval(alive);
    await new Promise((resolve) => setImmediate(resolve));
    expect(rejections).toEqual([]);
    await expect(scrape()).rejects.toThrow('no prom-client');
    expect(loads).toBe(1);
  } finally {
    process.off('unhandledRejection', note);
  }
});

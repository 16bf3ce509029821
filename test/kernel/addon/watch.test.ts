import { afterEach, describe, expect, it } from 'vitest';
import type { Probe } from '../../../src/receiver/kernel/addon.ts';
import { drain, openProducer, put } from './producer.ts';

let probe: Probe | undefined;

afterEach(() => {
  probe?.close();
  probe = undefined;
});

/** A watched probe, and the calls that came so far. */
function watched(): { open: Probe; calls: () => number } {
  const open = openProducer();
  probe = open;
  let count = 0;
  open.watch(() => {
    count += 1;
  });
  return { open, calls: () => count };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a watched probe', () => {
  it('calls back once when a ring holds something', async () => {
    const { open, calls } = watched();
    open.arm(5, 3_600_000);
    await pause(100);
    expect(calls()).toBe(0);
    expect(put(open)).toBe(1);
    await expect.poll(calls, { timeout: 5000 }).toBe(1);
    await pause(100);
    expect(calls()).toBe(1);
  });

  it('calls back at once for what lies there already, and not for what was drained', async () => {
    const { open, calls } = watched();
    put(open, { cpu: 1, count: 3 });
    open.arm(1, 3_600_000);
    await expect.poll(calls, { timeout: 5000 }).toBe(1);
    expect(drain(open, true)).toHaveLength(3);
    open.arm(1, 3_600_000);
    await pause(100);
    expect(calls()).toBe(1);
  });

  it('calls back in the end although nothing came', async () => {
    const { open, calls } = watched();
    open.arm(3_600_000, 20);
    await expect.poll(calls, { timeout: 5000 }).toBe(1);
    open.arm(3_600_000, 3_600_000);
    open.arm(5, 20);
    await expect.poll(calls, { timeout: 5000 }).toBe(2);
  });

  it('calls nobody unless it is asked to, nor after close', async () => {
    const { open, calls } = watched();
    put(open);
    await pause(50);
    expect(calls()).toBe(0);
    open.arm(1, 1);
    open.close();
    await pause(50);
    expect(calls()).toBeLessThanOrEqual(1);
    expect(() => open.arm(1, 1)).toThrow(expect.objectContaining({ code: 'ERR_SONDE_CLOSED' }) as Error);
  });

  it('refuses misuse', () => {
    const bad = expect.objectContaining({ code: 'ERR_SONDE_ARGUMENT' }) as Error;
    const open = openProducer();
    probe = open;
    expect(() => open.arm(1, 1)).toThrow(bad);
    expect(() => open.watch(undefined as unknown as () => void)).toThrow(bad);
    open.watch(() => {});
    expect(() => open.watch(() => {})).toThrow(bad);
    for (const [check, most] of [
      [0, 1],
      [1, 0],
      [1.5, 1],
      [1, 3_600_001],
      ['1', 1],
    ] as [number, number][]) {
      expect(() => open.arm(check, most)).toThrow(bad);
    }
  });
});

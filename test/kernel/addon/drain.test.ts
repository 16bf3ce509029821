import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { COUNTER, KIND, RECORD } from '../../../src/model/record.gen.ts';
import { type Probe, READER } from '../../../src/receiver/kernel/addon.ts';
import { drain, openProducer, poke, put, RING_BYTES } from './producer.ts';

let probe: Probe;

beforeEach(() => {
  probe = openProducer();
});

afterEach(() => {
  probe.close();
});

const numbers = (records: { number: number }[]): number[] => records.map((record) => record.number);
const own = (name: keyof typeof READER): number => probe.counters()[COUNTER.counters + READER[name]] ?? NaN;

describe('drain', () => {
  it('hands over what was written, once and in order', () => {
    expect(put(probe, { count: 100 })).toBe(100);
    expect(numbers(drain(probe, true))).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(drain(probe, true)).toEqual([]);
  });

  it('merges the CPUs by time', () => {
    put(probe, { cpu: 0, time: 1000n, number: 1 });
    put(probe, { cpu: 0, time: 3000n, number: 3 });
    put(probe, { cpu: 0, time: 3001n, number: 4 });
    put(probe, { cpu: 1, time: 2000n, number: 2 });
    put(probe, { cpu: 1, time: 4000n, number: 5 });
    expect(numbers(drain(probe, true))).toEqual([1, 2, 3, 4, 5]);
  });

  it('keeps the order of one CPU even where its times step back', () => {
    put(probe, { cpu: 0, time: 3000n, number: 2 });
    put(probe, { cpu: 0, time: 1000n, number: 3 });
    put(probe, { cpu: 1, time: 2000n, number: 1 });
    expect(numbers(drain(probe, true))).toEqual([1, 2, 3]);
  });

  it('holds back what is younger than 200 µs unless it flushes', async () => {
    put(probe, { time: process.hrtime.bigint() + 20_000_000n });
    expect(drain(probe, false)).toEqual([]);
    expect(probe.pending()).toBe(1);
    await expect.poll(() => drain(probe, false).length, { interval: 5 }).toBe(1);
    put(probe, { time: process.hrtime.bigint() + 3_600_000_000_000n });
    expect(drain(probe, false)).toEqual([]);
    expect(drain(probe, true)).toHaveLength(1);
  });

  it('stops at a record that is not committed yet, and goes on when it is', () => {
    put(probe, { number: 1 });
    put(probe, { number: 2, length: 0, room: 128 });
    put(probe, { number: 3 });
    expect(numbers(drain(probe, true))).toEqual([1]);
    expect(probe.pending()).toBe(0);
    poke(probe, { offset: 64, value: 128 });
    expect(probe.pending()).toBe(2);
    expect(numbers(drain(probe, true))).toEqual([2, 3]);
  });

  it('takes records of every length up to the longest, across the end of the ring', () => {
    const lengths = [64, 128, 192, 1024, RECORD.max.record - (RECORD.max.record % 64)];
    let written = 0;
    let read = 0;
    for (let round = 0; round < 200; round++) {
      const length = lengths[round % lengths.length] ?? 64;
      written += put(probe, { length, count: 7, number: round * 7 });
      const records = drain(probe, true);
      read += records.length;
      expect(records.map((record) => record.length)).toEqual(Array.from({ length: 7 }, () => length));
      expect(records[0]?.number).toBe(round * 7);
    }
    expect([written, read]).toEqual([1400, 1400]);
    expect(own('bad')).toBe(0);
  });

  it('leaves nothing behind that could pass for a record on the next lap', () => {
    for (let lap = 0; lap < 5; lap++) {
      // Long records in one lap, short reservations without a commit in the next: the lengths there must be 0.
      put(probe, { length: 4096, count: 15, number: 1 });
      drain(probe, true);
      expect(put(probe, { length: 0, room: 64, count: 3 })).toBe(3);
      expect(drain(probe, true)).toEqual([]);
      expect(probe.pending()).toBe(0);
      const reserved = (lap * (15 * 4096 + 192) + 15 * 4096) % RING_BYTES;
      for (let i = 0; i < 3; i++) poke(probe, { offset: (reserved + i * 64) % RING_BYTES, value: 64 });
      expect(drain(probe, true)).toHaveLength(3);
    }
  });

  it('stops when the target is nearly full and continues with the next call', () => {
    put(probe, { length: 1024, count: 20 });
    const first = drain(probe, true, 8192);
    expect(first).toHaveLength(8);
    expect(numbers(drain(probe, true, 8192))).toEqual([9, 10, 11, 12, 13, 14, 15, 16]);
    expect(numbers(drain(probe, true, 8192))).toEqual([17, 18, 19, 20]);
  });

  it('gives the room back: a full ring takes records again after a drain', () => {
    expect(put(probe, { length: 1024, count: 100 })).toBe(RING_BYTES / 1024);
    expect(probe.counters()[COUNTER.dropRingFull]).toBe(100 - RING_BYTES / 1024);
    expect(probe.ringUse()).toBe(1);
    expect(put(probe)).toBe(0);
    expect(drain(probe, true)).toHaveLength(RING_BYTES / 1024);
    expect(put(probe, { length: 1024, count: 100 })).toBe(RING_BYTES / 1024);
    expect(drain(probe, true)).toHaveLength(RING_BYTES / 1024);
    probe.ringUse();
    expect(probe.ringUse()).toBe(0);
  });

  it('counts what it did', () => {
    put(probe, { count: 10, length: 128 });
    put(probe, { cpu: 1, count: 5 });
    expect(probe.pending()).toBe(15);
    drain(probe, true);
    const counters = probe.counters();
    expect(counters[COUNTER.countRuns]).toBe(15);
    expect(counters[COUNTER.ringLife]).toBe(15);
    expect([own('records'), own('bytes'), own('drains'), own('bad')]).toEqual([15, 10 * 128 + 5 * 64, 1, 0]);
  });
});

describe('bad records', () => {
  it.each([
    ['no multiple of 64', 100],
    ['longer than any record', 1 << 20],
    ['longer than what is reserved', 128],
  ])('gives up the ring where a length is %s', (_, length) => {
    put(probe, { number: 1 });
    put(probe, { number: 2, length: 0, room: 64 });
    poke(probe, { offset: 64, value: length });
    expect(numbers(drain(probe, true))).toEqual([1]);
    expect([own('bad'), own('resyncs')]).toEqual([1, 1]);
    expect(probe.pending()).toBe(0);
    put(probe, { number: 3 });
    expect(numbers(drain(probe, true))).toEqual([3]);
  });

  it('skips only the record whose kind is unknown', () => {
    put(probe, { number: 1 });
    put(probe, { number: 2, kind: 77, length: 128 });
    put(probe, { number: 3, kind: 0 });
    put(probe, { number: 4 });
    expect(numbers(drain(probe, true))).toEqual([1, 4]);
    expect([own('bad'), own('resyncs'), own('records')]).toEqual([2, 0, 2]);
  });

  it('survives a head that ran away', () => {
    put(probe, { count: 3 });
    poke(probe, { offset: 0, value: 64, head: RING_BYTES * 4 });
    expect(drain(probe, true)).toEqual([]);
    expect(own('resyncs')).toBe(1);
    put(probe, { number: 9 });
    expect(numbers(drain(probe, true))).toEqual([9]);
  });
});

describe('origin', () => {
  it('is taken off every time in a record, but for those that say none', () => {
    const based = openProducer({ originNs: 1_000_000n });
    try {
      put(based, { time: 1_000_500n, otherTime: 1_000_400n });
      put(based, { time: 1_000_501n, otherTime: 0n });
      put(based, { time: 900_000n, otherTime: 1n });
      const records = drain(based, true);
      expect(records.map(({ time, lastTime }) => [time, lastTime])).toEqual([
        [500n, 400n],
        [501n, 0n],
        [1n, 1n],
      ]);
      put(based, { kind: KIND.totals, length: 128, time: 1_000_002n, otherTime: 1_000_001n });
      put(based, { kind: KIND.open, length: 192, time: 1_000_003n, otherTime: 1_000_001n });
      // last_send of a totals record lies where last_time is; an open record has its cookie there.
      expect(drain(based, true).map(({ time, lastTime }) => [time, lastTime])).toEqual([
        [2n, 1n],
        [3n, 1_000_001n],
      ]);
    } finally {
      based.close();
    }
  });
});

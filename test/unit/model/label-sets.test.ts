import { describe, expect, it } from 'vitest';
import { LABEL_SET_INDEX, LabelSets } from '../../../src/model/label-sets.ts';

describe('LabelSets', () => {
  it('gives equal labels the same id, whatever the order of their keys', () => {
    const sets = new LabelSets();
    const a = sets.intern({ protocol: 'http', status: '200' });
    const b = sets.intern({ status: '200', protocol: 'http' });
    expect(a).toBe(b);
    expect(a).toBeGreaterThan(0);
    expect(sets.labels(a)).toEqual({ protocol: 'http', status: '200' });
    expect(sets.intern({ protocol: 'http', status: '201' })).not.toBe(a);
    expect(sets.intern({ protocol: 'http', route: '200' })).not.toBe(a);
    expect(sets.size).toBe(3);
  });

  it('takes an empty value for an absent one', () => {
    const sets = new LabelSets();
    const id = sets.intern({ protocol: 'http', error: '' });
    expect(sets.labels(id)).toEqual({ protocol: 'http' });
    expect(sets.intern({ protocol: 'http' })).toBe(id);
  });

  it('resolves 0 to no labels', () => {
    const sets = new LabelSets();
    expect(sets.labels(0)).toEqual({});
    expect(sets.alive(0)).toBe(false);
    expect(() => sets.retain(0)).toThrow(RangeError);
  });

  it('frees a set only when every holder has released it', () => {
    const sets = new LabelSets();
    const freed: number[] = [];
    sets.onFree((id) => freed.push(id));
    const id = sets.intern({ protocol: 'http' });
    sets.retain(id);
    expect(sets.intern({ protocol: 'http' })).toBe(id);
    sets.release(id);
    sets.release(id);
    expect(sets.alive(id)).toBe(true);
    expect(freed).toEqual([]);
    sets.release(id);
    expect(sets.alive(id)).toBe(false);
    expect(freed).toEqual([id]);
    expect(sets.size).toBe(0);
    expect(() => sets.release(id)).toThrow(RangeError);
    expect(() => sets.retain(id)).toThrow(RangeError);
    expect(() => sets.labels(id)).toThrow(RangeError);
  });

  it('lets listeners read the labels of a set that is being freed, and stops calling one that left', () => {
    const sets = new LabelSets();
    const seen: unknown[] = [];
    const leave = sets.onFree((id) => seen.push(sets.labels(id)));
    sets.release(sets.intern({ operation: 'GET' }));
    leave();
    sets.release(sets.intern({ operation: 'PUT' }));
    expect(seen).toEqual([{ operation: 'GET' }]);
  });

  it('lets a listener release what it derived', () => {
    const sets = new LabelSets();
    const base = sets.intern({ pid: '1' });
    const derived = sets.intern({ pid: '1', service_name: 'a' });
    sets.onFree((id) => {
      if (id === base) sets.release(derived);
    });
    sets.release(base);
    expect(sets.alive(derived)).toBe(false);
    expect(sets.size).toBe(0);
  });

  it('never gives a freed id out again before its generations are used up', () => {
    const sets = new LabelSets();
    const seen = new Set<number>();
    for (let i = 0; i < 2_048; i += 1) {
      const id = sets.intern({ pid: String(i) });
      expect(id).toBeGreaterThan(0);
      expect(id).toBeLessThan(2 ** 31);
      expect(seen.has(id)).toBe(false);
      seen.add(id);
      sets.release(id);
    }
  });

  it('answers with one overflow set for each protocol and role at the cap, and counts it', () => {
    const sets = new LabelSets({ maxSets: 2 });
    const first = sets.intern({ protocol: 'http', role: 'server', pid: '1' });
    sets.intern({ protocol: 'http', role: 'server', pid: '2' });
    const over = sets.intern({ protocol: 'http', role: 'server', pid: '3' });
    expect(sets.labels(over)).toEqual({ protocol: 'http', role: 'server', overflow: 'true' });
    expect(sets.intern({ protocol: 'http', role: 'server', pid: '4' })).toBe(over);
    expect(sets.labels(sets.intern({ protocol: 'http', role: 'client', pid: '4' })).role).toBe('client');
    expect(sets.overflowed).toBe(3);
    expect(sets.size).toBe(2);
    // Known sets are still found, and room that comes free is used.
    expect(sets.intern({ protocol: 'http', role: 'server', pid: '1' })).toBe(first);
    sets.release(first);
    sets.release(first);
    expect(sets.labels(sets.intern({ protocol: 'http', role: 'server', pid: '3' })).pid).toBe('3');
  });

  it('never frees an overflow set', () => {
    const sets = new LabelSets({ maxSets: 0 });
    const over = sets.intern({ protocol: 'http' });
    for (let i = 0; i < 3; i += 1) sets.release(over);
    expect(sets.alive(over)).toBe(true);
  });

  it('bounds the overflow sets themselves', () => {
    const sets = new LabelSets({ maxSets: 0 });
    const ids = new Set(Array.from({ length: 1_000 }, (_, i) => sets.intern({ protocol: `p${i}`, role: 'client' })));
    expect(ids.size).toBeLessThanOrEqual(65);
    const last = sets.intern({ protocol: 'another', role: 'server' });
    expect(sets.labels(last)).toEqual({ overflow: 'true' });
  });

  it('cuts long values and mends ill-formed text', () => {
    const sets = new LabelSets({ maxValueLength: 8 });
    const labels = sets.labels(
      sets.intern({ route: '123456789', operation: 'a\uD800b', status: 'x\0y', error: '1234567😀89', comm: 'größe😀' }),
    );
    expect(labels.route).toBe('1234567…');
    expect(labels.operation).toBe('a\uFFFDb');
    expect(labels.status).toBe('x\uFFFDy');
    expect(labels.comm).toBe('größe😀');
    for (const value of Object.values(labels)) {
      expect(Buffer.from(value).toString()).toBe(value);
      expect(value.length).toBeLessThanOrEqual(8);
    }
  });

  it('keeps values with separators apart', () => {
    const sets = new LabelSets();
    const ids = new Set([
      sets.intern({ operation: 'a', route: 'b' }),
      sets.intern({ operation: 'a\0b' }),
      sets.intern({ operation: 'ab' }),
      sets.intern({ route: 'a\0b' }),
    ]);
    expect(ids.size).toBe(4);
  });

  it('keeps its tables as small as the sets alive when 200,000 distinct sets come and go', () => {
    const sets = new LabelSets({ maxSets: 1_000 });
    const held: number[] = [];
    let highest = 0;
    for (let i = 0; i < 200_000; i += 1) {
      const id = sets.intern({ protocol: 'http', role: 'server', route: `/r${i}` });
      highest = Math.max(highest, id & LABEL_SET_INDEX);
      held.push(id);
      if (held.length > 500) sets.release(held.shift() as number);
    }
    expect(sets.size).toBe(500);
    expect(sets.overflowed).toBe(0);
    expect(highest).toBeLessThan(600);
  });
});

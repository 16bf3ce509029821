import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Probe, POLICY_STRIDE } from '../../../src/receiver/kernel/addon.ts';
import { createPolicyTable } from '../../../src/receiver/kernel/policy-table.ts';
import { POLICY } from '../../../src/model/record.gen.ts';
import { openProducer } from './producer.ts';

let probe: Probe;

beforeEach(() => {
  probe = openProducer({ rodata: { small: 250, negative: -5, wide: 2 ** 40 } });
});

afterEach(() => {
  probe.close();
});

const key = (number: number): Uint8Array => new Uint8Array(Uint32Array.of(number).buffer);
const value = (number: bigint): Uint8Array => new Uint8Array(BigUint64Array.of(number).buffer);
const policyOf = (index: number): number =>
  new DataView(probe.run('read_policy', key(index)).output.buffer).getUint32(0, true);

it('constants have the values that were given', () => {
  const { retval, output } = probe.run('read_knobs', new Uint8Array(24));
  const view = new DataView(output.buffer);
  expect(retval).toBe(7);
  expect(view.getBigUint64(0, true)).toBe(2n ** 40n);
  expect(view.getInt32(8, true)).toBe(-5);
  expect(view.getUint32(12, true)).toBe(65_536);
  expect(view.getUint32(16, true)).toBe(250);
});

it('a hash map gives back what was written, until it is deleted', () => {
  expect(probe.mapLookup('pairs', key(1))).toBeUndefined();
  probe.mapUpdate('pairs', key(1), value(77n));
  expect(probe.mapLookup('pairs', key(1))).toEqual(value(77n));
  expect(probe.mapDelete('pairs', key(1))).toBe(true);
  expect(probe.mapDelete('pairs', key(1))).toBe(false);
  expect(probe.mapLookup('pairs', key(1))).toBeUndefined();
});

it('a full map is an error with a code', () => {
  probe.mapUpdate('pairs', key(1), value(1n));
  probe.mapUpdate('pairs', key(2), value(1n));
  expect(() => probe.mapUpdate('pairs', key(3), value(1n))).toThrow(
    expect.objectContaining({ code: 'ERR_SONDE_MAP' }) as Error,
  );
});

it('a stack takes a push with an empty key', () => {
  probe.mapUpdate('stack', new Uint8Array(0), value(5n));
  probe.mapUpdate('stack', new Uint8Array(0), value(6n));
  expect(probe.mapLookup('stack', new Uint8Array(0))).toEqual(value(6n));
});

it('the number of entries follows the options', () => {
  const large = openProducer({ mapEntries: { pairs: 100 } });
  for (let i = 0; i < 100; i++) large.mapUpdate('pairs', key(i), value(1n));
  expect(() => large.mapUpdate('pairs', key(100), value(1n))).toThrow(Error);
  large.close();
});

it('policies are the memory of the map', () => {
  expect(probe.policies.length).toBe(16 * POLICY_STRIDE);
  probe.policies[3 * POLICY_STRIDE] = 0xabcd0001;
  expect(policyOf(3)).toBe(0xabcd0001);
  expect(policyOf(2)).toBe(0);
  expect(new DataView(probe.mapLookup('policies', key(3))?.buffer ?? new ArrayBuffer(4)).getUint32(0, true)).toBe(
    0xabcd0001,
  );
});

it('a policy table writes words with their generation, and ignores what it does not have', () => {
  const table = createPolicyTable();
  table.set(1, 1, POLICY.ignore);
  table.bind(probe.policies);
  expect(policyOf(1)).toBe(0);
  table.set(1, 0xfffe, POLICY.headers | (3 << POLICY.receiveClassShift));
  table.set(15, 1, POLICY.count);
  table.set(16, 1, POLICY.count);
  table.set(0xffffffff, 1, POLICY.count);
  expect(policyOf(1)).toBe(0xfffe0000 + POLICY.set + POLICY.headers + (3 << POLICY.receiveClassShift));
  expect(policyOf(15)).toBe(0x10000 + POLICY.set + POLICY.count);
  table.unbind();
  table.set(15, 1, POLICY.ignore);
  expect(policyOf(15)).toBe(0x10000 + POLICY.set + POLICY.count);
});

it('an input that is smaller than what the program reads is an error with a code', () => {
  expect(() => probe.run('read_knobs', new Uint8Array(1))).toThrow(
    expect.objectContaining({ code: 'ERR_SONDE_RUN' }) as Error,
  );
});

it('the maps are charged at least their rings', () => {
  expect(probe.mapBytes()).toBeGreaterThan(2 * 65_536);
});

import { expect, it } from 'vitest';
import { createEnumNames } from '../../../../src/receiver/kernel/enum-names.ts';

it('reads an enumeration once, and knows what it does not have', () => {
  const asked: string[] = [];
  const name = createEnumNames((enumeration) => {
    asked.push(enumeration);
    return enumeration === 'fruit' ? { 1: 'APPLE' } : undefined;
  });
  expect([name('fruit', 1), name('fruit', 2), name('tree', 1), name('tree', 1)]).toEqual([
    'APPLE',
    undefined,
    undefined,
    undefined,
  ]);
  expect(asked).toEqual(['fruit', 'tree']);
});

it('has no names where the kernel has no type information', () => {
  const name = createEnumNames(() => {
    throw new Error('no BTF');
  });
  expect(name('fruit', 1)).toBeUndefined();
});

import { expect, test } from 'vitest';
import type { Consumer, DataGroup } from '../../../src/model/data-group.ts';
import { fanOut } from '../../../src/pipeline/fan-out.ts';

const group: DataGroup = { name: 'x', labels: 0, metrics: new Float64Array(1), timestamp: 0 };

test('every consumer gets the group, in order; one alone is not wrapped', () => {
  const log: string[] = [];
  const consumer = (name: string): Consumer => ({ consume: (one) => void log.push(name + one.name) });
  fanOut([consumer('a'), consumer('b')]).consume(group);
  expect(log).toEqual(['ax', 'bx']);
  const alone = consumer('c');
  expect(fanOut([alone])).toBe(alone);
  expect(() => fanOut([]).consume(group)).not.toThrow();
});

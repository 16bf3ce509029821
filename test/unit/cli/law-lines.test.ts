import { expect, test } from 'vitest';
import { lawLines } from '../../../src/cli/law-lines.ts';

test('a stage is one line of keys and values, with the reasons that happened', () => {
  const read = () => ({
    produced: 9,
    delivered: 5,
    inFlight: 1,
    dropped: { ring_full: 1, recursion: 0, storage_full: 1 },
    skipped: { peek: 1 },
  });
  expect(lawLines([{ name: 'hook', read }])).toEqual([
    'law stage=hook produced=9 delivered=5 in_flight=1 dropped=2 skipped=1 dropped.ring_full=1 dropped.storage_full=1 skipped.peek=1',
  ]);
});

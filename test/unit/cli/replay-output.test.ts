import { describe, expect, test } from 'vitest';
import { detectFormat } from '../../../src/cli/replay/input-format.ts';
import { OrderedExchanges } from '../../../src/cli/replay/ordered-exchanges.ts';
import { formatNs, tableLines } from '../../../src/cli/replay/table.ts';
import { parseMoment } from '../../../src/cli/replay/time.ts';
import type { ExchangeLine } from '../../../src/model/exchange-line.ts';
import { exchangeLine } from './exchange-line.fixture.ts';

describe('times', () => {
  test.each([
    ['1700000000123456789', 1_700_000_000_123_456_789n],
    ['2023-11-14T22:13:20Z', 1_700_000_000_000_000_000n],
    ['2023-11-14T22:13:20.123456789Z', 1_700_000_000_123_456_789n],
    ['2023-11-15T00:13:20+02:00', 1_700_000_000_000_000_000n],
    ['2023-11-14 22:13:20z', 1_700_000_000_000_000_000n],
  ])('%s is read to the ns', (text, at) => expect(parseMoment(text, '--from')).toEqual({ at }));

  test('a plus sign is relative to the first exchange', () => {
    expect(parseMoment('+1.5s', '--from')).toEqual({ after: 1_500_000_000n });
  });

  test.each(['', 'yesterday', '5s', '2023-11-14', '2023-13-14T22:13:20Z', '-1', '+x'])('%j is refused', (text) => {
    expect(() => parseMoment(text, '--to')).toThrow(/--to .* is no time/);
  });
});

test('exchanges come by time, then by connection, then as they ended, between the two moments', () => {
  const ordered = new OrderedExchanges({ from: { after: 1n }, to: { at: 105n } });
  for (const [time, conn, pid] of [
    ['104', 'b', 1],
    ['103', 'b', 2],
    ['103', 'a', 3],
    ['103', 'a', 4],
    ['100', 'a', 5],
    ['105', 'a', 6],
    ['99', 'z', 7],
  ] as const) {
    ordered.add(exchangeLine({ time, conn, pid }));
  }
  expect([...ordered.lines()].map((line) => (JSON.parse(line) as ExchangeLine).pid)).toEqual([5, 3, 4, 2, 1]);
});

describe('formats are told by content', () => {
  test.each([
    ['{"time":"1"}', 'ndjson'],
    ['\ufeff\n {"time":"1"}', 'ndjson'],
    ['garbage', 'ndjson'],
    ['', 'empty'],
    ['\n\n', 'empty'],
  ])('%j is %s', (text, format) => expect(detectFormat(Buffer.from(text))).toBe(format));

  test.each([
    ['d4c3b2a1020004', 'pcap'],
    ['a1b23c4d000200', 'pcap'],
    ['0a0d0d0a1c000000', 'pcapng'],
    ['534f4e44450001', 'sonde'],
    ['7f454c4602010100', 'unknown'],
  ])('%s is %s', (hex, format) => expect(detectFormat(Buffer.from(hex, 'hex'))).toBe(format));
});

test('the table is aligned and lets nothing from the wire through to the terminal', () => {
  const lines = [
    ...tableLines(() => [
      exchangeLine({ resource: '/\u001b[31mred\u202e', status: '503', error: 'status' }),
      exchangeLine({
        operation: null,
        resource: null,
        status: null,
        error: 'reset',
        complete: false,
        protocol: 'generic',
      }),
    ]),
  ];
  expect(lines).toHaveLength(3);
  expect(lines.join('')).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(lines[1]).toContain('503');
  expect(lines[2]).toContain('reset (incomplete)');
  expect(lines[1]?.indexOf('GET')).toBe(lines[0]?.indexOf('REQUEST'));
});

test('a table may have more rows than a call can have arguments', () => {
  const rows = 150_000;
  let lines = 0;
  for (const _ of tableLines(() => Array<ReturnType<typeof exchangeLine>>(rows).fill(exchangeLine({})))) {
    lines += 1;
  }
  expect(lines).toBe(rows + 1);
});

test.each([
  [0, '0ns'],
  [999, '999ns'],
  [1234, '1.23us'],
  [12_345_678, '12.3ms'],
  [999_999, '1.00ms'],
  [12e9, '12.0s'],
])('%d ns read %s', (ns, text) => expect(formatNs(ns)).toBe(text));

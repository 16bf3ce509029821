import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExchangeLine } from '../../../src/model/exchange-line.ts';
import { parseFilter } from '../../../src/control/exchange-filter.ts';
import { SondeError } from '../../../src/model/errors.ts';
import { exchangeLine } from './exchange-line.fixture.ts';

const holds = (expression: string, change: Partial<ExchangeLine> = {}): boolean =>
  parseFilter(expression)(exchangeLine(change));

describe('comparisons', () => {
  test.each<[string, Partial<ExchangeLine>, boolean]>([
    ['protocol=http', {}, true],
    ['protocol!=http', {}, false],
    ['status>=500', { status: '503' }, true],
    ['status>=500', { status: '404' }, false],
    ['status>=500', { status: null }, false],
    ['status<500', { status: null }, false],
    ['status=200', {}, true],
    ['error=null', {}, true],
    ['error!=null', { error: 'reset' }, true],
    ['duration_ns>=5ms', { duration_ns: 5_000_000 }, true],
    ['duration_ns<5ms', { duration_ns: 5_000_000 }, false],
    ['duration_ns=5ms', { duration_ns: 5_000_000 }, true],
    ['response_bytes>1KiB', { response_bytes: 1025 }, true],
    ['resource~/api/', { resource: '/v1/api/x' }, true],
    ['resource!~/api/', { resource: '/v1' }, true],
    ['resource="/a b"', { resource: '/a b' }, true],
    ["resource='/a\\'b'", { resource: "/a'b" }, true],
    ['complete=true', {}, true],
    ['complete=false', {}, false],
    ['pid=7', { pid: 7 }, true],
    ['attributes.url.scheme=http', { attributes: { 'url.scheme': 'http' } }, true],
    ['attributes.url.scheme=null', {}, true],
    ['attributes.toString=null', {}, true],
  ])('%s of %j is %s', (expression, change, expected) => expect(holds(expression, change)).toBe(expected));
});

test('and binds closer than or, not closest, parentheses change that', () => {
  expect(holds('protocol=x and protocol=x or protocol=http')).toBe(true);
  expect(holds('protocol=x and (protocol=x or protocol=http)')).toBe(false);
  expect(holds('not protocol=x and protocol=http')).toBe(true);
  expect(holds('NOT (protocol=http OR protocol=x)')).toBe(false);
  expect(holds('not not protocol=http')).toBe(true);
});

describe('errors', () => {
  test.each([
    ['', 'column 1: a key is missing'],
    ['protocol', 'column 9: an operator'],
    ['protocol=', 'column 10: a value is missing'],
    ['protocol=http status=200', 'column 15: "status" is not expected here'],
    ['(protocol=http', 'a ) is missing'],
    ['protocl=http', 'did you mean protocol?'],
    ['status>abc', '"abc" is no number'],
    ['status>null', 'null can only be compared'],
    ['resource="open', 'column 10: "\\"open" is not understood'],
    ['constructor=1', 'no key "constructor"'],
    [`${'('.repeat(40)}pid=1${')'.repeat(40)}`, 'nested too deeply'],
    [`${'not '.repeat(200)}pid=1`, 'nested too deeply'],
    ['x'.repeat(1001), 'longer than 1000'],
  ])('%j is refused with the place', (expression, expected) => {
    expect(() => parseFilter(expression)).toThrow(SondeError);
    expect(() => parseFilter(expression)).toThrow(expected);
  });

  test('any text gives a filter or a usage error', () => {
    const line = exchangeLine();
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        try {
          expect(typeof parseFilter(text)(line)).toBe('boolean');
        } catch (error) {
          expect((error as SondeError).code).toBe('SONDE_USAGE');
        }
      }),
    );
  });
});

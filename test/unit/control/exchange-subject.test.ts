import { expect, test } from 'vitest';
import { isAbout, readSubject } from '../../../src/control/exchange-subject.ts';
import type { Labels } from '../../../src/model/label-sets.ts';
import { exchangeLine } from '../cli/exchange-line.fixture.ts';

const LABELS: Labels = { service_name: 'shop', comm: 'node', protocol: 'http', operation: 'GET', route: '/users/{id}' };
const LINE = exchangeLine({ src: '10.0.0.9:40000', dst: '[2001:db8::1]:80' });

test.each([
  ['', true],
  ['service=shop&role=server&protocol=http&route=GET /users/{id}', true],
  ['service=node', false],
  ['role=client', false],
  ['protocol=generic', false],
  ['route=GET /users', false],
  ['peer=[2001:db8::1]:80', true],
  ['peer=10.0.0.9', true],
  ['peer=10.0.0.9:40000', false],
])('%s is asked for: %s', (query, expected) => {
  const subject = readSubject(new URLSearchParams(query));
  expect(subject === undefined || isAbout(subject, LABELS, LINE)).toBe(expected);
});

test('a process without a service goes by its thread, what found no room by one name, no route is empty', () => {
  expect(isAbout({ service: 'node', route: '' }, { comm: 'node' }, LINE)).toBe(true);
  expect(isAbout({ service: '(other)' }, { overflow: 'true' }, LINE)).toBe(true);
  expect(isAbout({ service: '(unknown)' }, {}, LINE)).toBe(true);
});

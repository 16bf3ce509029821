import { describe, expect, test } from 'vitest';
import { addressText, endpointText } from '../../../../src/analyzer/network/address.ts';
import { LabelCache, LabelKeyWords } from '../../../../src/analyzer/network/label-cache.ts';
import { routeOf } from '../../../../src/analyzer/network/protocol/http/route.ts';
import { RecordStore } from '../../../../src/analyzer/network/record-store.ts';
import { TextIds, TextTable } from '../../../../src/analyzer/network/text-table.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import { Harness } from '../harness.ts';
import { RecordWriter } from '../records.ts';

describe('routes', () => {
  test.each([
    ['/', '/'],
    ['', ''],
    ['/users/42', '/users/{id}'],
    ['/users/42/posts/7/', '/users/{id}/posts/{id}/'],
    ['/v1/items', '/v1/items'],
    ['/f/123e4567-e89b-12d3-a456-426614174000', '/f/{id}'],
    ['/f/123E4567-E89B-12D3-A456-426614174000/x', '/f/{id}/x'],
    ['/c/deadbeef', '/c/{id}'],
    ['/c/deadbee', '/c/deadbee'],
    ['/c/0123456789abcdefg', '/c/0123456789abcdefg'],
    [`/t/${'a'.repeat(25).replaceAll('a', 'z')}`, `/t/${'z'.repeat(25)}`],
    [`/t/${'z'.repeat(26)}`, '/t/{id}'],
    ['/a//b', '/a//b'],
    ['*', '*'],
    ['db:5432', 'db:5432'],
  ])('%s → %s', (path, route) => {
    expect(routeOf(path)).toBe(route);
  });
});

describe('addresses', () => {
  const v6 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(':', ''), 'hex'));
  test.each([
    ['20010db8:00000000:00000000:00000001', '2001:db8::1'],
    ['00000000:00000000:00000000:00000000', '::'],
    ['00000000:00000000:00000000:00000001', '::1'],
    ['20010db8:00000001:00010001:00010001', '2001:db8:0:1:1:1:1:1'],
    ['20010000:00000001:00000000:00000001', '2001:0:0:1::1'],
    ['fe800000:00000000:00000000:00000000', 'fe80::'],
    ['00000000:00000000:0000ffff:0a000001', '10.0.0.1'],
  ])('%s is %s', (bytes, text) => {
    expect(addressText(v6(bytes), 6)).toBe(text);
  });

  test('ends have brackets where they are needed', () => {
    expect(endpointText('::1', 80)).toBe('[::1]:80');
    expect(endpointText('10.0.0.1', 80)).toBe('10.0.0.1:80');
    expect(endpointText('', 80)).toBe('');
  });
});

describe('the table of texts', () => {
  const table = (capacity: number): TextTable => new TextTable({ capacity, ids: new TextIds(), maxBytes: 64 });

  test('gives one text for the same bytes', () => {
    const texts = table(64);
    const bytes = Buffer.from('/a/b/a');
    expect(texts.intern(bytes, 0, 2)).toBe(texts.intern(bytes, 4, 6));
    expect(texts.intern(bytes, 0, 2).text).toBe('/a');
    expect(texts.internString('/a')).toBe(texts.intern(bytes, 0, 2));
  });

  test('is bounded, and what it let go of stays as it was', () => {
    const texts = table(16);
    const first = texts.internString('first');
    for (let i = 0; i < 1000; i++) texts.internString(`text ${i}`);
    expect(first.text).toBe('first');
    expect(texts.internString('first').text).toBe('first');
    expect(texts.internString('first').id).not.toBe(first.id);
  });

  test('reads UTF-8, keeps what is none, and cuts what is too long', () => {
    const texts = table(16);
    expect(texts.internString('/größe').text).toBe('/größe');
    expect(texts.intern(Uint8Array.of(0xff, 0x41), 0, 2).text).toBe('\ufffdA');
    expect(texts.internString('x'.repeat(500)).text).toHaveLength(64);
    expect(texts.internString('x'.repeat(500))).toBe(texts.internString('x'.repeat(500)));
  });
});

describe('the cache of label sets', () => {
  const key = (operation: number): LabelKeyWords => Object.assign(new LabelKeyWords(), { endpoint: 1, operation });

  test('holds a reference while a set is in use, and lets go of it after', () => {
    const labels = new LabelSets();
    const cache = new LabelCache(labels, 64);
    cache.add(key(1), labels.intern({ operation: 'a' }));
    expect(labels.size).toBe(1);
    cache.sweep();
    expect(cache.find(key(1))).not.toBe(0);
    cache.sweep();
    expect(labels.size).toBe(1);
    cache.sweep();
    expect(labels.size).toBe(0);
    expect(cache.find(key(1))).toBe(0);
  });

  test('finds no set that has died', () => {
    const labels = new LabelSets();
    const cache = new LabelCache(labels, 64);
    const id = labels.intern({ operation: 'a' });
    cache.add(key(1), id);
    labels.release(id);
    expect(cache.find(key(1))).toBe(0);
    cache.sweep();
  });

  test('does not grow, and frees what it drops', () => {
    const labels = new LabelSets({ maxSets: 100_000 });
    const cache = new LabelCache(labels, 64);
    for (let i = 0; i < 1000; i++) cache.add(key(i), labels.intern({ operation: String(i) }));
    expect(cache.size).toBeLessThanOrEqual(64);
    expect(labels.size).toBe(cache.size);
    cache.clear();
    expect(labels.size).toBe(0);
  });

  test('asks again for what overflowed, once there is room', () => {
    const labels = new LabelSets({ maxSets: 1 });
    const first = labels.intern({ operation: 'first' });
    const cache = new LabelCache(labels, 64);
    cache.add(key(2), labels.intern({ operation: 'second' }));
    expect(labels.labels(cache.find(key(2)))).toMatchObject({ overflow: 'true' });
    labels.release(first);
    cache.sweep();
    expect(cache.find(key(2))).toBe(0);
  });
});

test('stored records keep their order when one is taken out', () => {
  const writer = new RecordWriter();
  for (let kind = 1; kind <= 40; kind++) writer.record(kind, 64 * (1 + (kind % 3)), 0, 0, 0);
  const batch = writer.take();
  const store = new RecordStore();
  for (let offset = 0; offset < batch.length; offset += batch.words[offset >>> 2]) {
    store.add(batch.bytes, offset, batch.words[offset >>> 2]);
  }
  store.remove(store.lengthAt(0));
  const kinds: number[] = [];
  for (let offset = 0; offset < store.length; offset += store.lengthAt(offset)) kinds.push(store.bytes[offset + 4]);
  expect(kinds).toEqual([1, ...Array.from({ length: 38 }, (_, i) => i + 3)]);
});

test('labels are those of the server, the process and the outcome', () => {
  const harness = new Harness();
  const ids = new Set<number>();
  const labelled = new Harness({
    labels: harness.labels,
    next: {
      consume: (group) => {
        ids.add(group.labels);
        expect(harness.labels.labels(group.labels)).toEqual({
          protocol: 'http',
          role: 'server',
          operation: 'GET',
          route: '/users/{id}',
          status: '500',
          error: 'status',
          server_address: '10.0.0.1',
          server_port: '80',
          pid: '77',
          comm: 'nginx',
        });
      },
    },
  });
  const socket = labelled.socket().open(1);
  for (let i = 0; i < 50; i++) {
    socket.receive(100 * i + 10, `GET /users/${i} HTTP/1.1\r\n\r\n`);
    socket.send(100 * i + 20, 'HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
  }
  labelled.deliver();
  expect(ids.size).toBe(1);
});

import { describe, expect, test } from 'vitest';
import { RECORD } from '../../../../src/model/record.gen.ts';
import { Harness } from '../harness.ts';

function randomFrom(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

const PIECES = [
  'GET /a HTTP/1.1\r\n',
  'POST /b HTTP/1.1\r\nContent-Length: 9\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\n\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Content-Length: 99999999999999999999\r\n',
  'Content-Length: 3\r\n',
  'Expect: 100-continue\r\n',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n',
  '\r\n',
  '\n',
  '5\r\nhello\r\n',
  'ffffffffffffffff\r\n',
  '0\r\n\r\n',
  'abc',
  '\0\u00ff\u0080',
];

/** Conversations of pieces that are valid and make no sense together. */
function babble(harness: Harness, random: () => number): void {
  const sockets = [0, 1, 2].map((index) => {
    const socket = harness.socket({ index, role: (['client', 'server', 'unknown'] as const)[index] });
    return random() < 0.8 ? socket.open(1) : socket;
  });
  for (let i = 0; i < 60; i++) {
    const socket = sockets[Math.floor(random() * sockets.length)];
    let data = '';
    for (let n = 0; n <= random() * 4; n++) data += PIECES[Math.floor(random() * PIECES.length)];
    const more = {
      lost: random() < 0.1,
      unreadable: random() < 0.1,
      ...(random() < 0.2 ? { size: data.length + Math.floor(random() * 1e6) } : {}),
    };
    if (random() < 0.5) socket.receive(1000 * i, data, more);
    else socket.send(1000 * i, data, more);
    socket.untimed = random() < 0.3;
    const spliced = random() < 0.1;
    if (spliced) socket.splice(random() < 0.5 ? 'send' : 'receive', 1 + Math.floor(random() * 1000));
    if (spliced || random() < 0.1) socket.totals(1000 * i + 1);
    if (random() < 0.2) harness.tick(1000 * i + 2);
  }
  for (const socket of sockets) socket.close(100_000, Math.floor(random() * 7));
}

describe('nonsense', () => {
  test.each(Array.from({ length: 100 }, (_, i) => i + 1))('seed %i: keeps the law, and ends', (seed) => {
    const harness = new Harness();
    babble(harness, randomFrom(seed));
    harness.tick(200_000).tick(300_000);
    expect(harness.lawGap).toBe(0);
    harness.flush(400_000);
    expect(harness.lawGap).toBe(0);
    expect(harness.analyzer.stage.read().inFlight).toBe(0);
    for (const one of harness.seen) {
      expect(Number.isFinite(one.time)).toBe(true);
      expect(one.requestBytes).toBeGreaterThanOrEqual(0);
      expect(one.responseBytes).toBeGreaterThanOrEqual(0);
      expect(one.duration ?? 0).toBeGreaterThanOrEqual(0);
    }
  });

  test.each(Array.from({ length: 60 }, (_, i) => i + 1))('seed %i: bytes that flipped are survived', (seed) => {
    const random = randomFrom(seed + 1000);
    let untimed = 0;
    // A turn that flipped may stand for a million exchanges: they are looked at, not kept.
    const harness = new Harness({
      next: { consume: (group) => (untimed += Number.isFinite(group.timestamp) ? 0 : 1) },
    });
    babble(harness, random);
    const batch = harness.writer.take();
    for (let offset = 0; offset < batch.length; offset += batch.words[offset >>> 2]) {
      // Lengths stay: a wrong one ends the batch, which is another test.
      if (random() < 0.3) batch.bytes[offset + 4 + Math.floor(random() * 60)] = Math.floor(random() * 256);
    }
    expect(() => {
      harness.analyzer.consume(batch);
      harness.analyzer.tick(1e12);
      harness.analyzer.tick(2e12);
      harness.analyzer.flush(3e12);
    }).not.toThrow();
    expect(untimed).toBe(0);
    expect(harness.lawGap).toBe(0);
  });
});

test('a record that claims more payload than it has is bad, not read beyond its end', () => {
  const harness = new Harness();
  harness.socket().open(1);
  harness.deliver();
  harness.socket().receive(10, 'GET / HTTP/1.1\r\n\r\n');
  const batch = harness.writer.take();
  batch.halves[RECORD.head.captured / 2] = 5000;
  harness.analyzer.consume(batch);
  expect(harness.analyzer.stage.read()).toMatchObject({ produced: 1, dropped: { bad_record: 1 } });
  expect(harness.lawGap).toBe(0);
});

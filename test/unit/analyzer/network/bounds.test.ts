import { describe, expect, test } from 'vitest';
import { Harness } from '../harness.ts';

const DEPTH = 1500;
const MAX_OPEN = 1024;

function request(i: number): string {
  return `GET /r${i} HTTP/1.1\r\nHost: a\r\n\r\n`;
}

/** Its status tells which request it answers. */
function response(i: number): string {
  const body = 'x'.repeat(i % 7);
  return `HTTP/1.1 ${i % 90 === 4 ? 290 : 200 + (i % 90)} Fine\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function status(i: number): string {
  return response(i).slice(9, 12);
}

describe('a pipeline deeper than the bound', () => {
  test('loses its oldest, and no response goes to another request', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    for (let i = 0; i < DEPTH; i++) socket.receive(1000 + i, request(i));
    for (let i = 0; i < DEPTH; i++) socket.send(5000 + i, response(i));
    harness.deliver();
    expect(harness.analyzer.statistics.crowdedOut).toBe(DEPTH - MAX_OPEN);
    expect(harness.seen).toHaveLength(DEPTH);
    for (const [i, one] of harness.seen.entries()) {
      const isOut = i < DEPTH - MAX_OPEN;
      expect(one).toMatchObject({ resource: `/r${i}`, status: isOut ? null : status(i), complete: !isOut });
    }
    expect(harness.analyzer.stage.read()).toMatchObject({ inFlight: 0, dropped: { gap: DEPTH - MAX_OPEN } });
    expect(harness.lawGap).toBe(0);
  });

  test.each([
    ['head', 'HTTP/1.1 200 O', 'K\r\nContent-Length: 8\r\n\r\n12345678'],
    ['body', 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n1234', '5678'],
  ])('loses a response of which half the %s was read', (_part, half, rest) => {
    const harness = new Harness();
    const socket = harness.socket().open(1).receive(10, request(0)).receive(11, request(1)).send(20, half);
    for (let i = 2; i < DEPTH; i++) socket.receive(1000 + i, request(i));
    socket.send(5000, rest);
    for (let i = 1; i < DEPTH; i++) socket.send(5000 + i, response(i));
    harness.deliver();
    expect(harness.seen).toHaveLength(DEPTH);
    for (const [i, one] of harness.seen.entries()) {
      expect(one.resource).toBe(`/r${i}`);
      if (i >= DEPTH - MAX_OPEN) expect(one).toMatchObject({ status: status(i), complete: true });
      else expect(one).toMatchObject({ complete: false, duration: null });
    }
    expect(harness.lawGap).toBe(0);
  });
});

describe('a record with a turn that cannot be', () => {
  test.each([
    ['http', 'GET / HTTP/1.1\r\n\r\n'],
    ['generic', '\u0001'],
  ])('yields a bounded number of exchanges between two ticks, and counts the rest (%s)', (_, ask) => {
    const harness = new Harness();
    const socket = harness.socket().open(1).receive(10, ask);
    if (ask === '\u0001') for (let i = 0; i < 4; i++) socket.send(20 + 20 * i, 'x').receive(30 + 20 * i, ask);
    harness.deliver();
    const before = harness.seen.length;
    socket.turn += 2_000_001;
    socket.send(200, 'HTTP/1.1 204 No\r\n\r\n');
    harness.deliver();
    const { statistics } = harness.analyzer;
    expect(harness.seen.length - before).toBeGreaterThan(65_536 / 2);
    expect(harness.seen.length - before).toBeLessThan(65_536 + 10);
    expect(statistics.uncountedExchanges + harness.seen.length - before).toBeGreaterThan(999_990);
    expect(harness.lawGap).toBe(0);
    // A tick later there is room again.
    const after = harness.seen.length;
    harness.tick(300);
    socket.turn += 10;
    socket.receive(310, ask);
    harness.deliver();
    expect(harness.seen.length).toBeGreaterThan(after + 3);
  });
});

describe('what waits on all connections together', () => {
  const CONNECTIONS = 600;

  test('undecided records are bounded: the connections beyond are decided at once', () => {
    const harness = new Harness({ maxConnections: CONNECTIONS });
    const noise = '\u0001'.repeat(4096);
    for (let index = 0; index < CONNECTIONS; index++) {
      const socket = harness.socket({ index, role: 'unknown' }).open(1);
      for (let i = 0; i < 7; i++) socket.receive(10 + i, noise);
      harness.deliver();
    }
    const { statistics } = harness.analyzer;
    expect(statistics.decidedEarly).toBeGreaterThan(0);
    expect(statistics.decidedEarly).toBeLessThan(CONNECTIONS / 2);
    for (let index = 0; index < CONNECTIONS; index++) harness.socket({ index }).close(100);
    harness.flush(200);
    expect(harness.seen).toHaveLength(CONNECTIONS);
    expect(harness.lawGap).toBe(0);
    // What they held is given back.
    const before = statistics.decidedEarly;
    harness.socket({ index: 0, generation: 2, role: 'unknown' }).open(300).receive(310, noise);
    harness.deliver();
    expect(statistics.decidedEarly).toBe(before);
  });

  test.each(['request', 'response'])('a %s head that goes on is bounded: heads beyond are cut', (part) => {
    const connections = 2000;
    const harness = new Harness({ maxConnections: connections });
    const { statistics } = harness.analyzer;
    const first = part === 'request' ? 'GET /long HTTP/1.1\r\n' : 'HTTP/1.1 200 OK\r\n';
    const piece = `X-Filler: ${'x'.repeat(4000)}\r\n`;
    const begin = (index: number, generation: number): void => {
      const socket = harness.socket({ index, generation }).open(1);
      if (part === 'request') for (let i = 0; i < 3; i++) socket.receive(10 + i, (i === 0 ? first : '') + piece);
      else {
        socket.receive(5, 'GET /long HTTP/1.1\r\n\r\n');
        for (let i = 0; i < 3; i++) socket.send(10 + i, (i === 0 ? first : '') + piece);
      }
      harness.deliver();
    };
    for (let index = 0; index < connections; index++) begin(index, 1);
    expect(statistics.headsCutShort).toBeGreaterThan(0);
    expect(statistics.headsCutShort).toBeLessThan(connections);
    harness.flush(200);
    expect(harness.seen).toHaveLength(connections);
    expect(harness.seen.filter((one) => one.error !== null)).toEqual([]);
    // A request whose head is still waited for has no name yet; one that was cut has.
    const named = harness.seen.filter((one) => one.resource === '/long').length;
    expect(named).toBe(part === 'request' ? statistics.headsCutShort : connections);
    expect(harness.lawGap).toBe(0);
    const before = statistics.headsCutShort;
    begin(0, 2);
    expect(statistics.headsCutShort).toBe(before);
  });
});

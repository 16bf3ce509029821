import { describe, expect, test } from 'vitest';
import { line, replayChunks, replayLines, START } from './harness.ts';

const GET = 'GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ENDS = { src: '10.0.0.9:5000', dst: '10.0.0.1:80' };

describe('an exchange from two lines', () => {
  test('comes out with its time exact to the nanosecond and the names of the input', async () => {
    const { seen, bad, analyzer } = await replayLines([
      line(123_456_789, 'c-1', { direction: 'recv', role: 'server', ...ENDS, pid: 7, comm: 'web', data: GET }),
      line(123_456_789 + 1_000_001, 'c-1', { direction: 'send', data: OK }),
    ]);
    expect(bad).toEqual([]);
    expect(seen).toMatchObject([
      {
        wallTime: String(START + 123_456_789n),
        connection: 'c-1',
        protocol: 'http',
        role: 'server',
        operation: 'GET',
        resource: '/a',
        status: '200',
        error: null,
        source: '10.0.0.9:5000',
        destination: '10.0.0.1:80',
        duration: 1_000_001,
        pid: 7,
        comm: 'web',
        requestBytes: GET.length,
        responseBytes: OK.length,
        complete: true,
      },
    ]);
    const { produced, delivered, inFlight } = analyzer.stage.read();
    expect({ produced, delivered, inFlight }).toEqual({ produced: 2, delivered: 2, inFlight: 0 });
  });

  test.each([
    ['recv', 'send', 'server'],
    ['send', 'recv', 'client'],
  ])('tells the role from the bytes: a request that is %s', async (request, response, role) => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: request, ...ENDS, data: GET }),
      line(5, 'c', { direction: response, ...ENDS, data: OK }),
    ]);
    expect(seen).toMatchObject([{ role, source: '10.0.0.9:5000', destination: '10.0.0.1:80', status: '200' }]);
  });

  test('reads IPv6 ends', async () => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', role: 'server', src: '[2001:db8::1]:9', dst: '[::1]:80', data: GET }),
      line(5, 'c', { direction: 'send', data: OK }),
    ]);
    expect(seen).toMatchObject([{ source: '[2001:db8::1]:9', destination: '[::1]:80' }]);
  });

  test('needs no ends at all', async () => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', data: GET }),
      line(5, 'c', { direction: 'send', data: OK }),
    ]);
    expect(seen).toMatchObject([{ role: 'server', source: '', destination: '', status: '200', pid: 0, comm: '' }]);
  });

  test('is not complete in its body where size says that more passed, but framed all the same', async () => {
    const body = 'HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n';
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', data: GET }),
      line(5, 'c', { direction: 'send', data: body, size: body.length + 100_000 }),
      line(9, 'c', { direction: 'recv', data: GET }),
      line(15, 'c', { direction: 'send', data: OK }),
    ]);
    expect(seen).toMatchObject([
      { status: '200', duration: 5, responseBytes: body.length + 100_000, complete: true },
      { status: '200', duration: 6 },
    ]);
  });

  test('may be larger than a record can carry', async () => {
    const body = 'x'.repeat(200_000);
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', data: GET }),
      line(5, 'c', { direction: 'send', data: `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}` }),
      line(6, 'c', { direction: 'recv', data: GET }),
      line(8, 'c', { direction: 'send', data: OK }),
    ]);
    expect(seen).toMatchObject([{ duration: 5, complete: true }, { duration: 2 }]);
  });
});

describe('the life of a connection', () => {
  test.each([
    ['close', 'closed'],
    ['reset', 'reset'],
  ])('%s ends a waiting request as %s with the time it waited', async (event, error) => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', role: 'server', ...ENDS, data: GET }),
      line(70, 'c', { event }),
    ]);
    expect(seen).toMatchObject([{ error, status: null, duration: 70, complete: true }]);
  });

  test('a failed connect is an exchange of its own with the time it took', async () => {
    const { seen } = await replayLines([
      line(10, 'c', { event: 'open', role: 'client', ...ENDS }),
      line(90, 'c', { event: 'connect_failed' }),
    ]);
    expect(seen).toMatchObject([
      { error: 'connect_failed', role: 'client', duration: 80, wallTime: String(START + 10n), protocol: 'http' },
    ]);
  });

  test('a request without an answer at the end of the input is no_response', async () => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', data: GET }),
      line(500, 'other', { direction: 'recv', data: GET }),
      line(800, 'other', { direction: 'send', data: OK }),
    ]);
    expect(seen.find((one) => one.connection === 'c')).toMatchObject({ error: 'no_response', duration: 800 });
  });

  test('timeouts run on the events’ time', async () => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', data: GET }),
      line(3600n * 1_000_000_000n, 'other', { direction: 'recv', data: GET }),
      line(3600n * 1_000_000_000n + 5n, 'other', { direction: 'send', data: OK }),
      line(3600n * 1_000_000_000n + 9n, 'c', { direction: 'send', data: OK }),
    ]);
    expect(seen).toMatchObject([
      { connection: 'c', error: 'no_response', duration: 60e9 },
      { connection: 'other', error: null },
    ]);
  });

  test('an id that is opened again is another connection', async () => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', data: GET }),
      line(5, 'c', { event: 'open', ...ENDS }),
      line(6, 'c', { direction: 'recv', data: GET }),
      line(8, 'c', { direction: 'send', data: OK }),
    ]);
    expect(seen).toMatchObject([
      { error: 'no_response', duration: 5, connection: 'c' },
      { error: null, duration: 2, connection: 'c' },
    ]);
  });

  test('a body that ends with the connection is whole at the end of the input', async () => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', data: GET }),
      line(4, 'c', { direction: 'send', data: 'HTTP/1.0 200 OK\r\n\r\nabc' }),
      line(6, 'c', { direction: 'send', data: 'def' }),
    ]);
    expect(seen).toMatchObject([{ status: '200', error: null, duration: 6, complete: true }]);
  });

  test('another process takes over', async () => {
    const { seen } = await replayLines([
      line(0, 'c', { direction: 'recv', role: 'server', pid: 1, comm: 'one', data: GET }),
      line(1, 'c', { direction: 'send', data: OK }),
      line(2, 'c', { direction: 'recv', pid: 2, comm: 'two', data: GET }),
      line(3, 'c', { direction: 'send', data: OK }),
    ]);
    expect(seen).toMatchObject([
      { pid: 1, comm: 'one' },
      { pid: 2, comm: 'two' },
    ]);
  });
});

describe('UDP', () => {
  test('a datagram and its answer are an exchange', async () => {
    const { seen } = await replayLines([
      line(0, 'u', {
        direction: 'send',
        role: 'client',
        transport: 'udp',
        src: '10.0.0.1:40000',
        dst: '10.0.0.53:53',
        data: 'ask',
      }),
      line(7, 'u', { direction: 'recv', transport: 'udp', data: 'answer' }),
    ]);
    expect(seen).toMatchObject([
      {
        protocol: 'generic',
        role: 'client',
        duration: 7,
        requestBytes: 3,
        responseBytes: 6,
        source: '10.0.0.1:40000',
        destination: '10.0.0.53:53',
        connection: 'u',
      },
    ]);
  });
});

describe('UDP without an answer', () => {
  test.each([
    ['the end of the input', []],
    ['a close', [line(90, 'u', { event: 'close' })]],
  ])('is no_response at %s', async (_, more) => {
    const { seen, analyzer } = await replayLines([
      line(0, 'u', { direction: 'send', role: 'client', transport: 'udp', data: 'ask' }),
      line(90, 'other', { direction: 'recv', transport: 'udp', data: 'ask' }),
      ...more,
    ]);
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatchObject({ connection: 'u', error: 'no_response', duration: 90, complete: true });
    expect(analyzer.statistics.connectionsOpened).toBe(0);
  });
});

describe('bad lines', () => {
  const good = line(0, 'c', { direction: 'recv', data: GET });
  const cases: [string, string, RegExp][] = [
    ['no JSON', '{"time":', /not JSON/],
    ['an array', '[]', /not a JSON object/],
    ['no time', '{"conn":"c","direction":"send","payload":""}', /time is missing/],
    ['a number as time', '{"time":1,"conn":"c","direction":"send","payload":""}', /time is not a string/],
    ['an absurd time', line(0, 'c', { direction: 'send', data: '' }).replace(/"time":"\d+/, '"time":"-5'), /time "-5/],
    ['a time of long ago', '{"time":"5","conn":"c","direction":"send","payload":""}', /before the first line/],
    ['a time far ahead', line(10n ** 17n, 'c', { direction: 'send', data: '' }), /103 days after/],
    ['no conn', line(0, 'c', { direction: 'send', data: '' }).replace('"conn":"c",', ''), /conn is missing/],
    ['no direction', line(0, 'c', { data: '' }), /direction is missing/],
    ['a strange direction', line(0, 'c', { direction: 'up', data: '' }), /direction is none of send, recv/],
    ['no payload', line(0, 'c', { direction: 'send' }), /payload is missing/],
    ['bad base64', line(0, 'c', { direction: 'send', payload: 'a*b=' }), /not base64/],
    ['too small a size', line(0, 'c', { direction: 'send', data: 'abc', size: 2 }), /size is 2, but the payload has 3/],
    [
      'a size that is no number',
      line(0, 'c', { direction: 'send', data: '', size: '2' }),
      /size is not a whole number/,
    ],
    ['an absurd size', line(0, 'c', { direction: 'send', data: '', size: 1e15 }), /size is not between/],
    ['a strange role', line(0, 'c', { direction: 'send', data: '', role: 'proxy' }), /role is none of/],
    ['a strange event', line(0, 'c', { event: 'sleep' }), /event is none of/],
    ['a strange transport', line(0, 'c', { direction: 'send', data: '', transport: 'sctp' }), /transport is none of/],
    ['no address', line(0, 'c', { direction: 'send', data: '', src: 'localhost' }), /src "localhost" is not ip:port/],
    ['mixed families', line(0, 'c', { event: 'open', src: '[::1]:1', dst: '1.2.3.4:1' }), /different families/],
    ['a pid below 0', line(0, 'c', { direction: 'send', data: '', pid: -1 }), /pid is not between/],
    ['a comm that is no text', line(0, 'c', { direction: 'send', data: '', comm: 5 }), /comm is not a string/],
  ];

  test.each(cases)('%s is named with its number, and the rest goes on', async (_, bad, reason) => {
    const after = line(5, 'c', { direction: 'send', data: OK });
    const outcome = await replayLines([good, bad, after]);
    expect(outcome.bad).toHaveLength(1);
    expect(outcome.bad[0]).toMatchObject({ source: 'input', line: 2 });
    expect(outcome.bad[0].reason).toMatch(reason);
    expect(outcome.seen).toMatchObject([{ status: '200', duration: 5 }]);
  });

  test('a line that is too long is passed over, wherever it is cut', async () => {
    const input = Buffer.from(
      `${good}\n{"x":"${'y'.repeat(5000)}"}\n${line(5, 'c', { direction: 'send', data: OK })}\n`,
    );
    for (const size of [1, 7, 100, 4096]) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < input.length; at += size) chunks.push(input.subarray(at, at + size));
      const { seen, bad } = await replayChunks(chunks, { maxLineBytes: 1000 });
      expect(bad).toEqual([{ source: 'input', line: 2, reason: 'longer than 1000 bytes' }]);
      expect(seen).toMatchObject([{ status: '200' }]);
    }
  });
});

describe('the stream of bytes', () => {
  const whole = `\ufeff${line(0, 'c', { direction: 'recv', data: GET })}\r\n\r\n\n${line(5, 'c', { direction: 'send', data: OK })}`;

  test('may be cut anywhere, and end without a line end', async () => {
    const bytes = Buffer.from(whole);
    for (let cut = 0; cut <= bytes.length; cut += 3) {
      const { seen, bad } = await replayChunks([bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(bad).toEqual([]);
      expect(seen).toMatchObject([{ status: '200', duration: 5 }]);
    }
  });

  test('may be empty', async () => {
    expect(await replayChunks([])).toMatchObject({ seen: [], bad: [] });
    expect(await replayChunks(['\n\n'])).toMatchObject({ seen: [], bad: [] });
  });
});

test('connections beyond the bound make room by age, and are counted', async () => {
  const lines: string[] = [];
  for (let i = 0; i < 100; i++) lines.push(line(i, `c${i}`, { direction: 'recv', data: GET }));
  lines.push(line(200, 'c99', { direction: 'send', data: OK }));
  const { seen, replay, analyzer } = await replayLines(lines, { maxConnections: 10 });
  expect(replay.statistics).toMatchObject({ connections: 100, evicted: 90, segments: 101 });
  expect(seen).toHaveLength(100);
  // Those that had to make room did not fail: it is not known how they went on.
  expect(seen.filter((one) => one.error === null && !one.complete)).toHaveLength(90);
  expect(seen.filter((one) => one.error === 'no_response')).toHaveLength(9);
  expect(new Set(seen.map((one) => one.connection)).size).toBe(100);
  expect(analyzer.stage.read().inFlight).toBe(0);
});

test('each of many short connections keeps its name', async () => {
  const lines: string[] = [];
  for (let i = 0; i < 3000; i++) {
    lines.push(line(10 * i, `c${i}`, { direction: 'recv', data: GET }));
    lines.push(line(10 * i + 4, `c${i}`, i % 2 === 0 ? { direction: 'send', data: OK } : { event: 'reset' }));
    lines.push(line(10 * i + 6, `c${i}`, { event: 'close' }));
  }
  const { seen } = await replayLines(lines, { maxConnections: 200 });
  expect(seen).toHaveLength(3000);
  expect(seen.map((one) => one.connection)).toEqual(Array.from({ length: 3000 }, (_, i) => `c${i}`));
});

test('lines out of order keep their own times', async () => {
  const { seen } = await replayLines([
    line(1_000_000_000, 'a', { direction: 'recv', data: GET }),
    line(500, 'b', { direction: 'recv', data: GET }),
    line(900, 'b', { direction: 'send', data: OK }),
    line(1_000_000_010, 'a', { direction: 'send', data: OK }),
  ]);
  expect(seen).toMatchObject([
    { connection: 'b', duration: 400, wallTime: String(START + 500n) },
    { connection: 'a', duration: 10 },
  ]);
});

test('the pace is asked before the clock moves on', async () => {
  const asked: number[] = [];
  await replayLines(
    [
      line(0, 'c', { direction: 'recv', data: GET }),
      line(10, 'c', { direction: 'send', data: OK }),
      line(2_000_000_000, 'c', { direction: 'recv', data: GET }),
    ],
    { pace: (now) => void asked.push(now) },
  );
  expect(asked).toHaveLength(2);
  expect(asked[1] - asked[0]).toBe(2_000_000_000);
});

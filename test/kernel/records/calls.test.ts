import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CLOSE, DIRECTION, FLAG, ROLE } from '../../../src/model/record.gen.ts';
import {
  type ClientResult,
  compileProgram,
  type ProgramOptions,
  runClient,
  startCServer,
} from '../../traffic/compile.ts';
import { until } from '../../traffic/condition.ts';
import { freePorts } from '../../traffic/port.ts';
import { createScene, type Scene } from '../../traffic/scene.ts';
import { sum } from '../expectations.ts';
import { type Recorder, type SocketRecords, startRecorder } from './recorder.ts';

const COUNT = 50;
const SENDS = ['write', 'writev', 'send', 'sendto', 'sendmsg', 'sendmmsg', 'nonblock'];
const RECEIVES = ['read', 'readv', 'recv', 'recvfrom', 'recvmsg', 'recvmmsg', 'peek', 'nonblock'];

describe('records of every way of calling', () => {
  let scene: Scene;
  let recorder: Recorder;
  let server: string;
  let client: string;
  const ports: number[] = [];

  beforeAll(async () => {
    scene = await createScene();
    server = await compileProgram(scene, { name: 'server' });
    client = await compileProgram(scene, { name: 'client' });
    ports.push(...(await freePorts(40)));
    recorder = startRecorder(scene, { ports });
  });
  afterAll(async () => scene?.end());

  const talk = async (
    options: { server?: ProgramOptions; client?: ProgramOptions },
    program = client,
  ): Promise<{ made: ClientResult; client: SocketRecords; server: SocketRecords; serverPid: number }> => {
    const port = ports.pop() ?? 0;
    const running = await startCServer(scene, server, { port, ...options.server });
    const made = await runClient(scene, program, { port, count: COUNT, ...options.client });
    const ends = await until(
      () => {
        const all = recorder.sockets();
        const end = all.find(({ remotePort, closed }) => remotePort === port && closed !== undefined);
        const other = all.find(({ localPort, closed }) => localPort === port && closed !== undefined);
        return end !== undefined && other !== undefined && { client: end, server: other };
      },
      { what: 'close records of both ends' },
    );
    await running.end();
    return { made, ...ends, serverPid: running.pid };
  };

  /** What must hold of any socket: totals, roles, numbers without gaps. */
  const expectTotals = (talked: Awaited<ReturnType<typeof talk>>): void => {
    const { made } = talked;
    expect(talked.client.closed).toMatchObject({ tx: made.sent, rx: made.received, reason: CLOSE.local });
    expect(talked.server.closed).toMatchObject({ tx: made.received, rx: made.sent, reason: CLOSE.remote });
    expect([talked.client.role, talked.server.role]).toEqual([ROLE.client, ROLE.server]);
    for (const { messages, closed } of [talked.client, talked.server]) {
      expect(messages.map(({ number }) => number)).toEqual(messages.map((_, i) => i + 1));
      expect(closed?.number).toBe(messages.length);
    }
  };

  const expectTurns = (socket: SocketRecords, turns: number): void => {
    expect(socket.closed?.turn).toBe(turns);
    const starts = socket.messages.filter(({ flags }) => (flags & FLAG.start) !== 0);
    expect(starts.map(({ turn }) => turn)).toEqual(Array.from({ length: turns }, (_, i) => i + 1));
  };

  const sizes = ({ messages }: SocketRecords, direction: number): number =>
    sum(messages.filter((message) => message.direction === direction).map(({ size }) => size));

  /** The stream of a direction, as far as it was captured. */
  const stream = ({ messages }: SocketRecords, direction: number): string =>
    messages
      .filter((message) => message.direction === direction)
      .map(({ payload }) => payload)
      .join('');

  const expectWholeStreams = (talked: Awaited<ReturnType<typeof talk>>): void => {
    const requests = stream(talked.client, DIRECTION.send);
    expect(requests).toHaveLength(talked.made.sent);
    expect(requests).toMatch(/^(GET \/ HTTP\/1\.1\r\nHost: localhost\r\n\r\n)+$/);
    expect(stream(talked.server, DIRECTION.receive)).toBe(requests);
    const responses = stream(talked.server, DIRECTION.send);
    expect(responses).toHaveLength(talked.made.received);
    expect(responses.slice(0, 17)).toBe('HTTP/1.1 200 OK\r\n');
    expect(stream(talked.client, DIRECTION.receive)).toBe(responses);
  };

  test.each(SENDS)('sent by %s: both ends whole', async (send) => {
    const talked = await talk({ server: { send }, client: { send } });
    expectTotals(talked);
    expectTurns(talked.client, 2 * COUNT);
    expectTurns(talked.server, 2 * COUNT);
    expectWholeStreams(talked);
  });

  test.each(RECEIVES)('received by %s: both ends whole', async (how) => {
    const talked = await talk({ server: { receive: how }, client: { head: how } });
    expectTotals(talked);
    expectTurns(talked.client, 2 * COUNT);
    expectTurns(talked.server, 2 * COUNT);
    expectWholeStreams(talked);
  });

  test.each(['sendfile', 'splice'])('sent by %s: sizes, and that the bytes could not be read', async (send) => {
    const talked = await talk({ server: { send }, client: { send } });
    expectTotals(talked);
    for (const socket of [talked.client, talked.server]) {
      const sent = socket.messages.filter(({ direction }) => direction === DIRECTION.send);
      expect(sent.filter(({ flags, payload }) => payload !== '' || (flags & FLAG.noPayload) === 0)).toEqual([]);
    }
    expect(sizes(talked.client, DIRECTION.send)).toBe(talked.made.sent);
    expect(sizes(talked.server, DIRECTION.send)).toBe(talked.made.received);
  });

  test('thrown away with MSG_TRUNC: sizes, and no stale memory as payload', async () => {
    const talked = await talk({ server: { body: 5_000 }, client: { head: 'recv', body: 'trunc' } });
    expectTotals(talked);
    expect(sizes(talked.client, DIRECTION.receive)).toBe(talked.made.received);
    const bodies = talked.client.messages.filter(
      ({ direction, size }) => direction === DIRECTION.receive && size >= 900,
    );
    expect(bodies.length).toBeGreaterThan(0);
    expect(bodies.filter(({ flags, payload }) => payload !== '' || (flags & FLAG.noPayload) === 0)).toEqual([]);
  });

  test('received by splice, which no hook sees: in the totals all the same', async () => {
    const talked = await talk({ server: { body: 5_000 }, client: { head: 'recv', body: 'splice' } });
    expectTotals(talked);
    expect(sizes(talked.client, DIRECTION.receive)).toBeLessThan(talked.made.received);
  });

  test.each([0, 1])('io_uring, async %i: sizes and turns; nothing made up', async (async) => {
    const uring = await compileProgram(scene, { name: 'uring_client' });
    const talked = await talk({ client: { async } }, uring);
    expectTotals(talked);
    expectTurns(talked.client, 2 * COUNT);
    expect(talked.client.messages.filter(({ payload }) => payload !== '')).toEqual([]);
    expect(talked.client.messages.filter(({ flags }) => (flags & FLAG.noPayload) === 0)).toEqual([]);
  });

  test('a 32-bit client: sizes and turns', async () => {
    const talked = await talk(
      { client: { send: 'sendmsg' } },
      await compileProgram(scene, { name: 'client', bits: 32 }),
    );
    expectTotals(talked);
    expectTurns(talked.client, 2 * COUNT);
    for (const { payload } of talked.client.messages) {
      expect(['', 'GET / HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r']).toContain(payload.slice(0, 16));
    }
  });

  test('the process that calls is the one in the records', async () => {
    const talked = await talk({ server: { model: 'fork' } });
    const owners = new Set(talked.server.messages.map(({ tgid }) => tgid));
    expect(owners.size).toBe(1);
    expect(owners.has(talked.serverPid)).toBe(false);
  });

  test('times grow with the numbers', async () => {
    const { client: end } = await talk({});
    const times = end.messages.map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('every run of the hooks has exactly one outcome, and every record came', async () => {
    await until(
      () => {
        const hook = recorder.receiver.stages[0]?.read();
        return (
          hook !== undefined && hook.produced === hook.delivered + hook.inFlight + sum(Object.values(hook.dropped))
        );
      },
      { what: 'the law of the hooks' },
    );
    const counters = recorder.receiver.counters();
    expect(counters.dropRingFull + counters.dropStorageFull + counters.ringLifeFull + counters.tableFull).toBe(0);
    expect(recorder.strays).toEqual([]);
    expect(counters.countMessages).toBe(sum(recorder.sockets().map(({ messages }) => messages.length)));
  });
});

describe('policies', () => {
  test.each([
    ['headers', 2 * COUNT, true],
    ['count', 0, true],
    ['ignore', 0, false],
  ] as const)('%s: as many records as it promises, totals right', async (policy, records, whole) => {
    const scene = await createScene();
    try {
      const [port = 0] = await freePorts(1);
      const recorder = startRecorder(scene, { ports: [port], policy });
      const server = await compileProgram(scene, { name: 'server' });
      const client = await compileProgram(scene, { name: 'client' });
      await startCServer(scene, server, { port, body: 100_000 });
      const made = await runClient(scene, client, { port, count: COUNT, post: 100_000 });
      const ends = await until(
        () => {
          const closed = recorder.sockets().filter((socket) => socket.closed !== undefined);
          return closed.length === 2 && closed;
        },
        { what: 'two closed sockets' },
      );
      for (const { role, messages, closed } of ends) {
        expect(messages).toHaveLength(records);
        const [tx, rx] = role === ROLE.client ? [made.sent, made.received] : [made.received, made.sent];
        if (whole) expect(closed).toMatchObject({ tx, rx });
      }
      await recorder.receiver.stop();
    } finally {
      await scene.end();
    }
  });

  test.each([
    ['auto', 64 << 10],
    ['stream', Number.POSITIVE_INFINITY],
  ] as const)('%s: of a message that nobody has recognised yet, so much is copied', async (policy, most) => {
    const scene = await createScene();
    try {
      const [port = 0] = await freePorts(1);
      const recorder = startRecorder(scene, { ports: [port], policy });
      const server = await compileProgram(scene, { name: 'server' });
      const client = await compileProgram(scene, { name: 'client' });
      await startCServer(scene, server, { port, body: 200_000 });
      const made = await runClient(scene, client, { port, count: 3, post: 300_000, send: 'nonblock' });
      const ends = await until(
        () => {
          const closed = recorder.sockets().filter((socket) => socket.closed !== undefined);
          return closed.length === 2 && closed;
        },
        { what: 'two closed sockets' },
      );
      for (const { role, messages } of ends) {
        const of = (direction: number) => messages.filter((message) => message.direction === direction);
        const [sent, received] = role === ROLE.client ? [made.sent, made.received] : [made.received, made.sent];
        expect([
          sum(of(DIRECTION.send).map(({ size }) => size)),
          sum(of(DIRECTION.receive).map(({ size }) => size)),
        ]).toEqual([sent, received]);
        for (const message of messages) {
          const position = message.direction === DIRECTION.send ? message.tx : message.rx - message.size;
          const start = messages.find(({ turn }) => turn === message.turn) as (typeof messages)[number];
          const begin = start.direction === DIRECTION.send ? start.tx : start.rx - start.size;
          expect(message.payload.length).toBe(position - begin < most ? Math.min(message.size, 4096) : 0);
        }
      }
      await recorder.receiver.stop();
    } finally {
      await scene.end();
    }
  });
});

import { describe, expect, test } from 'vitest';
import { Harness } from '../harness.ts';
import type { Socket } from '../records.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** One exchange; times are spaced by 10. */
function exchange(socket: Socket, time: number): void {
  socket.receive(time, GET);
  socket.send(time + 10, OK);
}

function counted({ seen }: Harness): { all: number; estimated: number } {
  return { all: seen.length, estimated: seen.filter((one) => one.estimated).length };
}

/** A connection of which one exchange was watched and then so many are only counted. */
function afterCounting(exchanges: number): { harness: Harness; socket: Socket } {
  const harness = new Harness({ policy: { set: () => {} } });
  const socket = harness.socket().open(1);
  exchange(socket, 100);
  harness.deliver();
  socket.policy = 'count';
  for (let i = 0; i < exchanges; i++) exchange(socket, 1000 + i * 20);
  return { harness, socket };
}

describe('exchanges on a connection that is only counted', () => {
  test('are told by the turns of its totals, as estimated, with the bytes that passed', () => {
    const { harness, socket } = afterCounting(5);
    socket.totals(2000);
    harness.deliver();
    const estimated = harness.seen.filter((one) => one.estimated);
    expect(counted(harness)).toEqual({ all: 6, estimated: 5 });
    expect(estimated[0]).toMatchObject({ protocol: 'http', complete: false, status: null, duration: null });
    expect(estimated.reduce((sum, one) => sum + one.requestBytes, 0)).toBe(5 * GET.length);
    expect(estimated.reduce((sum, one) => sum + one.responseBytes, 0)).toBe(5 * OK.length);
    expect(harness.lawGap).toBe(0);
  });

  test.each([0, 1, 2, 3])('are each told once, whatever turn each sweep falls into (%i)', (shift) => {
    const { harness, socket } = afterCounting(0);
    const steps = Array.from(
      { length: 40 },
      (_, i) => () => (i % 2 === 0 ? socket.receive(1000 + i, GET) : socket.send(1000 + i, OK)),
    );
    for (const [i, step] of steps.entries()) {
      step();
      if (i % 7 === shift) {
        socket.totals(1000 + i);
        harness.deliver();
      }
    }
    socket.close(5000);
    harness.flush(6000);
    expect(harness.seen).toHaveLength(1 + 20);
    expect(counted(harness).estimated).toBeGreaterThanOrEqual(19);
    expect(harness.lawGap).toBe(0);
  });

  test('end with the first record when it is watched again, and that one is whole', () => {
    const { harness, socket } = afterCounting(3);
    socket.totals(2000);
    exchange(socket, 2100);
    exchange(socket, 2200);
    socket.policy = 'stream';
    exchange(socket, 2300);
    exchange(socket, 2400);
    harness.tick(2500);
    expect(counted(harness)).toEqual({ all: 8, estimated: 5 });
    expect(harness.seen.slice(-2)).toMatchObject([
      { complete: true, estimated: false, status: '200', operation: 'GET' },
      { complete: true, estimated: false, status: '200', operation: 'GET' },
    ]);
  });

  test('are told at its close', () => {
    const { harness, socket } = afterCounting(4);
    socket.close(3000);
    harness.deliver();
    expect(counted(harness)).toEqual({ all: 5, estimated: 4 });
  });
});

test('an exchange whose records were lost is incomplete and not estimated', () => {
  const harness = new Harness({ policy: { set: () => {} } });
  const socket = harness.socket().open(1);
  exchange(socket, 100);
  socket.lossy = true;
  for (let i = 0; i < 3; i++) exchange(socket, 200 + i * 20);
  socket.lossy = false;
  socket.totals(400);
  exchange(socket, 500);
  harness.tick(600).tick(700);
  expect(counted(harness)).toEqual({ all: 5, estimated: 0 });
  expect(harness.seen.filter((one) => !one.complete)).toHaveLength(3);
});

test('loss right before counting does not make the counted exchanges look seen', () => {
  const { harness, socket } = afterCounting(0);
  socket.policy = 'stream';
  socket.receive(200, GET, { lost: true });
  socket.policy = 'count';
  socket.send(210, OK);
  exchange(socket, 300);
  socket.totals(400);
  exchange(socket, 500);
  socket.totals(600);
  harness.tick(700).tick(800);
  expect(harness.seen).toHaveLength(4);
  expect(counted(harness).estimated).toBe(1);
});

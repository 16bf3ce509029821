import { describe, expect, test } from 'vitest';
import { CLOSE } from '../../../../../../src/model/record.gen.ts';
import { Harness } from '../../../harness.ts';

const GET = 'GET /a HTTP/1.1\r\nHost: h\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\neightbyt';
const COUNT = 40;

/** A burst of requests whose responses come in one call, of which only the first are copied. */
function burst(): Harness {
  const harness = new Harness();
  const socket = harness.socket({ role: 'client' }).open(1);
  socket.send(100, GET.repeat(COUNT));
  socket.receive(200, OK.repeat(16), { size: OK.length * COUNT });
  harness.deliver();
  return harness;
}

/** What went over the connection, and whether any of it failed. */
function account(harness: Harness): object {
  const sum = (pick: (one: (typeof harness.seen)[number]) => number): number =>
    harness.seen.reduce((total, one) => total + pick(one), 0);
  return {
    exchanges: harness.seen.length,
    errors: harness.seen.filter(({ error }) => error !== null).length,
    complete: harness.seen.filter(({ complete }) => complete).length,
    requestBytes: sum(({ requestBytes }) => requestBytes),
    responseBytes: sum(({ responseBytes }) => responseBytes),
  };
}

const ALL = {
  exchanges: COUNT,
  errors: 0,
  complete: 16,
  requestBytes: GET.length * COUNT,
  responseBytes: OK.length * COUNT,
};

describe('responses that passed behind what was copied of a call', () => {
  test('leave their exchanges incomplete, not failed, when the analyzer stops', () => {
    const harness = burst().flush(300);
    expect(account(harness)).toEqual(ALL);
    expect(harness.lawGap).toBe(0);
  });

  test.each([CLOSE.local, CLOSE.remote])('also with a close record (%i)', (reason) => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'client' }).open(1);
    socket
      .send(100, GET.repeat(COUNT))
      .receive(200, OK.repeat(16), { size: OK.length * COUNT })
      .close(300, reason);
    harness.deliver();
    expect(account(harness)).toEqual(ALL);
    // All that was not copied counts for the first of them.
    const [, ...unseen] = harness.seen.filter(({ complete }) => !complete);
    expect(unseen.every(({ status, duration }) => status === null && duration === null)).toBe(true);
    expect(harness.lawGap).toBe(0);
  });

  test('nor do they fail when the connection stays open and silent', () => {
    const harness = burst();
    for (let second = 1; second < 200; second++) harness.tick(second * 1e9);
    expect(account(harness)).toEqual(ALL);
    expect(harness.lawGap).toBe(0);
  });

  test('a reset is an error all the same', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'client' }).open(1);
    socket.send(100, GET.repeat(COUNT)).receive(200, OK.repeat(16), { size: OK.length * COUNT });
    socket.close(300, CLOSE.resetRemote);
    harness.deliver();
    expect(harness.seen.filter(({ error }) => error === 'reset').length).toBeGreaterThan(0);
    expect(harness.seen).toHaveLength(COUNT);
  });
});

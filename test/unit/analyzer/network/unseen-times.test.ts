import { expect, test } from 'vitest';
import { Harness } from '../harness.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

test.each(['http', 'generic'])('bytes of no call that was seen move at the time of their totals: %s', (protocol) => {
  const harness = new Harness();
  const socket = harness.socket().open(1);
  // The next request of an HTTP connection, the rest of the only one of another.
  if (protocol === 'http') socket.receive(10, 'GET /a HTTP/1.1\r\n\r\n').send(20, OK);
  else socket.receive(10, 'one\n');
  harness.tick(30);
  socket.untimed = true;
  socket.splice('receive', 50).totals(4e9);
  // Only what waits too long is not answered: nothing does yet.
  harness.tick(5e9).tick(6.5e9);
  expect(harness.seen.filter((one) => one.error !== null)).toEqual([]);
  socket.close(7e9);
  harness.deliver().flush(8e9);
  expect(harness.seen.every((one) => Number.isFinite(one.time))).toBe(true);
  if (protocol === 'http') expect(harness.seen[1]).toMatchObject({ time: 4e9, duration: null, error: 'closed' });
  expect(harness.lawGap).toBe(0);
});

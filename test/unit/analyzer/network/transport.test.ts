import { describe, expect, it } from 'vitest';
import { CLOSE, FLAG, KIND, RECORD, RETRANSMIT, TCP_EVENT } from '../../../../src/model/record.gen.ts';
import { Harness } from '../harness.ts';

const { head, tcp, tcpEvent, totals, size } = RECORD;
const MS = 1e6;
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';

function event(harness: Harness, kind: number, time: number, amountUs = 0): void {
  const view = harness.writer.record(KIND.tcpEvent, size.tcpEvent, 0, 1, time);
  view.setUint32(tcpEvent.event, kind, true);
  view.setUint32(tcpEvent.cause, RETRANSMIT.timeout, true);
  view.setUint32(tcpEvent.amount, amountUs, true);
}

function measure(
  harness: Harness,
  time: number,
  srttUs: number,
  receiverLimitedUs = 0,
  { joined = false, receiveWindow = 65_536 } = {},
): void {
  const view = harness.writer.record(KIND.tcp, size.tcp, 0, 1, time);
  view.setUint32(tcp.receiveWindow, receiveWindow, true);
  if (joined) view.setUint16(head.flags, FLAG.joined, true);
  view.setUint32(tcp.srttUs, srttUs, true);
  view.setBigUint64(tcp.receiverLimitedUs, BigInt(receiverLimitedUs), true);
}

/** `net.*` attributes of the exchanges, in their order. */
function net(harness: Harness): Record<string, unknown>[] {
  return harness.seen.map(({ attributes }) =>
    Object.fromEntries(Object.entries(attributes).filter(([name]) => name.startsWith('net.'))),
  );
}

describe('what the network did to an exchange', () => {
  it('is told of the exchange that it fell into, and of no other', () => {
    const harness = new Harness();
    const socket = harness.socket({ role: 'client', remote: { address: [10, 0, 0, 2], port: 80 } });
    socket.open(1);
    socket.send(10 * MS, REQUEST).receive(20 * MS, RESPONSE);
    event(harness, TCP_EVENT.retransmit, 25 * MS);
    socket.send(30 * MS, REQUEST);
    event(harness, TCP_EVENT.retransmit, 230 * MS);
    event(harness, TCP_EVENT.retransmit, 630 * MS);
    socket.receive(640 * MS, RESPONSE);
    event(harness, TCP_EVENT.retransmit, 645 * MS);
    socket.send(650 * MS, REQUEST).receive(660 * MS, RESPONSE);
    harness.deliver();
    expect(net(harness)).toEqual([{}, { 'net.retransmits': 2 }, {}]);
  });

  it('has the round trip as it was measured last', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10 * MS, REQUEST).send(20 * MS, RESPONSE);
    measure(harness, 25 * MS, 300);
    socket.receive(30 * MS, REQUEST).send(40 * MS, RESPONSE);
    harness.deliver();
    expect(net(harness)).toEqual([{}, { 'net.rtt': 300_000 }]);
  });

  it('has the time of closed windows that falls into it, of either end', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10 * MS, REQUEST);
    event(harness, TCP_EVENT.zeroWindow, 30 * MS, 5_000);
    event(harness, TCP_EVENT.windowOpen, 50 * MS, 20_000);
    socket.send(60 * MS, RESPONSE);
    // Closed before the request came, and still closed when it was looked at last.
    event(harness, TCP_EVENT.zeroWindow, 70 * MS);
    measure(harness, 70 * MS, 0, 0, { receiveWindow: 0 });
    socket.receive(80 * MS, REQUEST);
    measure(harness, 95 * MS, 0, 0, { receiveWindow: 0 });
    socket.send(100 * MS, RESPONSE);
    harness.deliver();
    expect(net(harness)).toEqual([{ 'net.zero_window_ns': 20 * MS }, { 'net.zero_window_ns': 15 * MS }]);
  });

  it('has none of a window that was last seen closed before it began, whenever it is seen open again', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10 * MS, REQUEST);
    event(harness, TCP_EVENT.zeroWindow, 30 * MS, 10_000);
    measure(harness, 30 * MS, 0, 0, { receiveWindow: 0 });
    socket.send(40 * MS, RESPONSE);
    socket.receive(50 * MS, REQUEST).send(60 * MS, RESPONSE);
    socket.receive(70 * MS, REQUEST);
    event(harness, TCP_EVENT.windowOpen, 80 * MS, 10_000);
    socket.send(90 * MS, RESPONSE);
    harness.deliver();
    expect(net(harness)).toEqual([{ 'net.zero_window_ns': 10 * MS }, {}, {}]);
  });

  it.each([
    ['a short one none', 990, 1050, undefined],
    ['a long one what it must have had', 100, 1050, 205 * MS],
  ])('of a wait for the peer of which nobody knows when it was, has %s', (_, from, to, expected) => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    measure(harness, 5 * MS, 0, 1);
    socket.receive(from * MS, REQUEST);
    // 300 ms of the last second.
    measure(harness, 1005 * MS, 0, 300_001);
    socket.send(to * MS, RESPONSE);
    harness.deliver();
    expect(net(harness).map((attributes) => attributes['net.zero_window_ns'])).toEqual([expected]);
  });

  it('counts no wait for the peer that lies before the first look at a joined connection', () => {
    const harness = new Harness();
    const socket = harness.socket({ joined: true }).open(1);
    socket.receive(10 * MS, REQUEST);
    measure(harness, 15 * MS, 0, 900_000, { joined: true });
    measure(harness, 35 * MS, 0, 908_000);
    socket.send(60 * MS, RESPONSE);
    harness.deliver();
    expect(net(harness)).toEqual([{ 'net.zero_window_ns': 8 * MS }]);
  });

  it('says which way the reset went that ended it', () => {
    const harness = new Harness();
    const socket = harness.socket().open(1);
    socket.receive(10 * MS, REQUEST);
    event(harness, TCP_EVENT.resetReceived, 20 * MS);
    socket.close(21 * MS, CLOSE.resetRemote);
    harness.deliver();
    expect(harness.seen.map(({ error }) => error)).toEqual(['reset']);
    expect(net(harness)).toEqual([{ 'net.reset': 'received' }]);
  });

  it('is remembered for a connect that fails, whose socket has its open record last', () => {
    const harness = new Harness();
    event(harness, TCP_EVENT.retransmit, 1000 * MS);
    const socket = harness.socket({ role: 'client', connectNs: 3000 * MS });
    socket.open(3001 * MS);
    const close = harness.writer.record(KIND.close, size.totals, 0, 1, 3001 * MS);
    close.setUint8(totals.reason, CLOSE.connectFailed);
    harness.deliver();
    expect(harness.seen.map(({ error }) => error)).toEqual(['connect_failed']);
    expect(net(harness)).toEqual([{ 'net.retransmits': 1 }]);
  });

  it('is forgotten with the connection', () => {
    const harness = new Harness();
    harness.socket().open(1);
    event(harness, TCP_EVENT.retransmit, 2);
    measure(harness, 3, 300);
    const next = harness.socket({ generation: 2 }).open(4);
    next.receive(10, REQUEST).send(20, RESPONSE);
    harness.deliver();
    expect(net(harness)).toEqual([{}]);
    expect(harness.lawGap).toBe(0);
  });
});

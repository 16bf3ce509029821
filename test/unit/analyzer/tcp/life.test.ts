import { afterEach, describe, expect, it } from 'vitest';
import { GROUP } from '../../../../src/model/names.ts';
import { CLOSE, RETRANSMIT, TCP_EVENT } from '../../../../src/model/record.gen.ts';
import { TcpHarness } from './harness.ts';

const MS = 1e6;
const SECOND = 1e9;
const CLIENT = {
  role: 'client',
  local: { address: [10, 0, 0, 1], port: 45_000 },
  remote: { address: [10, 0, 0, 9], port: 5432 },
  pid: 42,
  comm: 'shop',
} as const;
const CLIENT_LABELS = { role: 'client', peer_address: '10.0.0.9', server_port: '5432', pid: '42', comm: 'shop' };

let harness = new TcpHarness();
const start = (options: ConstructorParameters<typeof TcpHarness>[0] = {}): TcpHarness =>
  (harness = new TcpHarness(options));
afterEach(() => {
  if (harness.lawGap !== 0) throw new Error(`the law does not hold: ${harness.lawGap} records are missing`);
});

describe('connects', () => {
  it('tells one that lasts when a tick has passed without its close', () => {
    const { analyzer } = start();
    harness.socket({ ...CLIENT, connectNs: 3 * MS }).open(SECOND);
    harness.tick(SECOND).tick(2 * SECOND);
    expect(harness.of(GROUP.tcpConnect)).toEqual([
      {
        name: GROUP.tcpConnect,
        labels: { ...CLIENT_LABELS, result: 'ok' },
        metrics: { duration: 3 * MS, connects: 1, accepts: 0 },
        timestamp: 2 * SECOND,
      },
    ]);
    analyzer.tick(3 * SECOND);
    expect(harness.of(GROUP.tcpConnect)).toHaveLength(1);
  });

  it.each([
    [111, 'refused'],
    [110, 'timeout'],
    [0, 'timeout'],
    [113, 'unreachable'],
    [101, 'unreachable'],
    [104, 'reset'],
  ])('tells errno %i as %s, with the time waited, and counts no connection', (errno, result) => {
    start();
    harness.socket({ ...CLIENT, connectNs: 7 * MS }).open(SECOND);
    // The open record of a failed connect and its close may lie in two batches.
    harness
      .tick(SECOND)
      .close(SECOND + 1, CLOSE.connectFailed, errno)
      .tick(2 * SECOND)
      .tick(3 * SECOND)
      .flush(4 * SECOND);
    expect(harness.of(GROUP.tcpConnect).map(({ labels, metrics }) => [labels.result, metrics.duration])).toEqual([
      [result, 7 * MS],
    ]);
    expect(harness.of(GROUP.tcpClose)).toEqual([]);
    expect(harness.of(GROUP.tcpConnection)).toEqual([]);
  });

  it('counts what came in by the port that it came to', () => {
    start();
    harness.socket().open(1);
    harness.deliver();
    const [{ labels, metrics }] = harness.of(GROUP.tcpConnect);
    expect(metrics).toEqual({ connects: 0, accepts: 1 });
    expect(labels).toEqual({ role: 'server', peer_address: '10.0.0.2', server_port: '80', pid: '77', comm: 'nginx' });
  });

  it('does not count those that were open before', () => {
    start();
    harness.socket({ ...CLIENT, joined: true }).open(1);
    harness.socket({ index: 1, joined: true }).open(1);
    harness.flush(SECOND);
    expect(harness.of(GROUP.tcpConnect)).toEqual([]);
    expect(harness.sum(GROUP.tcpConnection, 'connections')).toBe(2);
  });

  it('never takes an ephemeral port for a server', () => {
    start();
    const ports = (local: number, remote: number, index: number): void => {
      harness
        .socket({
          index,
          role: 'unknown',
          local: { address: [10, 0, 0, 1], port: local },
          remote: { address: [10, 0, 0, 2], port: remote },
        })
        .open(1);
    };
    ports(50_000, 60_000, 0);
    ports(50_000, 443, 1);
    ports(8080, 50_000, 2);
    harness.observe(1);
    expect(harness.of(GROUP.tcpConnection).map(({ labels }) => labels.server_port)).toEqual([undefined, '443', '8080']);
  });
});

describe('closes', () => {
  it.each([
    [CLOSE.local, { side: 'local', reason: 'fin' }],
    [CLOSE.remote, { side: 'remote', reason: 'fin' }],
    [CLOSE.resetLocal, { side: 'local', reason: 'reset' }],
    [CLOSE.resetRemote, { side: 'remote', reason: 'reset' }],
    [CLOSE.timeout, { reason: 'timeout' }],
  ])('tells reason %i as %o, with how long it was open', (reason, ended) => {
    start();
    harness
      .socket()
      .open(SECOND)
      .close(3 * SECOND, reason);
    harness.flush(4 * SECOND);
    const [close, ...more] = harness.of(GROUP.tcpClose);
    expect(more).toEqual([]);
    expect(close.labels).toMatchObject(ended);
    expect(Object.keys(close.labels).includes('side')).toBe('side' in ended);
    expect(close.metrics).toEqual({ duration: 2 * SECOND, closes: 1 });
    expect(harness.of(GROUP.tcpConnection)).toEqual([]);
  });

  it('ends a connection whose close was lost when its index comes back', () => {
    start();
    harness.socket().open(1);
    harness.socket({ generation: 2 }).open(SECOND);
    harness.observe(SECOND);
    const [{ labels, metrics }] = harness.of(GROUP.tcpClose);
    expect(labels).toMatchObject({ reason: 'unknown' });
    expect(metrics).toEqual({ closes: 1 });
    expect(harness.sum(GROUP.tcpConnection, 'connections')).toBe(1);
  });

  it('says nothing of a connection that goes on unseen', () => {
    start();
    harness.socket().open(1).close(SECOND, CLOSE.switchedOff);
    harness.observe(SECOND);
    expect(harness.of(GROUP.tcpClose)).toEqual([]);
    expect(harness.of(GROUP.tcpConnection)).toEqual([]);
  });

  it('drops what it cannot place: no open record, no room in the table, no record at all', () => {
    start({ maxConnections: 2 });
    harness.socket({ index: 1 }).close(1);
    harness.socket({ index: 2 }).open(1).close(2);
    harness.tcp(3, { bytesSent: 9 }, { index: 1 });
    harness.socket().open(4).close(5).close(6);
    harness.deliver();
    harness.analyzer.consume({
      bytes: new Uint8Array(64),
      words: new Uint32Array(16),
      halves: new Uint16Array(32),
      length: 64,
    });
    const { dropped, skipped } = harness.analyzer.stage.read();
    expect(dropped).toEqual({ gap: 2, table_full: 2, bad_record: 1 });
    expect(skipped).toEqual({ late: 1 });
  });
});

describe('states', () => {
  it('sums open connections and what waits up by peer, and forgets them with the connections', () => {
    start();
    const sockets = [0, 1, 2].map((index) => harness.socket({ ...CLIENT, index }).open(1));
    for (const [i, socket] of sockets.entries()) harness.tcp(2, { unread: 100 * i, unsent: 5 }, socket);
    harness.observe(SECOND);
    expect(harness.of(GROUP.tcpConnection).map(({ labels, metrics }) => [labels, metrics])).toEqual([
      [CLIENT_LABELS, { connections: 3, unread: 300, unsent: 15 }],
    ]);
    harness.tcp(3, { unread: 0 }, sockets[2]);
    sockets[1].close(4);
    harness.observe(2 * SECOND);
    expect(harness.of(GROUP.tcpConnection)[1].metrics).toEqual({ connections: 2, unread: 0, unsent: 5 });
    for (const i of [0, 2]) sockets[i].close(5);
    harness.observe(3 * SECOND);
    expect(harness.of(GROUP.tcpConnection)).toHaveLength(2);
  });

  it('moves a connection to the process that takes it over', () => {
    start();
    const socket = harness.socket().open(1);
    socket.owner(2, 99, 'worker');
    harness.observe(SECOND);
    expect(harness.of(GROUP.tcpConnection).map(({ labels, metrics }) => [labels.pid, metrics.connections])).toEqual([
      ['99', 1],
    ]);
    expect(harness.sum(GROUP.tcpConnect, 'accepts')).toBe(1);
  });

  it('lets peers go that are gone, with their label sets', () => {
    start();
    for (let i = 0; i < 50; i++) {
      const socket = harness.socket({ generation: i + 1, remote: { address: [10, 0, 1, i], port: 40_000 } });
      socket.open(i).close(i + 1);
    }
    harness.tick(SECOND);
    expect(harness.labels.size).toBeGreaterThan(50);
    harness.tick(120 * SECOND);
    expect(harness.labels.size).toBe(0);
  });

  it('keeps one peer for those that find no room', () => {
    start({ maxConnections: 4 });
    for (let i = 0; i < 4; i++) harness.socket({ index: i, remote: { address: [10, 0, 1, i], port: 1 } }).open(1);
    harness.socket({ generation: 2, remote: { address: [10, 0, 1, 9], port: 1 } }).open(2);
    harness.observe(SECOND);
    expect(harness.sum(GROUP.tcpConnection, 'connections')).toBe(4);
    expect(harness.of(GROUP.tcpConnection)[0].labels).toEqual({});
  });
});

describe('listeners', () => {
  it('tells the queue and who was turned away since it was seen first, past the wrap of the counter', () => {
    start();
    const before = 2 ** 32 - 2;
    harness.listener({ time: 1, backlog: 3, drops: before }).observe(SECOND);
    harness.listener({ time: SECOND, backlog: 128, drops: before + 5 }).observe(2 * SECOND);
    harness.listener({ time: 3 * SECOND, cookie: 6, drops: 4, port: 81 }).observe(4 * SECOND);
    const seen = harness.of(GROUP.tcpListen).map(({ labels, metrics }) => [labels.server_port, metrics]);
    expect(seen).toEqual([
      ['80', { backlog: 3, maxBacklog: 128, overflows: 0 }],
      ['80', { backlog: 128, maxBacklog: 128, overflows: 5 }],
      ['80', { backlog: 128, maxBacklog: 128, overflows: 0 }],
      // It came after the first look: all of its drops happened since.
      ['81', { backlog: 0, maxBacklog: 128, overflows: 4 }],
    ]);
    harness.observe(60 * SECOND);
    expect(harness.of(GROUP.tcpListen)).toHaveLength(4);
    expect(harness.of(GROUP.tcpListen)[0].labels).toMatchObject({ server_address: '0.0.0.0', pid: '77' });
  });

  it('counts nothing anew after a time in which nobody looked', () => {
    start();
    harness.listener({ time: 1, backlog: 0, drops: 0 }).observe(SECOND);
    harness.listener({ time: 5 * SECOND, backlog: 0, drops: 1000 }).observe(6 * SECOND);
    for (let second = 7; second < 40; second++) harness.observe(second * SECOND);
    harness.listener({ time: 40 * SECOND, backlog: 0, drops: 1003 }).observe(41 * SECOND);
    expect(harness.sum(GROUP.tcpListen, 'overflows')).toBe(1003);
  });
});

describe('resets and drops', () => {
  const names = new Map([
    ['skb_drop_reason 6', 'SKB_DROP_REASON_TCP_CSUM'],
    ['sk_rst_reason 2', 'SK_RST_REASON_NO_SOCKET'],
  ]);
  const enumName = (enumeration: string, value: number): string | undefined => names.get(`${enumeration} ${value}`);

  it('are told with the peer of their connection, and why by the kernel’s own word', () => {
    start({ enumName });
    harness.socket(CLIENT).open(1);
    harness.event(TCP_EVENT.resetReceived, { time: 2 });
    harness.event(TCP_EVENT.resetSent, { time: 3, cause: 2 });
    harness.event(TCP_EVENT.drop, { time: 4, cause: 6 });
    harness.event(TCP_EVENT.drop, { time: 4, cause: 99 });
    harness.deliver();
    expect(harness.of(GROUP.tcpReset).map(({ labels }) => labels)).toEqual([
      { ...CLIENT_LABELS, side: 'received' },
      { ...CLIENT_LABELS, side: 'sent', reason: 'no_socket' },
    ]);
    expect(harness.of(GROUP.tcpDrop).map(({ labels }) => labels)).toEqual([
      { ...CLIENT_LABELS, reason: 'tcp_csum' },
      { ...CLIENT_LABELS, reason: '99' },
    ]);
  });

  it('are told by their own addresses where there is no socket', () => {
    start({ enumName });
    harness.event(TCP_EVENT.resetSent, { generation: 0, time: 3, cause: 2, state: 0 });
    harness.deliver();
    expect(harness.of(GROUP.tcpReset).map(({ labels }) => labels)).toEqual([
      { peer_address: '10.0.0.2', server_port: '80', side: 'sent', reason: 'no_socket' },
    ]);
  });

  it('wait for the open record of a socket that still connects, for a tick', () => {
    start();
    const addresses = { local: CLIENT.local, remote: CLIENT.remote, state: 2 };
    harness.event(TCP_EVENT.resetReceived, { ...addresses, time: 2 });
    harness.event(TCP_EVENT.resetReceived, { ...addresses, index: 7, time: 2 }).deliver();
    expect(harness.analyzer.stage.read().inFlight).toBe(2);
    harness.socket(CLIENT).open(3);
    harness.tick(SECOND).tick(2 * SECOND);
    expect(harness.of(GROUP.tcpReset).map(({ labels }) => labels)).toEqual([
      { ...CLIENT_LABELS, side: 'received' },
      { role: 'client', peer_address: '10.0.0.9', server_port: '5432', side: 'received' },
    ]);
    expect(harness.analyzer.stage.read().inFlight).toBe(0);
  });

  it('gives SYNs sent again to the connect that failed', () => {
    start();
    for (const time of [1, 2, 3]) harness.event(TCP_EVENT.retransmit, { time, cause: RETRANSMIT.syn, state: 2 });
    harness.tick(SECOND).tick(2 * SECOND);
    harness.socket({ ...CLIENT, connectNs: 7 * SECOND }).open(3 * SECOND);
    harness.tcp(3 * SECOND, { retransmits: 3 });
    harness.close(3 * SECOND, CLOSE.connectFailed, 110).deliver();
    expect(harness.sum(GROUP.tcpRetransmit, 'segments')).toBe(3);
    expect(harness.sum(GROUP.tcpRetransmit, 'segments', { cause: 'syn', peer_address: '10.0.0.9' })).toBe(3);
  });

  it('leaves SYN-ACKs sent again to the connection that counts them, and tells those of none', () => {
    start();
    const synAck = (host: number, time: number): void => {
      const remote = { address: [10, 0, 0, host], port: 40_000 };
      harness.event(TCP_EVENT.retransmit, { generation: 0, time, cause: RETRANSMIT.syn, state: 3, remote });
    };
    for (const time of [1, 2]) synAck(2, time);
    for (const time of [1, 2, 3]) synAck(3, time);
    harness.deliver();
    expect(harness.analyzer.stage.read().inFlight).toBe(5);
    harness.socket().open(4);
    harness.tcp(5, { retransmits: 2 });
    harness.tick(60 * SECOND);
    expect(harness.sum(GROUP.tcpRetransmit, 'segments')).toBe(2);
    expect(harness.sum(GROUP.tcpRetransmit, 'segments', { cause: 'syn', peer_address: '10.0.0.2' })).toBe(2);
    harness.tick(80 * SECOND);
    expect(harness.of(GROUP.tcpRetransmit)[1]).toMatchObject({
      labels: { role: 'server', peer_address: '10.0.0.3', server_port: '80', cause: 'syn' },
      metrics: { segments: 3 },
    });
    expect(harness.analyzer.stage.read().inFlight).toBe(0);
  });

  it('tells drops that no event told of without a peer, once it is certain that none will', () => {
    const totals = new Map([[6, 10]]);
    start({ enumName, dropTotals: () => totals });
    harness.socket(CLIENT).open(1);
    harness.observe(SECOND);
    // The kernel counts before its records come: these three were on their way.
    for (let i = 0; i < 3; i++) harness.event(TCP_EVENT.drop, { time: 2, cause: 6 });
    harness.observe(2 * SECOND).observe(3 * SECOND);
    expect(harness.sum(GROUP.tcpDrop, 'packets', { peer_address: '10.0.0.9' })).toBe(3);
    expect(harness.sum(GROUP.tcpDrop, 'packets', { reason: 'tcp_csum' })).toBe(10);
    totals.set(6, 14).set(255, 2);
    harness.flush(4 * SECOND);
    expect(harness.sum(GROUP.tcpDrop, 'packets', { reason: 'tcp_csum' })).toBe(14);
    expect(harness.sum(GROUP.tcpDrop, 'packets', { reason: 'other' })).toBe(2);
  });
});

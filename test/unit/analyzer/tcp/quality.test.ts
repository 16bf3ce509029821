import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GROUP } from '../../../../src/model/names.ts';
import { RETRANSMIT, TCP_EVENT } from '../../../../src/model/record.gen.ts';
import { writeDatagram } from '../records.ts';
import { TcpHarness } from './harness.ts';

const SECOND = 1e9;

describe('quality', () => {
  it('has a round trip for each look with new acknowledgements, none without', () => {
    const harness = new TcpHarness();
    harness.socket().open(1);
    harness.tcp(2, { srttUs: 300, rttvarUs: 20, minRttUs: 250, delivered: 4, deliveryRate: 1e6 });
    harness.tcp(3, { srttUs: 300, rttvarUs: 20, minRttUs: 250, delivered: 4, unread: 9 });
    harness.tcp(4, { srttUs: 310, rttvarUs: 20, minRttUs: 0, delivered: 5 }).deliver();
    expect(harness.of(GROUP.tcpQuality).map(({ metrics }) => [metrics.rtt, metrics.minRtt])).toEqual([
      [300_000, 250_000],
      [undefined, undefined],
      [310_000, undefined],
    ]);
    expect(harness.of(GROUP.tcpQuality)[0].metrics).toMatchObject({
      rttVariation: 20_000,
      deliveryRate: 1e6,
      delivered: 4,
    });
  });

  it('begins at the first look where the connection was open before', () => {
    const harness = new TcpHarness();
    harness.socket({ joined: true }).open(1);
    harness.tcp(2, { bytesSent: 5e12, retransmits: 70, delivered: 10, srttUs: 5 });
    harness.tcp(3, { bytesSent: 5e12 + 8, retransmits: 71, delivered: 11, srttUs: 5 }).deliver();
    expect(harness.sum(GROUP.tcpQuality, 'sentBytes')).toBe(8);
    expect(harness.sum(GROUP.tcpQuality, 'delivered')).toBe(1);
    expect(harness.sum(GROUP.tcpRetransmit, 'segments')).toBe(1);
  });

  it('adds up to what the kernel counted, whatever is lost, late, twice, or past the wrap of a counter', () => {
    const steps = fc.array(
      fc.record({
        bytes: fc.integer({ min: 0, max: 2 ** 40 }),
        segments: fc.integer({ min: 0, max: 2 ** 28 }),
        lost: fc.boolean(),
        lateBy: fc.integer({ min: 0, max: 3 }),
      }),
      { minLength: 1, maxLength: 30 },
    );
    fc.assert(
      fc.property(steps, fc.boolean(), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (looks, joined, first) => {
        const harness = new TcpHarness();
        harness.socket({ joined }).open(1);
        let bytes = joined ? first * 1000 : 0;
        let segments = joined ? first : 0;
        // The first look at a connection that was open before is its baseline, and not lost here.
        if (joined) harness.tcp(2, { bytesSent: bytes, segmentsOut: segments, outOfOrder: segments });
        const before = { bytes, segments };
        const records = looks.map((look, i) => {
          bytes += look.bytes;
          segments += look.segments;
          return { ...look, at: i + look.lateBy, bytes, segments };
        });
        // What is last is never lost: nothing could tell of it.
        const delivered = records.filter(({ lost }) => !lost).toSorted((a, b) => a.at - b.at);
        const told = [...delivered, ...delivered.slice(-2), { bytes, segments }];
        // Between two looks less than half of a counter's range passes, as on any real connection.
        fc.pre(
          largestStep(
            told.map((one) => one.segments),
            before.segments,
          ) <
            2 ** 31,
        );
        for (const one of told) {
          harness.tcp(3, { bytesSent: one.bytes, segmentsOut: one.segments, outOfOrder: one.segments });
        }
        harness.deliver();
        expect(harness.sum(GROUP.tcpQuality, 'sentBytes')).toBe(bytes - before.bytes);
        expect(harness.sum(GROUP.tcpQuality, 'sentSegments')).toBe(segments - before.segments);
        expect(harness.sum(GROUP.tcpQuality, 'outOfOrder')).toBe(segments - before.segments);
        expect(harness.lawGap).toBe(0);
      }),
    );
  });

  it('tells how long windows were closed, by whose', () => {
    const harness = new TcpHarness();
    harness.socket().open(1);
    harness.tcp(2, { receiverLimitedUs: 1500, bufferLimitedUs: 20, busyUs: 3000, zeroWindowUs: 40 }).deliver();
    expect(harness.of(GROUP.tcpQuality)[0].metrics).toMatchObject({
      receiverLimited: 1.5e6,
      bufferLimited: 2e4,
      busy: 3e6,
      zeroWindow: 4e4,
    });
  });
});

/** Of counters as they come, some of them late: how far the next one is from the highest so far, at most. */
function largestStep(values: readonly number[], first: number): number {
  let highest = first;
  let largest = 0;
  for (const value of values) {
    largest = Math.max(largest, Math.abs(value - highest));
    highest = Math.max(highest, value);
  }
  return largest;
}

describe('retransmissions', () => {
  const causes = (harness: TcpHarness): Record<string, number> =>
    Object.fromEntries(
      ['timeout', 'fast', 'probe', 'syn', 'unknown'].map((cause) => [
        cause,
        harness.sum(GROUP.tcpRetransmit, 'segments', { cause }),
      ]),
    );

  it('are as many as the connection counted, with the causes that events told', () => {
    const harness = new TcpHarness();
    harness.socket().open(1);
    for (const cause of [RETRANSMIT.timeout, RETRANSMIT.fast, RETRANSMIT.fast]) {
      harness.event(TCP_EVENT.retransmit, { time: 2, cause });
    }
    harness.event(TCP_EVENT.retransmit, { time: 2, cause: RETRANSMIT.probe });
    harness.tcp(3, { retransmits: 4, lossProbes: 1 }).deliver();
    expect(causes(harness)).toEqual({ timeout: 1, fast: 2, probe: 1, syn: 0, unknown: 0 });
  });

  it('share the cause where there was but one, and have none where several do not account for them', () => {
    const harness = new TcpHarness();
    harness.socket().open(1);
    harness.event(TCP_EVENT.retransmit, { time: 2, cause: RETRANSMIT.fast });
    harness.tcp(3, { retransmits: 10 }).deliver();
    expect(causes(harness)).toMatchObject({ fast: 10, unknown: 0 });
    harness.event(TCP_EVENT.retransmit, { time: 4, cause: RETRANSMIT.fast });
    harness.event(TCP_EVENT.retransmit, { time: 4, cause: RETRANSMIT.timeout });
    harness.tcp(5, { retransmits: 15 }).deliver();
    expect(causes(harness)).toMatchObject({ fast: 11, timeout: 1, unknown: 3 });
    harness.tcp(6, { retransmits: 17 }).deliver();
    expect(causes(harness)).toMatchObject({ unknown: 5 });
  });

  it('keep an event for the record that counts it', () => {
    const harness = new TcpHarness();
    harness.socket().open(1);
    for (let i = 0; i < 3; i++) harness.event(TCP_EVENT.retransmit, { time: 2, cause: RETRANSMIT.timeout });
    harness.tcp(3, { retransmits: 2 }).deliver();
    harness.event(TCP_EVENT.retransmit, { time: 4, cause: RETRANSMIT.fast });
    harness.tcp(5, { retransmits: 4 }).deliver();
    expect(causes(harness)).toMatchObject({ timeout: 3, fast: 1, unknown: 0 });
  });

  it('are told by events alone where no record came before the close', () => {
    const harness = new TcpHarness();
    const socket = harness.socket().open(1);
    harness.event(TCP_EVENT.retransmit, { time: 2, cause: RETRANSMIT.timeout });
    socket.close(3);
    harness.deliver();
    expect(causes(harness)).toMatchObject({ timeout: 1, unknown: 0 });
  });
});

describe('UDP', () => {
  it('is summed up by peer and told in each window that had any', () => {
    const harness = new TcpHarness();
    for (let i = 0; i < 3; i++)
      writeDatagram(harness.writer, { direction: 'send', time: i, data: 'abc', localPort: 40_000 + i });
    writeDatagram(harness.writer, { direction: 'receive', time: 4, data: 'abcde' });
    writeDatagram(harness.writer, { direction: 'receive', time: 4, data: 'x', localPort: 53, remotePort: 0 });
    harness.observe(SECOND).observe(2 * SECOND);
    expect(harness.of(GROUP.udp).map(({ labels, metrics }) => [labels, metrics])).toEqual([
      [
        { role: 'client', peer_address: '10.0.0.53', server_port: '53', pid: '55' },
        { sentDatagrams: 3, sentBytes: 9, receivedDatagrams: 1, receivedBytes: 5 },
      ],
      [
        { role: 'server', server_port: '53', pid: '55' },
        { sentDatagrams: 0, sentBytes: 0, receivedDatagrams: 1, receivedBytes: 1 },
      ],
    ]);
    expect(harness.lawGap).toBe(0);
  });
});

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventBatch, EventConsumer } from '../../../src/model/event-batch.ts';
import type { StageCount } from '../../../src/model/law.ts';
import { DIRECTION, KIND, POLICY, RECORD } from '../../../src/model/record.gen.ts';
import {
  createKernelReceiver,
  type KernelReceiver,
  type KernelReceiverOptions,
} from '../../../src/receiver/kernel/kernel-receiver.ts';
import { createPolicyTable } from '../../../src/receiver/kernel/policy-table.ts';

interface Seen {
  readonly kind: number;
  readonly direction: number;
  readonly index: number;
  readonly generation: number;
  readonly time: number;
  readonly tgid: number;
  readonly size: number;
  /** Of a datagram's peer; 0 if not known. */
  readonly remotePort: number;
  readonly payload: string;
}

function collector(): EventConsumer & { readonly records: Seen[]; readonly ticks: number[]; flushed: number } {
  const records: Seen[] = [];
  const ticks: number[] = [];
  return {
    records,
    ticks,
    flushed: 0,
    consume(batch: EventBatch) {
      const { bytes, words } = batch;
      for (let at = 0; at < batch.length; at += words[at >> 2] ?? 0) {
        const word = (offset: number): number => words[(at + offset) >> 2] ?? 0;
        const kind = bytes[at + RECORD.head.kind] ?? 0;
        const captured = batch.halves[(at + RECORD.head.captured) >> 1] ?? 0;
        const message = kind === KIND.message;
        const datagram = kind === KIND.datagram;
        const payload = at + (datagram ? RECORD.size.datagram : RECORD.size.message);
        records.push({
          kind,
          direction: bytes[at + RECORD.head.direction] ?? 0,
          index: word(RECORD.head.index),
          generation: batch.halves[(at + RECORD.head.generation) >> 1] ?? 0,
          time: word(RECORD.head.time) + word(RECORD.head.time + 4) * 2 ** 32,
          tgid: message ? word(RECORD.message.tgid) : datagram ? word(RECORD.datagram.tgid) : 0,
          size: message ? word(RECORD.message.size) : datagram ? word(RECORD.datagram.size) : 0,
          remotePort: datagram
            ? bytes[at + RECORD.datagram.remotePort] * 256 + bytes[at + RECORD.datagram.remotePort + 1]
            : 0,
          payload:
            message || datagram ? Buffer.from(bytes.subarray(payload, payload + captured)).toString('latin1') : '',
        });
      }
    },
    tick(now) {
      ticks.push(now);
    },
    flush() {
      this.flushed += 1;
    },
  };
}

const none = { include: [], exclude: [] };

let receiver: KernelReceiver | undefined;
let talker: ChildProcess | undefined;

afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
  talker?.kill('SIGKILL');
  talker = undefined;
});

function start(next: EventConsumer, change: Partial<KernelReceiverOptions> = {}): KernelReceiver {
  receiver = createKernelReceiver({
    next,
    policies: createPolicyTable(),
    ringBytes: 1 << 20,
    maxConnections: 1024,
    payloadBytes: 4096,
    queueTime: 'coarse',
    udp: false,
    filter: { ports: none, pids: none, cgroups: none },
    policy: 'auto',
    ...change,
  });
  receiver.start();
  return receiver;
}

interface Talk {
  readonly rounds: number;
  /** Both ends in the one process; the kernel sees each. */
  readonly port: number;
  readonly pid: number;
}

/** A process of its own, because the receiver does not see the one it runs in. */
async function startTalker(): Promise<{ pid: number; port: number; talk: (rounds: number) => Promise<Talk> }> {
  const child = fork(new URL('talker.mjs', import.meta.url), { execArgv: [] });
  talker = child;
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const pid = child.pid ?? 0;
  return {
    pid,
    port,
    async talk(rounds) {
      child.send({ rounds });
      await once(child, 'message');
      return { rounds, port, pid };
    },
  };
}

const total = (terms: Readonly<Record<string, number>>): number => Object.values(terms).reduce((a, b) => a + b, 0);
const explained = (count: StageCount): number => count.delivered + count.inFlight + total(count.dropped);

describe('the kernel receiver', () => {
  it('hands over every message of a conversation, with its bytes, in order', async () => {
    const { talk, pid } = await startTalker();
    const next = collector();
    const running = start(next);
    await talk(10);
    await running.stop();
    const mine = next.records.filter((record) => record.kind === KIND.message && record.tgid === pid);
    const sent = mine.filter((record) => record.direction === DIRECTION.send).map((record) => record.payload);
    const received = mine.filter((record) => record.direction === DIRECTION.receive).map((record) => record.payload);
    const expected = Array.from({ length: 10 }, (_, i) => [`question ${i}`, `answer ${i}`]).flat();
    expect(sent).toEqual(expected);
    expect(received).toEqual(expected);
    expect(next.records.filter((record) => record.kind === KIND.open).length).toBeGreaterThanOrEqual(2);
    expect(next.flushed).toBe(1);
  });

  it('keeps the law, and keeps its numbers after the stop', async () => {
    const { talk } = await startTalker();
    const next = collector();
    const running = start(next);
    await talk(50);
    await running.stop();
    for (const stage of running.stages) {
      const count = stage.read();
      expect([stage.name, explained(count)]).toEqual([stage.name, count.produced]);
      expect(count.inFlight).toBe(0);
      expect(total(count.dropped)).toBe(0);
      expect(count.delivered).toBeGreaterThanOrEqual(100);
    }
    expect(running.stages.find((stage) => stage.name === 'ring')?.read().delivered).toBe(next.records.length);
    expect(running.mapBytes()).toBeGreaterThan(2 << 20);
  });

  it('counts times from its origin, and ticks with them', async () => {
    const { talk } = await startTalker();
    const next = collector();
    const before = process.hrtime.bigint();
    const running = start(next, { originNs: before });
    await talk(3);
    await expect.poll(() => next.records.length).toBeGreaterThan(6);
    const elapsed = Number(process.hrtime.bigint() - before);
    const messages = next.records.filter((record) => record.kind === KIND.message);
    for (const { time } of messages) expect(time > 0 && time <= elapsed).toBe(true);
    expect(next.ticks.length).toBeGreaterThan(0);
    expect(next.ticks).toEqual(next.ticks.toSorted((a, b) => a - b));
    expect(next.ticks.at(-1)).toBeLessThanOrEqual(Number(process.hrtime.bigint() - before));
    expect([1e6, 1e9 / 300, 4e6, 1e7]).toContain(running.tickNs());
  });

  it('ignores a connection when its policy says so', async () => {
    const { talk, pid } = await startTalker();
    const policies = createPolicyTable();
    const next = collector();
    const running = start(next, { policies });
    await talk(2);
    const messages = () => next.records.filter((record) => record.kind === KIND.message && record.tgid === pid);
    await expect.poll(() => messages().length).toBe(8);
    for (const { index, generation } of messages()) policies.set(index, generation, POLICY.ignore);
    await talk(5);
    await running.stop();
    expect(messages()).toHaveLength(8);
    expect(running.counters().skipPolicy).toBeGreaterThanOrEqual(20);
  });

  it('sees only what the filter includes', async () => {
    const { talk, port, pid } = await startTalker();
    const next = collector();
    const running = start(next, { filter: { ports: { include: [], exclude: [port] }, pids: none, cgroups: none } });
    await talk(5);
    await running.stop();
    expect(next.records.filter((record) => record.tgid === pid)).toEqual([]);
    expect(running.counters().skipFiltered).toBeGreaterThanOrEqual(20);
  });

  it('says nothing of a filtered connection that is accepted and stays silent while sweeps pass', async () => {
    const { talk } = await startTalker();
    const next = collector();
    // No socket has port 1: everything on the machine is filtered.
    const running = start(next, { filter: { ports: { include: [1], exclude: [] }, pids: none, cgroups: none } });
    await talk(0);
    const begin = next.ticks.at(-1) ?? 0;
    await expect.poll(() => (next.ticks.at(-1) ?? 0) - begin, { timeout: 10_000 }).toBeGreaterThan(2.5e9);
    await running.stop();
    expect(next.records).toEqual([]);
    expect(running.counters().socketsOpened).toBe(0);
  });

  it('writes a record for each datagram, with the peer where the kernel can know it', async () => {
    const child = fork(new URL('udp-talker.mjs', import.meta.url), { execArgv: [] });
    talker = child;
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const next = collector();
    const running = start(next, { udp: true });
    child.send('ask');
    await once(child, 'message');
    await running.stop();
    const seen = next.records
      .filter(({ kind, tgid }) => kind === KIND.datagram && tgid === child.pid)
      .map(({ direction, size, payload, remotePort }) => ({
        direction,
        size,
        payload,
        known: remotePort !== 0,
        port: remotePort === port,
      }));
    const question = { size: 8, payload: 'question' };
    const answer = { size: 18, payload: 'answer to question' };
    expect(seen).toHaveLength(4);
    expect(seen).toEqual(
      expect.arrayContaining([
        { ...question, direction: DIRECTION.send, known: true, port: true },
        { ...question, direction: DIRECTION.receive, known: false, port: false },
        { ...answer, direction: DIRECTION.send, known: true, port: false },
        { ...answer, direction: DIRECTION.receive, known: true, port: true },
      ]),
    );
  });

  it('counts what a ring that is too small loses, and keeps the law', async () => {
    const { talk } = await startTalker();
    const next = collector();
    // Timers that never fire: nobody reads while the process talks.
    const timers = { set: (callback: () => void) => setImmediate(callback), clear: () => undefined };
    const stuck = { set: () => undefined, clear: () => undefined };
    let live: typeof timers | typeof stuck = stuck;
    const running = start(next, {
      ringBytes: 64 << 10,
      timers: { set: (callback) => live.set(callback), clear: () => undefined },
    });
    await talk(2000);
    expect(running.ringUse()).toBeGreaterThan(0.3);
    live = timers;
    await running.stop();
    const hook = running.stages[0]?.read();
    expect(hook?.dropped['ring_full']).toBeGreaterThan(0);
    for (const stage of running.stages) expect(explained(stage.read())).toBe(stage.read().produced);
  });

  it('says which features are on', () => {
    const running = start(collector(), { queueTime: 'precise' });
    expect(running.features().map(({ name, state }) => [name, state])).toEqual([
      ['messages', 'on'],
      ['connections', 'on'],
      ['sweep', 'on'],
      ['backfill', 'on'],
      ['queue_time_precise', 'on'],
      ['tcp_quality', 'on'],
      ['tcp_retransmits', 'on'],
      ['tcp_resets', 'on'],
      ['tcp_drops', 'on'],
      ['tcp_listeners', 'on'],
      ['queue_time', 'on'],
      ['udp', 'off'],
    ]);
  });

  it('can be stopped before it was started, and twice', async () => {
    const next = collector();
    const idle = createKernelReceiver({
      next,
      policies: createPolicyTable(),
      ringBytes: 1 << 20,
      maxConnections: 64,
      payloadBytes: 4096,
      queueTime: 'off',
      udp: false,
      filter: { ports: none, pids: none, cgroups: none },
      policy: 'auto',
    });
    await idle.stop();
    await idle.stop();
    expect(next.flushed).toBe(0);
  });
});

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventBatch } from '../../../src/model/event-batch.ts';
import { CLOSE, FLAG, KIND, RECORD } from '../../../src/model/record.gen.ts';
import { createKernelReceiver, type KernelReceiver } from '../../../src/receiver/kernel/kernel-receiver.ts';
import { createPolicyTable } from '../../../src/receiver/kernel/policy-table.ts';

interface Seen {
  readonly kind: number;
  readonly flags: number;
  readonly captured: number;
  readonly reason: number;
  readonly id: string;
}

const none = { include: [], exclude: [] };
let receiver: KernelReceiver;
let talker: ChildProcess;
let records: Seen[];

beforeEach(() => {
  records = [];
});
afterEach(async () => {
  await receiver.stop();
  talker.kill('SIGKILL');
});

function start(port: number, udp = false): void {
  receiver = createKernelReceiver({
    next: { consume, tick: () => undefined, flush: () => undefined },
    policies: createPolicyTable(),
    ringBytes: 1 << 20,
    maxConnections: 1024,
    payloadBytes: 4096,
    queueTime: 'off',
    udp,
    filter: { ports: { include: [port], exclude: [] }, pids: none, cgroups: none },
    policy: 'auto',
  });
  receiver.start();
}

function consume({ bytes, words, halves, length }: EventBatch): void {
  for (let at = 0; at < length; at += words[at >> 2] ?? 0) {
    records.push({
      kind: bytes[at + RECORD.head.kind] ?? 0,
      flags: halves[(at + RECORD.head.flags) >> 1] ?? 0,
      captured: halves[(at + RECORD.head.captured) >> 1] ?? 0,
      reason: bytes[at + RECORD.totals.reason] ?? 0,
      id: `${words[(at + RECORD.head.index) >> 2]}.${halves[(at + RECORD.head.generation) >> 1]}`,
    });
  }
}

async function startTalker(file: string): Promise<number> {
  talker = fork(new URL(file, import.meta.url), { execArgv: [] });
  const [{ port }] = (await once(talker, 'message')) as [{ port: number }];
  return port;
}

async function talk(message: unknown): Promise<void> {
  talker.send(message as object);
  await once(talker, 'message');
}

const of = (kind: number): Seen[] => records.filter((record) => record.kind === kind);
/** Resolves when every record that the kernel wrote so far was handed over. */
const settled = (messages: number) => expect.poll(() => of(KIND.message).length).toBe(messages);

function expectLaw(): void {
  for (const stage of receiver.stages) {
    const { produced, delivered, inFlight, dropped } = stage.read();
    const lost = Object.values(dropped).reduce((a, b) => a + b, 0);
    expect([stage.name, delivered + inFlight + lost]).toEqual([stage.name, produced]);
    expect(lost).toBe(0);
  }
}

describe('switches', () => {
  it('capture: off nothing is recorded, on again connections that were open are joined', async () => {
    const port = await startTalker('talker.mjs');
    start(port);
    await talk({ rounds: 3 });
    await settled(12);
    const before = new Set(of(KIND.open).map(({ id }) => id));
    expect(before.size).toBe(2);

    await receiver.switch('capture', false);
    const skipped = receiver.counters().skipOff;
    await talk({ rounds: 10 });
    await expect.poll(() => of(KIND.close).length).toBe(2);
    expect(of(KIND.close).map(({ reason }) => reason)).toEqual([CLOSE.switchedOff, CLOSE.switchedOff]);
    expect(of(KIND.message)).toHaveLength(12);
    expect(receiver.counters().skipOff - skipped).toBeGreaterThanOrEqual(40);
    expect(of(KIND.open)).toHaveLength(2);

    await receiver.switch('capture', true);
    await talk({ rounds: 3 });
    await settled(24);
    const joined = of(KIND.open).slice(2);
    expect(joined).toHaveLength(2);
    for (const { flags, id } of joined) {
      expect(flags & FLAG.joined).toBe(FLAG.joined);
      expect(before.has(id)).toBe(false);
    }
    await receiver.stop();
    expectLaw();
    const { produced, skipped: passed } = receiver.stages[0]?.read() ?? expect.fail('no stage');
    expect(passed['off']).toBe(receiver.counters().skipOff);
    expect(receiver.counters().countRuns).toBe(produced + Object.values(passed).reduce((a, b) => a + b, 0));
  });

  it('capture: a connection that opens and closes meanwhile leaves nothing, and no index is lost', async () => {
    const port = await startTalker('talker.mjs');
    start(port);
    await receiver.switch('capture', false);
    await talk({ rounds: 2 });
    await receiver.switch('capture', true);
    expect(records).toEqual([]);
    talker.kill('SIGKILL');
    await once(talker, 'exit');
    await receiver.stop();
    expect(records).toEqual([]);
    expect(receiver.counters().socketsOpened).toBe(receiver.counters().socketsClosed);
    expectLaw();
  });

  it('payload: records come without, and on again with their bytes', async () => {
    const port = await startTalker('talker.mjs');
    start(port);
    await receiver.switch('payload', false);
    await talk({ rounds: 3 });
    await settled(12);
    expect(of(KIND.message).every(({ captured, flags }) => captured === 0 && (flags & FLAG.noPayload) !== 0)).toBe(
      true,
    );
    expect(receiver.counters()).toMatchObject({ payloadOff: 12, payloadUnreadable: 0 });
    await receiver.switch('payload', true);
    await talk({ rounds: 3 });
    await settled(24);
    expect(
      of(KIND.message)
        .slice(12)
        .every(({ captured }) => captured > 0),
    ).toBe(true);
    await receiver.stop();
    expectLaw();
  });

  it('udp: on while it runs, and off again', async () => {
    const port = await startTalker('udp-talker.mjs');
    start(port);
    const state = () => receiver.features().find(({ name }) => name === 'udp')?.state;
    expect(state()).toBe('off');
    await talk('ask');
    expect(of(KIND.datagram)).toEqual([]);
    await receiver.switch('udp', true);
    expect(state()).toBe('on');
    await talk('ask');
    await expect.poll(() => of(KIND.datagram).length).toBeGreaterThanOrEqual(3);
    await receiver.switch('udp', false);
    const seen = of(KIND.datagram).length;
    await talk('ask');
    await receiver.stop();
    expect(of(KIND.datagram)).toHaveLength(seen);
    expect(state()).toBe('off');
    expectLaw();
  });
});

import { describe, expect, test } from 'vitest';
import type { NetworkAnalyzerOptions } from '../../../../../../src/analyzer/network/network-analyzer.ts';
import { Harness } from '../../../harness.ts';
import type { Seen } from '../../../harness.ts';
import type { Socket } from '../../../records.ts';
import { conversations } from './conversations.ts';
import type { Conversation, Expected } from './conversations.ts';

/** A replay cannot be narrowed: all that is captured is seen. */
const WIDE: Partial<NetworkAnalyzerOptions> = { policy: { set: () => {} } };
type Step = Conversation['steps'][number];

function speak(socket: Socket, [side, bytes]: Step, time: number, role: 'client' | 'server'): void {
  if ((side === 'client') === (role === 'client')) socket.send(time, bytes);
  else socket.receive(time, bytes);
}

/** Runs conversations one after the other through one analyzer, each on a socket of its own. */
class Runner {
  readonly harness = new Harness(WIDE);
  #generation = 0;

  run(steps: readonly Step[], role: 'client' | 'server', payload?: number): Seen[] {
    this.#generation++;
    const limit = payload === undefined ? {} : { payload };
    const socket = this.harness.socket({ role, generation: this.#generation, ...limit }).open(1);
    let time = 1000;
    for (const step of steps) {
      time += 1000;
      speak(socket, step, time, role);
    }
    socket.close(time + 1000);
    this.harness.deliver();
    return this.harness.seen.splice(0);
  }
}

function facts(seen: readonly Seen[]): Expected[] {
  return seen.map(({ operation, resource, status, error, requestBytes, responseBytes, complete }) => ({
    operation,
    resource,
    status,
    error,
    requestBytes,
    responseBytes,
    complete,
  }));
}

function expected(conversation: Conversation, role: 'client' | 'server'): Expected[] {
  return conversation.expected.map((one) => ({
    complete: true,
    ...one,
    // Seen by a client, 4xx are errors too.
    error: role === 'client' && one.status !== null && one.status >= '400' ? 'status' : (one.error ?? null),
  }));
}

/** The same bytes in segments that end at the given places of the whole. */
function cut(steps: readonly Step[], places: readonly number[]): Step[] {
  const cuts = new Set(places);
  const result: Step[] = [];
  let at = 0;
  for (const [side, bytes] of steps) {
    let from = 0;
    for (let i = 1; i <= bytes.length; i++) {
      at++;
      if (!cuts.has(at) && i < bytes.length) continue;
      result.push([side, bytes.slice(from, i)]);
      from = i;
    }
  }
  return result;
}

function length(conversation: Conversation): number {
  return conversation.steps.reduce((sum, [, bytes]) => sum + bytes.length, 0);
}

/** xorshift32: the same cuts in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

describe.each(conversations.map((one) => [one.name, one] as const))('%s', (_, conversation) => {
  test.each(['server', 'client'] as const)('is the same whole, seen by the %s', (role) => {
    const runner = new Runner();
    const seen = runner.run(conversation.steps, role);
    expect(facts(seen)).toEqual(expected(conversation, role));
    expect(seen.every((one) => one.protocol === 'http' && one.role === role)).toBe(true);
    expect(runner.harness.lawGap).toBe(0);
    expect(runner.harness.analyzer.stage.read().inFlight).toBe(0);
  });

  test('is the same cut at every byte', () => {
    const want = expected(conversation, 'server');
    const runner = new Runner();
    for (let place = 1; place < length(conversation); place++) {
      expect(facts(runner.run(cut(conversation.steps, [place]), 'server')), `cut at ${place}`).toEqual(want);
    }
    expect(runner.harness.lawGap).toBe(0);
  });

  test('is the same byte by byte', () => {
    const everywhere = Array.from({ length: length(conversation) }, (_unused, i) => i);
    expect(facts(new Runner().run(cut(conversation.steps, everywhere), 'server'))).toEqual(
      expected(conversation, 'server'),
    );
  });

  test('is the same cut at random', () => {
    const runner = new Runner();
    const random = randomFrom(length(conversation));
    for (let round = 0; round < 20; round++) {
      const places = Array.from({ length: 1 + Math.floor(random() * 12) }, () =>
        Math.floor(random() * length(conversation)),
      );
      const seen = runner.run(cut(conversation.steps, places), 'client');
      expect(facts(seen), `cut at ${places.join(', ')}`).toEqual(expected(conversation, 'client'));
    }
  });

  test('is the same interleaved with others', () => {
    const harness = new Harness(WIDE);
    const sockets = [0, 1, 2].map((index) => harness.socket({ index, cookie: index + 1 }).open(1));
    const cuts = sockets.map((socket, i) => ({ socket, steps: cut(conversation.steps, [7 + i * 13, 40 + i * 7]) }));
    for (let step = 0; cuts.some(({ steps }) => step < steps.length); step++) {
      for (const { socket, steps } of cuts) {
        if (step < steps.length) speak(socket, steps[step], 1000 + step, 'server');
      }
    }
    for (const { socket } of cuts) socket.close(99_000);
    harness.deliver();
    for (const connection of ['1', '2', '3']) {
      const own = harness.seen.filter((one) => one.connection === connection);
      expect(facts(own)).toEqual(expected(conversation, 'server'));
    }
  });

  test.each([64, 128, 256])('is counted and measured alike with %i bytes of each segment', (payload) => {
    const want = expected(conversation, 'server');
    const runner = new Runner();
    const seen = runner.run(conversation.steps, 'server', payload);
    expect(runner.harness.lawGap).toBe(0);
    const total = (of: (one: Expected | Seen) => number, list: readonly (Expected | Seen)[]): number =>
      list.reduce((sum, one) => sum + of(one), 0);
    expect(total((one) => one.requestBytes, seen)).toBe(total((one) => one.requestBytes, want));
    if (conversation.pipelined === true) return;
    expect(seen.map(({ operation, status }) => ({ operation, status }))).toEqual(
      want.map(({ operation, status }) => ({ operation, status })),
    );
    expect(seen.map(({ responseBytes }) => responseBytes)).toEqual(want.map(({ responseBytes }) => responseBytes));
    for (const [i, one] of seen.entries()) expect([want[i].resource, null]).toContain(one.resource);
  });
});

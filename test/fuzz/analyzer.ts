import fc from 'fast-check';
import { createNetworkAnalyzer } from '../../src/analyzer/network/network-analyzer.ts';
import type { DataGroup } from '../../src/model/data-group.ts';
import { EXCHANGE_METRIC, type ExchangeGroup } from '../../src/model/exchange.ts';
import { LabelSets } from '../../src/model/label-sets.ts';
import { KIND, RECORD } from '../../src/model/record.gen.ts';
import { httpLikeBytes } from './bytes.ts';
import { checkLaw, sum } from './law.ts';
import { batchOf, type Call, SocketModel } from './record-writer.ts';
import { type Target, target } from './target.ts';

/** An analyzer whose exchanges are looked at in full, and the law checked. */
function observedAnalyzer() {
  const labels = new LabelSets({ maxSets: 50 });
  let exchanges = 0;
  const analyzer = createNetworkAnalyzer({
    maxConnections: 16,
    labels,
    next: {
      consume(group: DataGroup) {
        exchanges += 1;
        checkExchange(group as ExchangeGroup, labels);
      },
    },
  });
  return { analyzer, exchanges: () => exchanges };
}

function checkExchange(exchange: ExchangeGroup, labels: LabelSets): void {
  for (const [name, place] of Object.entries(EXCHANGE_METRIC)) {
    const value = exchange.metrics[place];
    if (value < 0 || value === Infinity) throw new Error(`${name} is ${value}`);
  }
  if (exchange.complete && !(exchange.metrics[EXCHANGE_METRIC.duration] >= 0))
    throw new Error('whole, but no duration');
  const shown = [
    exchange.connectionId(),
    exchange.source(),
    exchange.destination(),
    exchange.resource(),
    exchange.traceId(),
    exchange.comm(),
    exchange.attributes(),
    labels.labels(exchange.labels),
  ];
  const length = JSON.stringify(shown).length;
  if (length > 20_000) throw new Error(`${length} characters for one exchange`);
}

const call: fc.Arbitrary<Call> = fc.record({
  sends: fc.boolean(),
  content: httpLikeBytes(8).filter((bytes) => bytes.length > 0),
  capture: fc.oneof({ weight: 3, arbitrary: fc.constant(4_096) }, fc.constantFrom(0, 1, 32, 64, 512)),
});

const conversation = fc.record({
  server: fc.boolean(),
  opens: fc.boolean(),
  calls: fc.array(call, { maxLength: 14 }),
  close: fc.option(fc.integer({ min: 0, max: 7 })),
});

/** What becomes of a record on its way. */
const fate = fc.oneof(
  { weight: 12, arbitrary: fc.constant('arrives' as const) },
  fc.constantFrom('lost' as const, 'late' as const, 'tick' as const),
);

const scene = fc.record({
  conversations: fc.array(conversation, { minLength: 1, maxLength: 4 }),
  fates: fc.array(fate, { minLength: 1, maxLength: 70 }),
  batchLength: fc.integer({ min: 1, max: 9 }),
});

/** Plays conversations to an analyzer, record by record from each in turn. */
function play({ conversations, fates, batchLength }: typeof scene extends fc.Arbitrary<infer T> ? T : never): void {
  let time = 1_000_000_000n;
  const queues = conversations.map(({ server, opens, calls, close }, at) => {
    // Two conversations share an index, so that one takes it over from the other.
    const socket = new SocketModel(at % 3, at, server);
    const later = (): bigint => (time += 1_000_000n);
    return [
      ...(opens ? [() => socket.open(later())] : []),
      ...calls.map((one) => () => socket.call(one, later())),
      () => socket.totals(KIND.totals, 0, later()),
      ...(close === null ? [] : [() => socket.totals(KIND.close, close, later())]),
    ];
  });

  const { analyzer, exchanges } = observedAnalyzer();
  const waiting: Uint8Array[] = [];
  const late: Uint8Array[] = [];
  let messages = 0;
  let attempted = 0;
  let played = 0;
  const deliver = (): void => {
    messages += waiting.filter((record) => record[RECORD.head.kind] === KIND.message).length;
    analyzer.consume(batchOf(waiting));
    waiting.length = 0;
    checkLaw(analyzer.stage.read());
  };
  while (queues.some((queue) => queue.length > 0)) {
    for (const queue of queues) {
      const record = queue.shift()?.();
      if (record === undefined) continue;
      if (record[RECORD.head.kind] === KIND.message) attempted += 1;
      const what = fates[played++ % fates.length];
      if (what === 'late') late.push(record);
      else if (what !== 'lost') waiting.push(record, ...late.splice(0));
      if (what === 'tick') analyzer.tick(Number(time));
      if (waiting.length >= batchLength) deliver();
    }
  }
  waiting.push(...late);
  deliver();
  analyzer.flush(Number(time + 1_000_000n));

  const end = analyzer.stage.read();
  checkLaw(end);
  if (end.inFlight !== 0) throw new Error(`${end.inFlight} in flight after the flush`);
  const taken = end.produced + sum(end.skipped);
  if (taken !== messages) throw new Error(`${taken} produced or skipped of ${messages} messages`);
  // Pieces of one call may hold several requests, but never more than one for each byte.
  if (exchanges() > attempted * 64 + 64) throw new Error(`${exchanges()} exchanges from ${attempted} calls`);
}

/** Records that no kernel writes: the fields are random, the length and kind mostly right. */
const strangeRecord = fc
  .record({
    kind: fc.oneof({ weight: 8, arbitrary: fc.integer({ min: 1, max: 6 }) }, fc.nat(255)),
    index: fc.oneof({ weight: 8, arbitrary: fc.nat(4) }, fc.integer({ min: 0, max: 0xffffffff })),
    generation: fc.nat(2),
    length: fc.oneof({ weight: 8, arbitrary: fc.constantFrom(64, 128, 192, 256) }, fc.nat(5_000)),
    noise: fc.uint8Array({ minLength: 256, maxLength: 256 }),
    small: fc.boolean(),
    content: httpLikeBytes(3),
  })
  .map(({ kind, index, generation, length, noise, small, content }) => {
    const bytes = new Uint8Array(256);
    if (!small) bytes.set(noise);
    // Small counters make sequences that go together now and then.
    else for (let at = 24; at < 256; at += 4) bytes[at] = noise[at] & 7;
    bytes.set(content.subarray(0, 192), 64);
    const view = new DataView(bytes.buffer);
    view.setUint32(RECORD.head.length, length, true);
    bytes[RECORD.head.kind] = kind;
    view.setUint32(RECORD.head.index, index, true);
    view.setUint16(RECORD.head.generation, generation, true);
    if (small) view.setUint16(RECORD.head.captured, noise[0] & 127, true);
    return bytes.subarray(0, Math.min(256, Math.max(64, Math.ceil(length / 64) * 64)));
  });

export const analyzerTargets: readonly Target[] = [
  target('conversations, some records lost or late', scene, play),
  target('records that no kernel writes', fc.array(strangeRecord, { maxLength: 40 }), (records) => {
    const analyzer = createNetworkAnalyzer({
      maxConnections: 16,
      labels: new LabelSets(),
      next: { consume: () => {} },
    });
    analyzer.consume(batchOf(records));
    checkLaw(analyzer.stage.read());
    analyzer.tick(1e9);
    analyzer.tick(3e9);
    analyzer.flush(4e9);
    checkLaw(analyzer.stage.read());
    if (analyzer.stage.read().inFlight !== 0) throw new Error('in flight after the flush');
  }),
];

import fc from 'fast-check';
import { createNetworkAnalyzer } from '../../src/analyzer/network/network-analyzer.ts';
import { LabelSets } from '../../src/model/label-sets.ts';
import { createReplayReceiver, type ReplayReceiver } from '../../src/receiver/replay/replay-receiver.ts';
import { parseSocketAddress } from '../../src/receiver/replay/socket-address.ts';
import { httpLikeBytes } from './bytes.ts';
import { checkLaw } from './law.ts';
import { type Target, target } from './target.ts';

const anything = fc.oneof(fc.string({ maxLength: 12 }), fc.integer(), fc.double(), fc.constant(null), fc.boolean());

/** Mostly what belongs there, now and then anything. */
const usually = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 30, arbitrary }, { weight: 1, arbitrary: anything });

const address = fc.constantFrom('127.0.0.1:40000', '127.0.0.1:80', '[::1]:80', '[fe80::1]:443', '10.0.0.1:0');

const lineObject = fc.record(
  {
    time: usually(fc.bigInt({ min: 1_760_000_000_000_000_000n, max: 1_760_000_300_000_000_000n }).map(String)),
    conn: usually(fc.constantFrom('a', 'b', 'c')),
    direction: usually(fc.constantFrom('send', 'recv')),
    role: usually(fc.constantFrom('client', 'server')),
    src: usually(address),
    dst: usually(address),
    transport: usually(fc.oneof({ weight: 8, arbitrary: fc.constant('tcp') }, fc.constant('udp'))),
    pid: usually(fc.nat()),
    comm: usually(fc.string({ unit: 'binary', maxLength: 20 })),
    size: usually(fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, fc.nat(2 ** 31 - 1))),
    payload: usually(httpLikeBytes(6).map((bytes) => Buffer.from(bytes).toString('base64'))),
    event: usually(
      fc.oneof(
        { weight: 8, arbitrary: fc.constant(undefined) },
        fc.constantFrom('open', 'close', 'reset', 'connect_failed'),
      ),
    ),
  },
  { requiredKeys: ['time', 'conn', 'direction', 'payload'] },
);

const line = fc.oneof(
  { weight: 12, arbitrary: lineObject.map((object) => JSON.stringify(object)) },
  { weight: 1, arbitrary: lineObject.map((object) => JSON.stringify(object).slice(0, -5)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.json() },
);

const input = fc.record({
  lines: fc.array(line, { maxLength: 30 }),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  /** Where the input is cut into chunks. */
  cuts: fc.array(fc.nat(), { maxLength: 5 }),
});

function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((one, other) => one - other);
  return [0, ...places].map((from, at) => bytes.subarray(from, places[at] ?? bytes.length));
}

async function* streamOf(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

async function replay(bytes: Buffer, cuts: readonly number[]): Promise<string[]> {
  const seen: string[] = [];
  const analyzer = createNetworkAnalyzer({
    maxConnections: 64,
    labels: new LabelSets(),
    next: { consume: (group) => seen.push([...group.metrics].join(' ')) },
    connectionNames: (low, high) => receiver.connectionName(low, high),
  });
  let bad = 0;
  const receiver: ReplayReceiver = createReplayReceiver({
    next: analyzer,
    onBadLine: () => (bad += 1),
    maxConnections: 2,
    maxLineBytes: 4_096,
  });
  await receiver.read(streamOf(chunksOf(bytes, cuts)), 'fuzz');
  receiver.finish();

  const stage = analyzer.stage.read();
  checkLaw(stage);
  if (stage.inFlight !== 0) throw new Error(`${stage.inFlight} in flight at the end`);
  if (receiver.statistics.badLines !== bad) throw new Error(`${receiver.statistics.badLines} bad lines, ${bad} named`);
  return seen;
}

/** Segment lines from anywhere. */
export const replayTargets: readonly Target[] = [
  target('segment lines, the same however the input is cut', input, async ({ lines, lineEnd, cuts }) => {
    const bytes = Buffer.from(lines.join(lineEnd));
    const whole = await replay(bytes, []);
    const cut = await replay(bytes, cuts);
    if (whole.join('\n') !== cut.join('\n')) throw new Error('a cut changed what was seen');
  }),
  target('bytes in place of segment lines', fc.uint8Array({ maxLength: 6_000 }), async (bytes) => {
    await replay(Buffer.from(bytes), []);
  }),
  target(
    'socket addresses',
    fc.oneof(
      fc.string(),
      fc.tuple(fc.ipV6(), fc.nat(70_000)).map(([ip, port]) => `[${ip}]:${port}`),
    ),
    (text) => {
      parseSocketAddress(text);
    },
  ),
];

import { createNetworkAnalyzer } from '../../../../src/analyzer/network/network-analyzer.ts';
import type { NetworkAnalyzer } from '../../../../src/analyzer/network/network-analyzer.ts';
import { LabelSets } from '../../../../src/model/label-sets.ts';
import { createReplayReceiver } from '../../../../src/receiver/replay/replay-receiver.ts';
import type {
  BadLine,
  ReplayReceiver,
  ReplayReceiverOptions,
} from '../../../../src/receiver/replay/replay-receiver.ts';
import { Collector } from '../../analyzer/harness.ts';
import type { Seen } from '../../analyzer/harness.ts';

export const START = 1_760_000_000_000_000_000n;

/** An exchange with its wall time, as a replay tells it. */
export interface Replayed extends Seen {
  wallTime: string;
}

export interface Outcome {
  readonly seen: Replayed[];
  readonly bad: BadLine[];
  readonly replay: ReplayReceiver;
  readonly analyzer: NetworkAnalyzer;
}

/** A segment or event line; times in ns after START. */
export function line(time: bigint | number, conn: string, rest: Record<string, unknown>): string {
  const { data, ...keys } = rest;
  const payload = typeof data === 'string' ? { payload: Buffer.from(data, 'latin1').toString('base64') } : {};
  return JSON.stringify({ time: String(START + BigInt(time)), conn, ...payload, ...keys });
}

/** Replays chunks of input through a real analyzer. */
export async function replayChunks(
  chunks: readonly (string | Uint8Array)[],
  options: Partial<ReplayReceiverOptions> = {},
): Promise<Outcome> {
  const labels = new LabelSets();
  const collector = new Collector(labels);
  const bad: BadLine[] = [];
  const analyzer = createNetworkAnalyzer({
    maxConnections: 65_536,
    labels,
    next: collector,
    connectionNames: (low, high) => replay.connectionName(low, high),
  });
  const replay: ReplayReceiver = createReplayReceiver({
    next: analyzer,
    onBadLine: (one) => bad.push(one),
    ...options,
  });
  await replay.read(input(chunks), 'input');
  replay.finish();
  const seen = collector.seen.map((one) => Object.assign(one, { wallTime: String(replay.clock.wallTime(one.time)) }));
  return { seen, bad, replay, analyzer };
}

export async function replayLines(
  lines: readonly string[],
  options: Partial<ReplayReceiverOptions> = {},
): Promise<Outcome> {
  return replayChunks([`${lines.join('\n')}\n`], options);
}

async function* input(chunks: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
}

import type { Configuration } from '../config/schema.ts';
import { toExchangeLine } from '../model/exchange-line.ts';
import type { ExchangeLine } from '../model/exchange-line.ts';
import type { EventConsumer } from '../model/event-batch.ts';
import type { ExchangeGroup } from '../model/exchange.ts';
import { LabelSets } from '../model/label-sets.ts';
import type { Stage } from '../model/law.ts';
import { GROUP } from '../model/names.ts';
import { createReplayReceiver } from '../receiver/replay/replay-receiver.ts';
import type { BadLine, ReplayReceiver } from '../receiver/replay/replay-receiver.ts';
import { createAnalysis } from './analysis.ts';

export interface ReplayPipelineOptions {
  readonly configuration: Configuration;
  /** Takes every exchange as it ends. */
  readonly onExchange: (line: ExchangeLine) => void;
  readonly onBadLine: (bad: BadLine) => void;
  /** Awaited before the events' clock moves on; see ReplayReceiverOptions. */
  readonly pace?: (now: number) => Promise<void>;
}

export interface ReplayPipeline {
  readonly receiver: ReplayReceiver;
  readonly stages: readonly Stage[];
}

/** What a line tells comes from its label set, so none of them may end in an overflow set: there are no series here. */
export const MAX_LABEL_SETS = 1 << 19;

/** The analyzers of `sonde run` behind a recording; needs neither privileges nor the kernel. */
export function createReplayPipeline(options: ReplayPipelineOptions): ReplayPipeline {
  const { configuration, onExchange, onBadLine, pace } = options;
  const labels = new LabelSets({ maxSets: MAX_LABEL_SETS });
  // The analysis asks the receiver for names, the receiver feeds the analysis: the analysis comes second.
  const events: EventConsumer = {
    consume: (batch) => analysis.events.consume(batch),
    tick: (now) => analysis.events.tick(now),
    flush: (now) => analysis.events.flush(now),
  };
  const receiver = createReplayReceiver({
    next: events,
    onBadLine,
    maxConnections: configuration.analyzers.network.max_connections,
    ...(pace === undefined ? {} : { pace }),
  });
  const analysis = createAnalysis({
    configuration,
    labels,
    connectionNames: (cookieLow, cookieHigh) => receiver.connectionName(cookieLow, cookieHigh),
    next: {
      consume(group) {
        if (group.name === GROUP.request) {
          const wallTime = (ns: number): bigint => receiver.clock.wallTime(ns);
          onExchange(toExchangeLine(group as ExchangeGroup, labels.labels(group.labels), wallTime));
        }
      },
    },
  });
  return { receiver, stages: analysis.stages };
}

import type { LoadedConfiguration } from '../config/load.ts';
import type { Configuration } from '../config/schema.ts';
import { toExchangeLine } from '../model/exchange-line.ts';
import type { ExchangeLine } from '../model/exchange-line.ts';
import type { ExchangeGroup } from '../model/exchange.ts';
import { LabelSets } from '../model/label-sets.ts';
import type { Stage } from '../model/law.ts';
import { GROUP } from '../model/names.ts';
import type { RecordingHeader } from '../recording/header.ts';
import { createRecordingReceiver } from '../receiver/replay/recording-receiver.ts';
import type { RecordingReceiver } from '../receiver/replay/recording-receiver.ts';
import { createAnalysis } from './analysis.ts';
import { recordedConfiguration } from './recorded-configuration.ts';
import { steerAgain } from './recorded-steering.ts';
import { MAX_LABEL_SETS } from './replay-pipeline.ts';

export interface RecordingPipelineOptions {
  readonly loaded: LoadedConfiguration;
  /** Of the recording's first file. */
  readonly header: RecordingHeader;
  /** Takes every exchange as it ends. */
  readonly onExchange: (line: ExchangeLine) => void;
  /** Awaited before the events' clock moves on; see ReplayReceiverOptions. */
  readonly pace?: (now: number) => Promise<void>;
}

export interface RecordingPipeline {
  readonly receiver: RecordingReceiver;
  readonly stages: readonly Stage[];
}

/** The analyzers of `sonde run` behind a recording; needs neither privileges nor the kernel. */
export function createRecordingPipeline(options: RecordingPipelineOptions): RecordingPipeline {
  const { loaded, header, onExchange, pace } = options;
  const configuration: Configuration = recordedConfiguration(loaded, header.network);
  const labels = new LabelSets({ maxSets: MAX_LABEL_SETS });
  const wallTime = (ns: number): bigint => receiver.clock.wallTime(ns);
  const analysis = createAnalysis({
    configuration,
    labels,
    // What the analyzer asked for was asked when it was recorded.
    policy: { set() {} },
    tickNs: () => receiver.tickNs(),
    next: {
      consume(group) {
        if (group.name === GROUP.request) {
          onExchange(toExchangeLine(group as ExchangeGroup, labels.labels(group.labels), wallTime));
        }
      },
    },
  });
  const receiver = createRecordingReceiver({
    header,
    next: analysis.events,
    onStep: (step) => steerAgain(analysis.live, step),
    ...(pace === undefined ? {} : { pace }),
  });
  return { receiver, stages: analysis.stages };
}

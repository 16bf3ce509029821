import type { ConnectionNames } from '../analyzer/network/exchange-view.ts';
import { createNetworkAnalyzer } from '../analyzer/network/network-analyzer.ts';
import type { NetworkAnalyzer } from '../analyzer/network/network-analyzer.ts';
import type { ProtocolSettings } from '../analyzer/network/protocols.ts';
import type { EnumNames } from '../analyzer/tcp/reasons.ts';
import { createTcpAnalyzer } from '../analyzer/tcp/tcp-analyzer.ts';
import type { Configuration } from '../config/schema.ts';
import type { Consumer } from '../model/data-group.ts';
import type { EventConsumer, PolicySink } from '../model/event-batch.ts';
import type { LabelSets } from '../model/label-sets.ts';
import type { Stage } from '../model/law.ts';
import type { NetworkCounts } from '../model/network-counts.ts';

/** What runs on the events' clock besides the analyzer. */
export interface Ticking {
  tick(now: number): void;
  /** No event will follow. */
  flush?(now: number): void;
}

export interface AnalysisOptions {
  readonly configuration: Configuration;
  readonly labels: LabelSets;
  /** Takes exchanges. */
  readonly next: Consumer;
  /** What else has windows or caches on the events' clock, in the order of the data. */
  readonly ticking?: readonly Ticking[];
  /** Where connections are narrowed; without it all that the source gives is taken. */
  readonly policy?: PolicySink;
  /** Length of a kernel tick, ns, as far as it is known by now. */
  readonly tickNs?: () => number;
  /** The time in records that is 0 in the pipeline, ns. */
  readonly origin?: bigint;
  readonly connectionNames?: ConnectionNames;
  /** Where what the network did goes; without it, and where `analyzers.tcp.enabled` is false, nobody follows it. */
  readonly tcp?: TcpAnalysisOptions;
}

export interface TcpAnalysisOptions {
  readonly labels: LabelSets;
  /** Takes the groups of TCP and UDP. */
  readonly next: Consumer;
  /** What the kernel calls its reasons. */
  readonly enumName?: EnumNames;
  /** What the kernel counted of drops, by the number of its reason. */
  readonly dropTotals?: () => ReadonlyMap<number, number>;
}

/** From records to exchanges: the part that a live capture and a replay share. */
export interface Analysis {
  readonly events: EventConsumer;
  /** What can be switched, limited and looked at while it runs. */
  readonly live: Pick<
    NetworkAnalyzer,
    'configureProtocol' | 'enableProtocol' | 'endDatagrams' | 'ignore' | 'connections' | 'forget' | 'admit'
  >;
  readonly stages: readonly Stage[];
  /** Has it told how things stand: once in each window. */
  observe(now: number): void;
  readonly counts: () => NetworkCounts;
}

const NS_PER_MS = 1e6;

export function createAnalysis(options: AnalysisOptions): Analysis {
  const { configuration, labels, next, ticking = [], policy, tickNs, origin, connectionNames } = options;
  const { network, tcp } = configuration.analyzers;
  const analyzer = createNetworkAnalyzer({
    labels,
    next,
    maxConnections: network.max_connections,
    protocols: protocolSettings(configuration),
    ...(policy === undefined ? {} : { policy }),
    ...(origin === undefined ? {} : { origin }),
    ...(connectionNames === undefined ? {} : { connectionNames }),
  });
  const tcpAnalyzer =
    options.tcp === undefined || !tcp.enabled
      ? undefined
      : createTcpAnalyzer({
          ...options.tcp,
          maxConnections: network.max_connections,
          ...(origin === undefined ? {} : { origin }),
        });
  return {
    live: analyzer,
    stages: [analyzer.stage, ...(tcpAnalyzer === undefined ? [] : [tcpAnalyzer.stage])],
    observe: (now) => tcpAnalyzer?.observe(now),
    counts: () => analyzer.counts(),
    events: {
      consume(batch) {
        analyzer.consume(batch);
        tcpAnalyzer?.consume(batch);
      },
      tick(now) {
        if (tickNs !== undefined) {
          analyzer.setTickNs(tickNs());
        }
        analyzer.tick(now);
        tcpAnalyzer?.tick(now);
        for (const one of ticking) {
          one.tick(now);
        }
      },
      flush(now) {
        analyzer.flush(now);
        tcpAnalyzer?.flush(now);
        for (const one of ticking) {
          one.flush?.(now);
        }
      },
    },
  };
}

/** What is not given is left to the protocol's module. */
export function protocolSettings(configuration: Configuration): Record<string, ProtocolSettings> {
  const { protocols } = configuration.analyzers.network;
  return Object.fromEntries(
    Object.entries(protocols).map(([name, { enabled, ports, timeout }]): [string, ProtocolSettings] => [
      name,
      {
        enabled,
        ...(ports === undefined ? {} : { ports }),
        ...(timeout === undefined ? {} : { timeoutNs: timeout * NS_PER_MS }),
      },
    ]),
  );
}

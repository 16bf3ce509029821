import type { Configuration } from '../config/schema.ts';
import { formatAddress } from '../config/units.ts';
import type { Feature, KernelCost } from '../control/status.ts';
import { MISSING_PROTOCOLS } from '../config/schema.ts';
import { createSwitches } from '../control/switches.ts';
import type { Switches } from '../control/switches.ts';
import type { ExchangeLine } from '../model/exchange-line.ts';
import { toExchangeLine } from '../model/exchange-line.ts';
import type { ExchangeGroup } from '../model/exchange.ts';
import { createPrometheusExporter } from '../exporter/prometheus/prometheus-exporter.ts';
import { openStandardOutput } from '../exporter/stdout/standard-output.ts';
import { createStdoutExporter } from '../exporter/stdout/stdout-exporter.ts';
import { createGovernor } from '../governor/governor.ts';
import type { GovernorState, GovernorStep } from '../governor/governor.ts';
import { createClock } from '../model/clock.ts';
import type { AnchoredClock } from '../model/clock.ts';
import type { Consumer } from '../model/data-group.ts';
import type { EventConsumer } from '../model/event-batch.ts';
import { LabelSets } from '../model/label-sets.ts';
import type { Stage } from '../model/law.ts';
import type { ProcessNote } from '../model/process-note.ts';
import type { SeriesSource } from '../model/series.ts';
import { createAggregateProcessor } from '../processor/aggregate/aggregate-processor.ts';
import { NETWORK_GROUPS } from '../processor/aggregate/groups.ts';
import { createProcessProcessor } from '../processor/process/process-processor.ts';
import { createEnumNames } from '../receiver/kernel/enum-names.ts';
import { createKernelReceiver } from '../receiver/kernel/kernel-receiver.ts';
import type { KernelReceiver } from '../receiver/kernel/kernel-receiver.ts';
import { defaultPolicy } from '../receiver/kernel/load.ts';
import { createPolicyControl } from '../receiver/kernel/policy-control.ts';
import type { PolicyControl } from '../receiver/kernel/policy-control.ts';
import { createPolicyTable } from '../receiver/kernel/policy-table.ts';
import { createLazySelfMetrics } from '../receiver/self/lazy-self-metrics.ts';
import type { Redaction } from '../recording/header.ts';
import type { EndReason, PartLimits } from '../recording/part-writer.ts';
import { createRecorder } from '../recording/recorder.ts';
import type { Recorder } from '../recording/recorder.ts';
import { createAnalysis, protocolSettings } from './analysis.ts';
import type { Ticking } from './analysis.ts';
import { fanOut } from './fan-out.ts';
import { ITERATORS } from '../receiver/kernel/features.ts';
import { possibleCpus, ringSize } from '../receiver/kernel/ring-size.ts';
import { isGoverned, pipelineFeatures } from './features.ts';
import { kernelSwitches } from './kernel-switches.ts';
import type { Component } from './lifecycle.ts';
import { readOwnSamples } from './own-samples.ts';
import { recordSteering } from './recorded-steering.ts';
import { StageClock } from './stage-clock.ts';

export interface KernelPipelineOptions {
  readonly configuration: Configuration;
  readonly version: string;
  /** Told of what fails while it runs, once for each change of state. */
  readonly onError?: (component: string, error: Error) => void;
  /** Told of what people should know and nobody has to mend. */
  readonly onNotice?: (component: string, text: string) => void;
  /** Takes every exchange too. */
  readonly exchanges?: Consumer;
  /** Told of each step of the governor. */
  readonly onGovernorStep?: (step: GovernorStep) => void;
  /** In place of the configured window, ms. */
  readonly windowMs?: number;
  /** Writes what the receiver hands over to files. */
  readonly record?: RecordOptions;
}

export interface RecordOptions {
  readonly path: string;
  readonly limits: PartLimits;
  readonly redaction: Redaction;
  /** Told once if the recording ends before the probe does. */
  readonly onEnd: (reason: EndReason, detail: string) => void;
}

/** What `sonde run` runs, built and wired, not yet started. */
export interface KernelPipeline {
  /** In the order in which data meets them, for createLifecycle. */
  readonly components: readonly Component[];
  /** Every stage of the law, in the order of the data. */
  readonly stages: readonly Stage[];
  readonly store: SeriesSource;
  /** `configuration`: whose switches are told, by default those that it was built with. */
  readonly features: (configuration?: Configuration) => readonly Feature[];
  readonly kernelCost: () => KernelCost;
  readonly governor: () => GovernorState;
  /** What of it can be switched while it runs. */
  readonly switches: Switches;
  /** Which connections yield how much. */
  readonly policies: PolicyControl;
  /** Takes over timeout and ports of a protocol. */
  readonly configureProtocol: (name: string, configuration: Configuration) => void;
  /** The line of an exchange, while it is consumed. */
  readonly exchangeLine: (exchange: ExchangeGroup) => ExchangeLine;
  readonly labels: LabelSets;
  /** What is being recorded; undefined if nothing is. */
  readonly recorder: Recorder | undefined;
  /** Where the metrics are; undefined before the start and if the exporter is off. */
  readonly metricsUrl: () => string | undefined;
}

const NS_PER_MS = 1e6;
const NS_PER_SECOND = 1e9;
/** Series without an exchange for so long expire while memory is short. */
const SHORT_TTL_NS = 60e9;

/** Builds everything before anything starts; what is off is not built. @throws SondeError */
export function createKernelPipeline(options: KernelPipelineOptions): KernelPipeline {
  const { configuration, exchanges, windowMs, onError = () => {}, onNotice = () => {}, onGovernorStep } = options;
  const { capture, analyzers, processors, exporters, limits } = configuration;
  const labels = new LabelSets({ maxSets: processors.aggregate.max_label_sets });
  // Of their own: peers without number take no room from routes.
  const tcpLabels = new LabelSets({ maxSets: processors.aggregate.max_label_sets });
  const clock = createClock();
  const recorder: Recorder | undefined =
    options.record === undefined
      ? undefined
      : createRecorder({
          ...options.record,
          program: options.version,
          origin: clock.origin,
          anchors: () => clock.anchors(),
          tickNs: () => receiver.tickNs(),
          network: analyzers.network,
          stages: () => stages,
        });
  const table = createPolicyTable();
  const policies = createPolicyControl({
    table: recorder === undefined ? table : recorder.tapPolicies(table),
    maxConnections: analyzers.network.max_connections,
    fixed: capture.policy === 'auto' ? undefined : defaultPolicy(capture.policy, capture.payload_bytes),
    headers: defaultPolicy('headers', capture.payload_bytes),
    onIgnored: (index, generation, ignored) => steering.ignore(index, generation, ignored),
  });
  const stageClock = new StageClock();

  const restraint = { idleNs: Infinity, frozen: false };

  // The aggregate reads the stages of the receiver, which is built last.
  const captureStages = ['hook', 'ring'].map((name): Stage => ({ name, read: () => stageOf(receiver, name).read() }));
  const aggregate = createAggregateProcessor({
    labels,
    windowNs: (windowMs ?? processors.aggregate.window) * NS_PER_MS,
    ttlNs: exporters.prometheus.ttl * NS_PER_MS,
    maxSeries: exporters.prometheus.max_series,
    stages: captureStages,
    groups: { specs: NETWORK_GROUPS, labels: tcpLabels, observe: (now) => analysis.observe(now) },
  });
  const ends: Consumer[] = [aggregate];
  if (exchanges !== undefined) {
    ends.push(exchanges);
  }
  const stdout = exporters.stdout.enabled
    ? createStdoutExporter({
        labels,
        wallTime: (ns) => clock.wallTime(ns),
        output: openStandardOutput(),
        onError: (error) => onError('stdout', error),
        onReaderGone: () => onNotice('stdout', 'nobody reads standard output any more: its exchanges are dropped'),
      })
    : undefined;
  if (stdout !== undefined) {
    ends.push(stdout);
  }
  const summed = fanOut(ends);
  const processes = processors.process.enabled
    ? createProcessProcessor({
        labels,
        next: summed,
        ...(recorder === undefined ? {} : { onLookUp: (process: ProcessNote) => recorder.process(process) }),
      })
    : undefined;
  const tcpProcesses = processors.process.enabled
    ? createProcessProcessor({ labels: tcpLabels, next: aggregate })
    : undefined;
  const ticking: Ticking[] = [
    ...[processes, tcpProcesses].filter((one) => one !== undefined),
    aggregate,
    { tick: (now) => governor.tick(now), flush: () => governor.stop() },
  ];
  const analysis = createAnalysis({
    configuration,
    labels,
    next: stageClock.exchanges(processes ?? summed),
    ticking,
    policy: policies,
    tickNs: () => receiver.tickNs(),
    tcp: {
      labels: tcpLabels,
      next: tcpProcesses ?? aggregate,
      enumName: createEnumNames(),
      dropTotals: () => receiver.tcpDrops(),
    },
  });
  const steering =
    recorder === undefined ? analysis.live : recordSteering(analysis.live, (step) => recorder.steer(step));
  const receiver = createKernelReceiver({
    // The clock is read before anything tells a wall time by it, so that a recording knows what it said.
    next: readingClock(
      clock,
      stageClock.events(recorder === undefined ? analysis.events : recorder.tap(analysis.events)),
    ),
    policies: table,
    originNs: clock.origin,
    ringBytes: ringSize(capture.ring_bytes, limits.memory, possibleCpus()),
    maxConnections: analyzers.network.max_connections,
    payloadBytes: capture.payload_bytes,
    queueTime: capture.queue_time,
    udp: capture.udp,
    tcp: analyzers.tcp.enabled,
    filter: capture.filter,
    policy: capture.policy,
  });
  const governor = createGovernor({
    limits: { memory: limits.memory, cpu: isGoverned(configuration) ? limits.cpu : undefined },
    kernel: {
      // What runs within the process's own calls is its own time.
      programs: () => receiver.programs().filter(({ name }) => !ITERATORS.includes(name)),
      hookRuns: () => receiver.hookRuns(),
      measure: () => receiver.measureRunTime(),
    },
    policies,
    connections: () => analysis.live.connections(),
    memory: {
      caches(shed) {
        restraint.idleNs = shed ? SHORT_TTL_NS : Infinity;
        aggregate.restrain(restraint.idleNs, restraint.frozen);
        if (shed) analysis.live.forget();
      },
      series(shed) {
        restraint.frozen = shed;
        aggregate.restrain(restraint.idleNs, restraint.frozen);
      },
      connections(shed) {
        steering.admit(!shed);
      },
    },
    ...(onGovernorStep === undefined ? {} : { onStep: onGovernorStep }),
  });
  const { http, generic } = analyzers.network.protocols;
  const switches = createSwitches(
    kernelSwitches({
      receiver,
      analysis: { live: steering },
      protocols: { http: http.enabled, generic: generic.enabled },
      udp: capture.udp,
      tcp: analyzers.tcp.enabled,
    }),
    ['traces', ...MISSING_PROTOCOLS],
  );
  const stages = [
    ...receiver.stages,
    ...analysis.stages,
    aggregate.stage,
    ...(analyzers.tcp.enabled ? [aggregate.groupStage] : []),
  ];

  let metricsUrl: string | undefined;
  const components: Component[] = [receiver];
  if (recorder !== undefined) {
    components.push(recorder);
    stages.push(recorder.stage);
  }
  if (stdout !== undefined) {
    components.push({ name: 'stdout', stop: () => stdout.stop() });
    stages.push(stdout.stage);
  }
  if (exporters.prometheus.enabled) {
    const { listen } = exporters.prometheus;
    const exporter = createPrometheusExporter({
      store: aggregate.store,
      stages: [...stages],
      labels: {
        get size() {
          return labels.size + tcpLabels.size;
        },
        get overflowed() {
          return labels.overflowed + tcpLabels.overflowed;
        },
      },
      network: () => analysis.counts(),
      listen,
      own: () =>
        readOwnSamples({
          governor,
          receiver,
          clock: stageClock,
          connections: () => analysis.live.connections(),
          seriesBytes: () => aggregate.bytes,
        }),
      registry: createLazySelfMetrics({ version: options.version }),
    });
    components.push({
      name: 'prometheus',
      async start() {
        const { port } = await exporter.start();
        metricsUrl = `http://${formatAddress({ host: listen.host, port })}/metrics`;
      },
      stop: () => exporter.stop(),
    });
    stages.push(exporter.stage);
  }
  return {
    components,
    stages,
    store: aggregate.store,
    labels,
    recorder,
    kernelCost: () => ({ kernel_ns: Math.round(governor.kernelCost.totalNs), map_bytes: receiver.mapBytes() }),
    governor: () => governor.state(),
    metricsUrl: () => metricsUrl,
    switches,
    policies,
    configureProtocol: (name, next) => steering.configureProtocol(name, protocolSettings(next)[name] ?? {}),
    exchangeLine: (exchange) => toExchangeLine(exchange, labels.labels(exchange.labels), (ns) => clock.wallTime(ns)),
    features: (shown = configuration) =>
      switches.features([
        on('capture'),
        on('payload'),
        ...receiver.features(),
        ...pipelineFeatures(shown).map((feature) =>
          feature.name === 'process' && processes !== undefined ? processes.feature : feature,
        ),
      ]),
  };
}

function on(name: string): Feature {
  return { name, state: 'on', reason: null, remedy: null };
}

function stageOf(receiver: KernelReceiver, name: string): Stage {
  const stage = receiver.stages.find((one) => one.name === name);
  if (stage === undefined) {
    throw new Error(`the receiver has no stage ${name}`);
  }
  return stage;
}

/** Reads the clock about once a second, before each tick that is due. */
function readingClock(clock: AnchoredClock, next: EventConsumer): EventConsumer {
  let due = Number.NEGATIVE_INFINITY;
  return {
    consume: (batch) => next.consume(batch),
    tick(now) {
      if (now >= due) {
        due = now + NS_PER_SECOND;
        clock.read();
      }
      next.tick(now);
    },
    flush: (now) => next.flush(now),
  };
}

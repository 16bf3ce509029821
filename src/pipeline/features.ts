import type { Configuration } from '../config/schema.ts';
import type { Feature } from '../control/status.ts';

/** Planned switches whose feature this build lacks. */
const ABSENT = ['k8s', 'otlp', 'file', 'datakit', 'profile'] as const;

/** The features beyond the receiver's own: what configuration switches, and what is not in this build. */
export function pipelineFeatures(configuration: Configuration): Feature[] {
  const { analyzers, exporters, processors } = configuration;
  const { http, generic } = configuration.analyzers.network.protocols;
  return [
    switched('http', http.enabled, 'analyzers.network.protocols.http.enabled'),
    switched('generic', generic.enabled, 'analyzers.network.protocols.generic.enabled'),
    switched('tcp', analyzers.tcp.enabled, 'analyzers.tcp.enabled'),
    switched('process', processors.process.enabled, 'processors.process.enabled'),
    switched('prometheus', exporters.prometheus.enabled, 'exporters.prometheus.enabled'),
    switched('stdout', exporters.stdout.enabled, 'exporters.stdout.enabled'),
    governorFeature(configuration),
    ...ABSENT.map((name): Feature => ({ name, state: 'off', reason: 'not in this build yet', remedy: null })),
  ];
}

/** What the receiver gives the analyzer `tcp`. */
const TCP_PARTS = ['tcp_quality', 'tcp_retransmits', 'tcp_resets', 'tcp_drops', 'tcp_listeners'] as const;

/** The features that are off although this build has them and the configuration asks for them. */
export function missingFeatures(features: readonly Feature[], configuration: Configuration): Feature[] {
  const { analyzers, capture, exporters, limits, processors } = configuration;
  const { http, generic } = configuration.analyzers.network.protocols;
  // A feature without a switch is always asked for.
  const asked: Readonly<Record<string, boolean | undefined>> = {
    ...Object.fromEntries(ABSENT.map((name) => [name, false])),
    queue_time: capture.queue_time !== 'off',
    queue_time_precise: capture.queue_time === 'precise',
    udp: capture.udp,
    http: http.enabled,
    generic: generic.enabled,
    tcp: analyzers.tcp.enabled,
    ...Object.fromEntries(TCP_PARTS.map((name) => [name, analyzers.tcp.enabled])),
    process: processors.process.enabled,
    prometheus: exporters.prometheus.enabled,
    stdout: exporters.stdout.enabled,
    governor: limits.cpu !== undefined,
  };
  return features.filter(({ name, state }) => state === 'off' && (asked[name] ?? true));
}

/** Whether the governor can and shall keep to a share of a core. */
export function isGoverned({ capture, limits }: Configuration): boolean {
  return limits.cpu !== undefined && capture.policy === 'auto';
}

function governorFeature(configuration: Configuration): Feature {
  if (isGoverned(configuration)) return { name: 'governor', state: 'on', reason: null, remedy: null };
  return configuration.limits.cpu === undefined
    ? {
        name: 'governor',
        state: 'off',
        reason: 'limits.cpu is not set: only memory is watched',
        remedy: 'Set limits.cpu to a share of one core, such as 5%.',
      }
    : {
        name: 'governor',
        state: 'off',
        reason: `capture.policy is ${configuration.capture.policy}: every connection keeps to it`,
        remedy: 'Set capture.policy to auto.',
      };
}

/** `12/19`: how many are on, of how many. */
export function countFeatures(features: readonly Feature[]): string {
  return `${features.filter((feature) => feature.state === 'on').length}/${features.length}`;
}

function switched(name: string, on: boolean, key: string): Feature {
  return on
    ? { name, state: 'on', reason: null, remedy: null }
    : { name, state: 'off', reason: `${key} is false`, remedy: `Set ${key} to true.` };
}

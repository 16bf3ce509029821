import type * as z from 'zod/mini';
import {
  address,
  choice,
  duration,
  filter,
  flag,
  missingDuration,
  missingSwitch,
  optionalDuration,
  optionalPorts,
  optionalRatio,
  secret,
  section,
  size,
  text,
  whole,
} from './setting.ts';

/** Protocols that are planned and whose modules this build lacks. */
export const MISSING_PROTOCOLS = [
  'http2',
  'grpc',
  'mysql',
  'postgresql',
  'redis',
  'memcached',
  'kafka',
  'dns',
  'mongodb',
  'amqp',
  'nats',
  'mqtt',
  'rocketmq',
  'dubbo',
  'cassandra',
  'tls',
] as const;

function protocolKeys(name: string) {
  const unsetTimeout = name === 'generic' ? '60s, and 10s for UDP' : '60s';
  return {
    ports: optionalPorts({
      doc:
        `Ports on which ${name} is expected where no byte could be read. A hint that is never needed: the bytes ` +
        'decide. Unset: those of the protocol.',
    }),
    slow: missingDuration({
      doc: 'From this duration on an exchange counts as slow.',
      preset: '500ms',
    }),
    timeout: optionalDuration({
      doc: `After waiting this long for a response, an exchange ends as \`no_response\`. Unset: ${unsetTimeout}.`,
      preset: '60s',
      min: '100ms',
      max: '1h',
    }),
  };
}

function presentProtocol(name: string, doc: string) {
  return section(doc, {
    enabled: flag({ doc: `Recognise ${name}.`, preset: true }),
    ...protocolKeys(name),
  });
}

function missingProtocol(name: string) {
  return section(`Exchanges of ${name}.`, {
    enabled: missingSwitch({ doc: `Recognise ${name}.` }),
    ...protocolKeys(name),
  });
}

type MissingProtocols = Record<(typeof MISSING_PROTOCOLS)[number], ReturnType<typeof missingProtocol>>;
const missingProtocols = Object.fromEntries(
  MISSING_PROTOCOLS.map((name) => [name, missingProtocol(name)]),
) as MissingProtocols;

const naming = () =>
  choice({
    doc: 'How metrics and labels are named: `otel` follows the OpenTelemetry semantic conventions.',
    preset: 'otel',
    words: ['otel', 'kindling'],
    missing: ['kindling'],
  });

const ttl = () =>
  duration({
    doc: 'A series that has not changed for so long is dropped; its count moves to `sonde_series_expired_exchanges_total`.',
    preset: '15m',
    min: '10s',
    max: '168h',
  });

const maxSeries = () =>
  whole({
    doc: 'At most so many series; what no longer fits goes to one series with `otel_metric_overflow="true"`.',
    preset: 10_000,
    min: 10,
    max: 1_000_000,
  });

/** Every key of the configuration: its type, its default and what it does. Everything else is generated from here. */
export const configurationSchema = section('The configuration of Sonde.', {
  capture: section('What is taken from the kernel.', {
    policy: choice({
      doc:
        'How much a connection yields. `auto` starts wide and narrows by what the connection speaks; `stream` keeps a ' +
        'record for each call, `headers` one for each message, `count` only totals, `ignore` nothing.',
      preset: 'auto',
      words: ['auto', 'headers', 'stream', 'count', 'ignore'],
    }),
    payload_bytes: size({
      doc: 'At most so many bytes of a call are copied for the analyzers.',
      preset: '4096',
      min: '64',
      max: '4096',
    }),
    ring_bytes: size({
      doc:
        'Size of the ring in which records wait for the program, for each CPU. On hosts with many CPUs it is halved ' +
        'until all rings together fit into a quarter of `limits.memory`.',
      preset: '4MiB',
      min: '64KiB',
      max: '64MiB',
      powerOfTwo: true,
    }),
    queue_time: choice({
      doc:
        'How long a request lay in the socket before it was read. `coarse` is free and counts in ticks of the kernel ' +
        '(1 to 10 ms), `precise` costs one more hook for each receive, `off` leaves it out.',
      preset: 'coarse',
      words: ['off', 'coarse', 'precise'],
    }),
    udp: flag({ doc: 'Take UDP datagrams too.', preset: false }),
    filter: section('Which sockets are looked at; applied in the kernel. An empty list takes all.', {
      ports: filter({ doc: 'Local or remote ports.', what: 'ports', max: 65_535 }),
      pids: filter({ doc: 'Process ids, as the host sees them.', what: 'process ids', max: 4_194_304 }),
      cgroups: filter({
        doc: 'Ids of cgroups (v2): the inode number of the directory, as `stat -c %i` shows it.',
        what: 'cgroup ids',
        max: Number.MAX_SAFE_INTEGER,
      }),
    }),
  }),
  analyzers: section('What is made of the records.', {
    network: section('Requests and responses.', {
      max_connections: whole({
        doc: 'At most so many connections are followed at a time; those beyond are counted as dropped.',
        preset: 65_536,
        min: 64,
        max: 1_048_576,
      }),
      protocols: section('Protocols by name.', {
        http: presentProtocol('http', 'HTTP/1.0 and HTTP/1.1.'),
        generic: presentProtocol(
          'generic',
          'What no other protocol recognises: one exchange for each turn of the talk.',
        ),
        ...missingProtocols,
      }),
    }),
    tcp: section('What the network did: connects, resets, retransmits, round trips.', {
      enabled: flag({ doc: 'Measure TCP.', preset: true }),
    }),
  }),
  processors: section('What is added to exchanges, and how they are summed up.', {
    process: section('Names the process: command, executable, container, service.', {
      enabled: flag({ doc: 'Name processes.', preset: true }),
    }),
    k8s: section('Names workload, pod, service and node.', {
      enabled: missingSwitch({ doc: 'Ask Kubernetes.' }),
    }),
    aggregate: section('Sums exchanges up in windows.', {
      window: duration({
        doc: 'Length of a window. `sonde run --view` takes 1s unless it is set.',
        preset: '5s',
        min: '1s',
        max: '5m',
      }),
      max_label_sets: whole({
        doc: 'At most so many distinct sets of labels; what no longer fits is summed up under one overflow set.',
        preset: 16_384,
        min: 16,
        max: 1_048_576,
      }),
    }),
  }),
  exporters: section('Where the numbers go.', {
    prometheus: section('Metrics for Prometheus to fetch, at /metrics.', {
      enabled: flag({ doc: 'Offer metrics to Prometheus.', preset: true }),
      listen: address({ doc: 'Where to listen.', preset: '127.0.0.1:9500' }),
      naming: naming(),
      ttl: ttl(),
      max_series: maxSeries(),
    }),
    otlp: section('Metrics and spans over OTLP.', {
      enabled: missingSwitch({ doc: 'Send over OTLP.' }),
      endpoint: text({ doc: 'URL of the collector.', allowed: 'a URL' }),
      naming: naming(),
      ttl: ttl(),
      max_series: maxSeries(),
    }),
    stdout: section('Each exchange as one JSON line on standard output.', {
      enabled: flag({ doc: 'Print exchanges.', preset: false }),
    }),
    file: section('Each exchange as one JSON line in a file.', {
      enabled: missingSwitch({ doc: 'Write exchanges to a file.' }),
      endpoint: text({ doc: 'Path of the file.', allowed: 'a path' }),
    }),
    datakit: section('Points for DataKit, through the forwarding tier.', {
      enabled: missingSwitch({ doc: 'Send to DataKit.' }),
      endpoint: text({ doc: 'URL of DataKit.', allowed: 'a URL' }),
      naming: naming(),
      ttl: ttl(),
      max_series: maxSeries(),
    }),
  }),
  control: section('The HTTP interface for people and scripts; see docs/control.md.', {
    listen: address({
      doc: 'Where to listen. Anywhere but on this host, a token is required.',
      preset: '127.0.0.1:9503',
    }),
    token_file: text({
      doc: 'File whose content callers must send as `Authorization: Bearer …`. Unset: none is asked for.',
      allowed: 'a path',
    }),
    token: secret({
      doc: 'The token itself, in place of `token_file`; best given as the variable.',
    }),
  }),
  limits: section('What the program may take for itself.', {
    cpu: optionalRatio({
      doc:
        'Share of one core that the program and its hooks in the kernel may take together, such as `5%`. Above it, less ' +
        'is watched, step by step, and what is only counted is marked as estimated (docs/limits.md). Unset: no limit.',
      preset: '5%',
      min: '0.5%',
      max: '100%',
    }),
    memory: size({
      doc:
        'Resident memory to stay under: the limits of the JavaScript heap follow from it. Above it, caches, then new ' +
        'series, then new connections are given up.',
      preset: '160MiB',
      min: '96MiB',
      max: '16GiB',
    }),
  }),
  log: section('The log, on standard error.', {
    level: choice({
      doc: 'The least serious level that is written.',
      preset: 'info',
      words: ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    }),
  }),
});

/** The configuration as the program uses it: durations in ms, sizes in bytes, ratios from 0 to 1. */
export type Configuration = z.output<typeof configurationSchema>;

import type { Labels } from '../../model/label-sets.ts';
import { GROUP, LABEL, PROTOCOL } from '../../model/names.ts';
import type { LabelKey } from '../../model/names.ts';
import type { ExchangeMetricName, Kind, SeriesField } from '../../model/series.ts';
import type { Metric } from './metric.ts';
import type { Naming, SeriesFamily } from './naming.ts';
import { networkFamilies } from './network-metrics.ts';

/** Bounds that OpenTelemetry advises for http.server.request.duration and http.client.request.duration, in ns. */
const HTTP_BOUNDS: readonly number[] = [
  5e6, 1e7, 2.5e7, 5e7, 7.5e7, 1e8, 2.5e8, 5e8, 7.5e8, 1e9, 2.5e9, 5e9, 7.5e9, 1e10,
];

/** Internal label keys under the names of OpenTelemetry's attributes, in the order in which they are written. */
const ATTRIBUTES: readonly (readonly [LabelKey, string])[] = [
  [LABEL.serviceName, 'service_name'],
  [LABEL.error, 'error_type'],
  [LABEL.serverAddress, 'server_address'],
  [LABEL.serverPort, 'server_port'],
  [LABEL.clientAddress, 'client_address'],
  [LABEL.pid, 'process_pid'],
  [LABEL.comm, 'process_command'],
  [LABEL.executable, 'process_executable_name'],
  [LABEL.containerId, 'container_id'],
  [LABEL.overflow, 'otel_metric_overflow'],
];

const HTTP_LABELS: readonly (readonly [LabelKey, string])[] = [
  [LABEL.operation, 'http_request_method'],
  [LABEL.route, 'http_route'],
  [LABEL.status, 'http_response_status_code'],
  ...ATTRIBUTES,
];

const GENERIC_LABELS: readonly (readonly [LabelKey, string])[] = [
  [LABEL.protocol, 'protocol'],
  [LABEL.role, 'role'],
  [LABEL.operation, 'operation'],
  [LABEL.route, 'route'],
  [LABEL.status, 'status'],
  ...ATTRIBUTES,
];

/** Names of a value where OpenTelemetry has none: stem, unit, what it is. */
const VALUES: Readonly<Record<ExchangeMetricName, readonly [string, 'seconds' | 'bytes', string]>> = {
  duration: [
    'sonde_request_duration',
    'seconds',
    'first byte of the request to last byte of the response, or the time waited',
  ],
  ttfb: ['sonde_request_ttfb', 'seconds', 'first byte of the request to first byte of the response'],
  queue: ['sonde_request_queue_duration', 'seconds', 'how long the request lay in the socket before it was read'],
  connect: ['sonde_request_connect_duration', 'seconds', 'time to connect, of the first exchange of a connection'],
  requestSent: ['sonde_request_send_duration', 'seconds', 'first to last byte of the request'],
  contentDownload: ['sonde_response_receive_duration', 'seconds', 'first to last byte of the response'],
  requestBytes: ['sonde_request', 'bytes', 'bytes of the request on the stream'],
  responseBytes: ['sonde_response', 'bytes', 'bytes of the response on the stream'],
};

const isHttp = (labels: Labels): boolean =>
  labels.protocol === PROTOCOL.http && (labels.role === 'server' || labels.role === 'client');

/** Names by OpenTelemetry's semantic conventions, as Prometheus writes them; where there is none, `sonde_*`. */
export const otelNaming: Naming = {
  families: (layout, group = GROUP.request) =>
    group === GROUP.request ? layout.fields.flatMap(familiesOf) : networkFamilies(layout, group),
};

function familiesOf(field: SeriesField): SeriesFamily[] {
  return field.kinds
    .filter((kind) => kind !== 'sum' || !field.kinds.includes('histogram'))
    .flatMap((kind) =>
      field.metric === 'duration' && kind === 'histogram' ? durations(field) : [generic(field, kind)],
    );
}

function durations(field: SeriesField): SeriesFamily[] {
  const http = (role: 'server' | 'client'): SeriesFamily => ({
    metric: httpMetric(role),
    field,
    kind: 'histogram',
    divisor: 1e9,
    // With other bounds configured than the advised ones, all of them are shown.
    bounds: HTTP_BOUNDS.every((bound) => field.bounds.includes(bound)) ? HTTP_BOUNDS : field.bounds,
    everyExchange: true,
    accepts: (labels) => labels.protocol === PROTOCOL.http && labels.role === role,
    labels: (labels) => rename(labels, HTTP_LABELS),
  });
  return [http('server'), http('client'), { ...generic(field, 'histogram'), accepts: (labels) => !isHttp(labels) }];
}

function generic(field: SeriesField, kind: Kind): SeriesFamily {
  const metric = field.metric as ExchangeMetricName;
  return {
    metric: genericMetric(metric, kind),
    field,
    kind,
    divisor: VALUES[metric][1] === 'seconds' ? 1e9 : 1,
    bounds: field.bounds,
    everyExchange: metric === 'duration' && kind === 'histogram',
    accepts: () => true,
    labels: (labels) => rename(labels, GENERIC_LABELS),
  };
}

function httpMetric(role: 'server' | 'client'): Metric {
  return {
    name: `http_${role}_request_duration_seconds`,
    type: 'histogram',
    help: `Duration of HTTP requests as seen by the ${role}: first byte of the request to last byte of the response, or the time waited.`,
    labels: HTTP_LABELS.map(([, name]) => name),
  };
}

function genericMetric(metric: ExchangeMetricName, kind: Kind): Metric {
  const [stem, unit, what] = VALUES[metric];
  const labels = GENERIC_LABELS.map(([, name]) => name);
  const size = unit === 'bytes' ? `${stem}_size` : stem;
  const scope =
    metric === 'duration' && kind === 'histogram' ? 'Requests without a convention of their own' : 'Requests';
  switch (kind) {
    case 'histogram':
      return { name: `${size}_${unit}`, type: 'histogram', help: `${scope}: ${what}.`, labels };
    case 'sum':
      return { name: `${stem}_${unit}_total`, type: 'counter', help: `${scope}, sum: ${what}.`, labels };
    case 'count':
      return { name: `${size}_known_total`, type: 'counter', help: `${scope} that knew: ${what}.`, labels };
    case 'max':
    case 'avg':
    case 'last':
    case 'level':
      return {
        name: `${size}_${kind}_${unit}`,
        type: 'gauge',
        help: `${scope}, ${kind} of the last window that had any: ${what}.`,
        labels,
      };
  }
}

/** `error_type` is the status where the protocol itself said that it failed, else the kind of the failure. */
function rename(labels: Labels, names: readonly (readonly [LabelKey, string])[]): [string, string][] {
  const renamed: [string, string][] = [];
  for (const [key, name] of names) {
    const value = key === LABEL.error && labels.error === 'status' ? (labels.status ?? 'status') : labels[key];
    if (value !== undefined) renamed.push([name, value]);
  }
  return renamed;
}

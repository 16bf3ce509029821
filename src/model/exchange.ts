import type { DataGroup } from './data-group.ts';
import type { ErrorKind } from './names.ts';

/** Positions in `metrics` of a `net_request_metric_group`. Durations in ns, sizes in bytes. */
export const EXCHANGE_METRIC = {
  /** First byte of the request to last byte of the response, or the time waited. */
  duration: 0,
  /** First byte of the request to first byte of the response; NaN without a response. */
  ttfb: 1,
  /** How long the request lay in the socket before it was read; NaN if not known. */
  queue: 2,
  /** Connect time of the connection, on its first exchange only and on the client; else NaN. */
  connect: 3,
  /** First to last byte of the request. */
  requestSent: 4,
  /** First to last byte of the response; NaN without a response. */
  contentDownload: 5,
  requestBytes: 6,
  responseBytes: 7,
} as const;
export const EXCHANGE_METRICS = 8;

/**
 * One request and its response as a DataGroup. Beyond the aggregated labels it can tell everything that the
 * exchange line (docs/exchanges.md) needs; the strings are made only when asked for.
 */
export interface ExchangeGroup extends DataGroup {
  /** False if a part was lost or cut. */
  readonly complete: boolean;
  /** True if the governor sampled. */
  readonly estimated: boolean;
  /** Connection id, unique in a run. */
  connectionId(): string;
  /** `ip:port` of the client, whoever saw it. */
  source(): string;
  /** `ip:port` of the server. */
  destination(): string;
  /** What was asked, for HTTP the method; as it was sent, whatever the label set says. */
  operation(): string | null;
  /** Unclustered resource, for HTTP the path without the query. */
  resource(): string | null;
  /** Status as the protocol names it; null if it has none or there was no response. */
  status(): string | null;
  /** Why it failed, or null. */
  error(): ErrorKind | null;
  traceId(): string | null;
  pid(): number;
  /** comm of the process as the kernel gave it. */
  comm(): string;
  /** What the protocol module knows, under OpenTelemetry attribute names. */
  attributes(): Readonly<Record<string, string | number | boolean>>;
}

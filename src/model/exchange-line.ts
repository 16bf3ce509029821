import { EXCHANGE_METRIC } from './exchange.ts';
import type { ExchangeGroup } from './exchange.ts';
import type { Labels } from './label-sets.ts';

/** One exchange as docs/exchanges.md describes it. The keys are in the order of the line. */
export interface ExchangeLine {
  /** First byte of the request, ns since the epoch. */
  readonly time: string;
  readonly protocol: string;
  readonly role: string;
  readonly src: string;
  readonly dst: string;
  readonly operation: string | null;
  readonly resource: string | null;
  readonly status: string | null;
  readonly error: string | null;
  readonly request_bytes: number;
  readonly response_bytes: number;
  /** Null if the first byte was not seen: the connection was joined in the middle of the request. */
  readonly duration_ns: number | null;
  readonly ttfb_ns: number | null;
  readonly queue_ns: number | null;
  readonly connect_ns: number | null;
  readonly pid: number | null;
  readonly comm: string | null;
  readonly conn: string;
  readonly trace_id: string | null;
  readonly complete: boolean;
  readonly estimated: boolean;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** The keys that a filter can ask for, besides `attributes.NAME`. */
export const EXCHANGE_KEYS = [
  'time',
  'protocol',
  'role',
  'src',
  'dst',
  'operation',
  'resource',
  'status',
  'error',
  'request_bytes',
  'response_bytes',
  'duration_ns',
  'ttfb_ns',
  'queue_ns',
  'connect_ns',
  'pid',
  'comm',
  'conn',
  'trace_id',
  'complete',
  'estimated',
] as const satisfies readonly Exclude<keyof ExchangeLine, 'attributes'>[];

/** Renders ns of the pipeline's clock as ns since the epoch. */
export type WallTime = (ns: number) => string | bigint;

const whole = (value: number): number | null => (Number.isNaN(value) ? null : Math.round(value));

/**
 * Makes the line of an exchange, while it is consumed. Of its labels only protocol and role are taken, which every
 * set keeps: at the cap of label sets the rest is gone.
 */
export function toExchangeLine(exchange: ExchangeGroup, labels: Labels, wallTime: WallTime): ExchangeLine {
  const { metrics } = exchange;
  const { duration, ttfb, queue, connect, requestBytes, responseBytes } = EXCHANGE_METRIC;
  return {
    time: String(wallTime(exchange.timestamp)),
    protocol: labels.protocol ?? 'generic',
    role: labels.role ?? 'server',
    src: exchange.source(),
    dst: exchange.destination(),
    operation: exchange.operation() || null,
    resource: exchange.resource(),
    status: exchange.status() || null,
    error: exchange.error(),
    request_bytes: whole(metrics[requestBytes]) ?? 0,
    response_bytes: whole(metrics[responseBytes]) ?? 0,
    duration_ns: whole(metrics[duration]),
    ttfb_ns: whole(metrics[ttfb]),
    queue_ns: whole(metrics[queue]),
    connect_ns: whole(metrics[connect]),
    // 0 and the empty name are what a source without processes gives.
    pid: exchange.pid() || null,
    comm: exchange.comm() || null,
    conn: exchange.connectionId(),
    trace_id: exchange.traceId(),
    complete: exchange.complete,
    estimated: exchange.estimated,
    attributes: exchange.attributes(),
  };
}

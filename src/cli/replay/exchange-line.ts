import type { ExchangeLine } from '../../exporter/stdout/exchange-line.ts';

export type { ExchangeLine } from '../../exporter/stdout/exchange-line.ts';

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

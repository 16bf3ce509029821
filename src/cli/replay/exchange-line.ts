/** One exchange as CONTRACTS write it, see "One exchange (NDJSON)". */
export interface ExchangeLine {
  /** ns since the epoch. */
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
  readonly duration_ns: number;
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

import type { ExchangeLine } from '../../../src/model/exchange-line.ts';

/** A plain exchange, with what a test changes of it. */
export function exchangeLine(change: Partial<ExchangeLine> = {}): ExchangeLine {
  return {
    time: '1700000000000000000',
    protocol: 'http',
    role: 'server',
    src: '127.0.0.1:40000',
    dst: '127.0.0.1:80',
    operation: 'GET',
    resource: '/',
    status: '200',
    error: null,
    request_bytes: 78,
    response_bytes: 230,
    duration_ns: 1_234_567,
    ttfb_ns: 1_000_000,
    queue_ns: null,
    connect_ns: null,
    pid: 42,
    comm: 'nginx',
    conn: 'c1',
    trace_id: null,
    complete: true,
    estimated: false,
    attributes: {},
    ...change,
  };
}

import { describe, expect, it } from 'vitest';
import { toExchangeLine } from '../../../src/model/exchange-line.ts';
import { exchange } from '../processor/exchange-fixture.ts';

/** Keys and their order are those of docs/exchanges.md. */
const KEYS = [
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
  'attributes',
];

describe('toExchangeLine', () => {
  it('says everything of an exchange, times in whole ns', () => {
    const line = toExchangeLine(
      exchange({
        timestamp: 1_500,
        metrics: { duration: 2_000.4, ttfb: 1_000.6, queue: 3, connect: 4, requestBytes: 120, responseBytes: 2 ** 40 },
        complete: false,
        estimated: true,
        connectionId: () => '18446744073709551615',
        source: () => '[::1]:50000',
        destination: () => '[::1]:80',
        operation: () => 'GET',
        resource: () => '/users/17',
        status: () => '500',
        error: () => 'status',
        traceId: () => '4bf92f3577b34da6a3ce929d0e0e4736',
        pid: () => 12,
        comm: () => 'nginx',
        attributes: () => ({ 'http.request.method': 'GET', 'http.response.status_code': 500 }),
      }),
      // What the set at the cap of label sets keeps.
      { protocol: 'http', role: 'server', overflow: 'true' },
      (ns) => 1_700_000_000_000_000_000n + BigInt(ns),
    );
    expect(line).toEqual({
      time: '1700000000000001500',
      protocol: 'http',
      role: 'server',
      src: '[::1]:50000',
      dst: '[::1]:80',
      operation: 'GET',
      resource: '/users/17',
      status: '500',
      error: 'status',
      request_bytes: 120,
      response_bytes: 1_099_511_627_776,
      duration_ns: 2_000,
      ttfb_ns: 1_001,
      queue_ns: 3,
      connect_ns: 4,
      pid: 12,
      comm: 'nginx',
      conn: '18446744073709551615',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      complete: false,
      estimated: true,
      attributes: { 'http.request.method': 'GET', 'http.response.status_code': 500 },
    });
    expect(Object.keys(line)).toEqual(KEYS);
  });

  it('says null for what is not known, and leaves no key out', () => {
    const line = toExchangeLine(exchange({}), { protocol: 'generic', role: 'client' }, String);
    expect(JSON.parse(JSON.stringify(line))).toEqual({
      time: '0',
      protocol: 'generic',
      role: 'client',
      src: '127.0.0.1:50000',
      dst: '127.0.0.1:80',
      operation: null,
      resource: null,
      status: null,
      error: null,
      request_bytes: 0,
      response_bytes: 0,
      duration_ns: null,
      ttfb_ns: null,
      queue_ns: null,
      connect_ns: null,
      pid: null,
      comm: null,
      conn: '1',
      trace_id: null,
      complete: true,
      estimated: false,
      attributes: {},
    });
  });
});

import type {
  ExchangeSums,
  PeerSums,
  RouteSums,
  ServicesReport,
  ServiceSums,
} from '../../../../src/control/services.ts';

const MS = 1e6;
const TCP = { connections: 2, retransmits: 0, resets: 0, failed_connects: 0, rtt: [1, 0] };

/** Sums of so many exchanges of which each took between 1 and 10 ms. */
export function sums(exchanges: number, more: Partial<ExchangeSums> = {}): ExchangeSums {
  return {
    exchanges,
    errors: 0,
    request_bytes: exchanges * 10,
    response_bytes: exchanges * 100,
    duration: [0, exchanges, 0],
    queue: [exchanges, 0],
    ...more,
  };
}

export function route(name: string, exchanges: number, more: Partial<ExchangeSums> = {}): RouteSums {
  return { protocol: 'http', route: name, ...sums(exchanges, more) };
}

export function peer(name: string, exchanges: number): PeerSums {
  return { peer: name, tcp: TCP, ...sums(exchanges) };
}

export function service(name: string, exchanges: number, more: Partial<ServiceSums> = {}): ServiceSums {
  return {
    service: name,
    role: 'server',
    protocols: ['http'],
    ...sums(exchanges),
    tcp: TCP,
    routes: [],
    peers: [],
    hidden: { routes: 0, peers: 0 },
    ...more,
  };
}

export function report(
  closedMs: number | null,
  services: readonly ServiceSums[],
  more: Partial<ServicesReport> = {},
): ServicesReport {
  return {
    closed_ms: closedMs,
    window_ms: 1000,
    bounds: { duration_ns: [MS, 10 * MS], queue_ns: [MS], rtt_ns: [MS] },
    completeness: 1,
    services,
    hidden: 0,
    ...more,
  };
}

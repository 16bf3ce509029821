import type { Labels } from '../model/label-sets.ts';
import type { SeriesField, SeriesSnapshot } from '../model/series.ts';
import { routeOf, serviceOf } from './exchange-subject.ts';
import { addTcp, noTcp, rttBounds } from './tcp-sums.ts';
import type { TcpSums } from './tcp-sums.ts';

/** Sums since the start. They only grow, but for a series that expires and takes its sums along. */
export interface ExchangeSums {
  exchanges: number;
  errors: number;
  request_bytes: number;
  response_bytes: number;
  /** Exchanges by duration: one number for each of `bounds.duration_ns`, then those beyond the last. */
  readonly duration: number[];
  /** Exchanges by the time that their request lay in the socket, by `bounds.queue_ns`; unknown times are in none. */
  readonly queue: number[];
}

export interface RouteSums extends ExchangeSums {
  readonly protocol: string;
  /** `GET /users/{id}`; empty if the protocol names none. */
  readonly route: string;
}

export interface PeerSums extends ExchangeSums {
  /** `ip:port` of a server that the service calls; `ip` of a host whose clients call it. */
  readonly peer: string;
  readonly tcp: TcpSums;
}

export interface ServiceSums extends ExchangeSums {
  readonly service: string;
  /** Where it was seen: `server` or `client`. */
  readonly role: string;
  readonly protocols: readonly string[];
  readonly routes: readonly RouteSums[];
  readonly peers: readonly PeerSums[];
  readonly tcp: TcpSums;
  /** Routes and peers that are in the sums of the service, but not listed. */
  readonly hidden: { readonly routes: number; readonly peers: number };
}

/** `GET /services` */
export interface ServicesReport {
  /** When the last window closed, ms since the start; null before the first one. The sums are of that moment. */
  readonly closed_ms: number | null;
  /** Length of a window, ms. */
  readonly window_ms: number;
  /** Upper bounds of the buckets, inclusive. */
  readonly bounds: {
    readonly duration_ns: readonly number[];
    readonly queue_ns: readonly number[];
    readonly rtt_ns: readonly number[];
  };
  /** Of the last closed window, see sonde_completeness_ratio. */
  readonly completeness: number;
  /** Those with most exchanges first. */
  readonly services: readonly ServiceSums[];
  /** Services for which there was no room. */
  readonly hidden: number;
}

export interface ReportLimits {
  readonly services: number;
  /** Routes of all services together, and as many peers. */
  readonly routes: number;
}

const LIMITS: ReportLimits = { services: 500, routes: 2000 };

/** Sums the series of a snapshot up by service and role, and for each by route and by peer. */
export function reportServices(snapshot: SeriesSnapshot, limits: ReportLimits = LIMITS): ServicesReport {
  const columns = columnsOf(snapshot);
  const groups = new Map<string, Group>();
  for (const { values, labels } of snapshot.pages) {
    for (const [row, set] of labels.entries()) {
      if (set === undefined) {
        continue;
      }
      const group = groupOf(groups, set, columns);
      const base = row * snapshot.layout.stride;
      const error = set.error !== undefined;
      addRow(group.sums, values, base, columns, error);
      addRow(routeSums(group, set, columns), values, base, columns, error);
      const peer = peerOf(group, set, columns);
      if (peer !== undefined) {
        addRow(peer, values, base, columns, error);
      }
    }
  }
  addTcp(snapshot, (set) => {
    const group = groupOf(groups, set, columns);
    const peer = peerOf(group, set, columns);
    return peer === undefined ? [group.tcp] : [group.tcp, peer.tcp];
  });
  const all = [...groups.values()].toSorted((a, b) => b.sums.exchanges - a.sums.exchanges);
  const shown = all.slice(0, limits.services);
  const share = Math.max(1, Math.floor(limits.routes / Math.max(1, shown.length)));
  return {
    closed_ms: Number.isNaN(snapshot.closedAt) ? null : Math.round(snapshot.closedAt / 1e6),
    window_ms: snapshot.windowNs / 1e6,
    bounds: { duration_ns: columns.duration.bounds, queue_ns: columns.queue.bounds, rtt_ns: columns.rtt },
    completeness: snapshot.completeness,
    services: shown.map((group) => finish(group, share)),
    hidden: all.length - shown.length,
  };
}

interface Group {
  readonly service: string;
  readonly role: string;
  readonly protocols: Set<string>;
  readonly sums: ExchangeSums;
  readonly tcp: TcpSums;
  readonly routes: Map<string, RouteSums>;
  readonly peers: Map<string, PeerSums>;
}

interface Buckets {
  readonly bounds: readonly number[];
  /** First column; −1 if the store keeps none. */
  readonly first: number;
}

/** Where a row holds what is reported. */
interface Columns {
  readonly exchanges: number;
  readonly duration: Buckets;
  readonly queue: Buckets;
  readonly rtt: readonly number[];
  readonly requestBytes: number;
  readonly responseBytes: number;
}

function columnsOf(snapshot: SeriesSnapshot): Columns {
  const { layout } = snapshot;
  const field = (metric: string): SeriesField | undefined => layout.fields.find((one) => one.metric === metric);
  const buckets = (metric: string): Buckets => {
    const found = field(metric);
    return found === undefined || found.buckets < 0
      ? { bounds: [], first: -1 }
      : { bounds: found.bounds, first: found.buckets };
  };
  return {
    exchanges: layout.exchanges,
    duration: buckets('duration'),
    queue: buckets('queue'),
    rtt: rttBounds(snapshot),
    requestBytes: field('requestBytes')?.sum ?? -1,
    responseBytes: field('responseBytes')?.sum ?? -1,
  };
}

function groupOf(groups: Map<string, Group>, set: Labels, columns: Columns): Group {
  const service = serviceOf(set);
  const role = set.role ?? '';
  const key = `${service}\0${role}`;
  let group = groups.get(key);
  if (group === undefined) {
    group = {
      service,
      role,
      protocols: new Set(),
      sums: noSums(columns),
      tcp: noTcp(columns.rtt),
      routes: new Map(),
      peers: new Map(),
    };
    groups.set(key, group);
  }
  if (set.protocol !== undefined) {
    group.protocols.add(set.protocol);
  }
  return group;
}

function routeSums(group: Group, set: Labels, columns: Columns): RouteSums {
  const protocol = set.protocol ?? '';
  const route = routeOf(set);
  const key = `${protocol}\0${route}`;
  let sums = group.routes.get(key);
  if (sums === undefined) {
    sums = { protocol, route, ...noSums(columns) };
    group.routes.set(key, sums);
  }
  return sums;
}

function peerOf(group: Group, set: Labels, columns: Columns): PeerSums | undefined {
  // TCP knows the other end; an exchange knows it only of servers.
  const address = set.peer_address ?? (set.role === 'client' ? set.server_address : undefined);
  if (address === undefined) {
    return undefined;
  }
  const host = address.includes(':') ? `[${address}]` : address;
  const peer = set.server_port === undefined || set.role !== 'client' ? host : `${host}:${set.server_port}`;
  let sums = group.peers.get(peer);
  if (sums === undefined) {
    sums = { peer, tcp: noTcp(columns.rtt), ...noSums(columns) };
    group.peers.set(peer, sums);
  }
  return sums;
}

function noBuckets({ bounds }: Buckets): number[] {
  return Array.from({ length: bounds.length + 1 }, () => 0);
}

function noSums(columns: Columns): ExchangeSums {
  return {
    exchanges: 0,
    errors: 0,
    request_bytes: 0,
    response_bytes: 0,
    duration: noBuckets(columns.duration),
    queue: noBuckets(columns.queue),
  };
}

function addRow(sums: ExchangeSums, values: Float64Array, base: number, columns: Columns, error: boolean): void {
  const exchanges = values[base + columns.exchanges];
  sums.exchanges += exchanges;
  sums.errors += error ? exchanges : 0;
  sums.request_bytes += columns.requestBytes < 0 ? 0 : values[base + columns.requestBytes];
  sums.response_bytes += columns.responseBytes < 0 ? 0 : values[base + columns.responseBytes];
  addBuckets(sums.duration, values, base, columns.duration);
  addBuckets(sums.queue, values, base, columns.queue);
}

function addBuckets(sums: number[], values: Float64Array, base: number, { bounds, first }: Buckets): void {
  if (first < 0) {
    return;
  }
  for (let bucket = 0; bucket <= bounds.length; bucket++) {
    sums[bucket] = sums[bucket] + values[base + first + bucket];
  }
}

function finish({ service, role, protocols, sums, tcp, routes, peers }: Group, share: number): ServiceSums {
  const busiest = <T extends ExchangeSums>(all: ReadonlyMap<string, T>): T[] =>
    [...all.values()].toSorted((a, b) => b.exchanges - a.exchanges).slice(0, share);
  return {
    service,
    role,
    protocols: [...protocols].toSorted(),
    ...sums,
    tcp,
    routes: busiest(routes),
    peers: busiest(peers),
    hidden: { routes: Math.max(0, routes.size - share), peers: Math.max(0, peers.size - share) },
  };
}

import type { ExchangeSums, ServicesReport, ServiceSums } from '../../control/services.ts';
import type { TcpSums } from '../../control/tcp-sums.ts';
import { quantile } from './quantile.ts';
import type { Quantile } from './quantile.ts';

/** What one line of the view shows. */
export interface Row {
  /** Exchanges a second over the span. */
  readonly rate: number;
  /** Share of failed exchanges over the span, 0 to 1; null without exchanges. */
  readonly errorRatio: number | null;
  /** ns; over the span. */
  readonly p50: Quantile | null;
  readonly p99: Quantile | null;
  /** How long requests lay in the socket before they were read, 99th percentile, ns. */
  readonly queue: Quantile | null;
  /** Bytes a second, requests and responses together. */
  readonly bytes: number;
  /** Exchanges since the start. */
  readonly total: number;
  /** What the network did; null of a route, of which it is not known. */
  readonly tcp: TcpRow | null;
}

export interface TcpRow {
  /** Open connections. */
  readonly connections: number;
  /** Segments sent again, a second. */
  readonly retransmits: number;
  /** Resets and connects that failed, a second. */
  readonly broken: number;
  /** Median of the round trips, ns. */
  readonly rtt: Quantile | null;
}

export interface RouteRow extends Row {
  readonly protocol: string;
  readonly route: string;
}

export interface PeerRow extends Row {
  readonly service: string;
  readonly role: string;
  /** `ip:port` */
  readonly peer: string;
}

export interface ServiceRow extends Row {
  readonly service: string;
  readonly role: string;
  readonly protocols: readonly string[];
  readonly routes: readonly RouteRow[];
  readonly peers: readonly PeerRow[];
  readonly hiddenRoutes: number;
}

/** What happened between two reports. */
export interface Picture {
  readonly services: readonly ServiceRow[];
  /** Seconds that rates, errors and quantiles are about. */
  readonly spanSeconds: number;
  readonly completeness: number;
  readonly hiddenServices: number;
}

export const NOTHING: Picture = { services: [], spanSeconds: 0, completeness: 1, hiddenServices: 0 };

/** Compares two reports of one probe; without the first, everything since its start is in the span. */
export function compareReports(before: ServicesReport | undefined, after: ServicesReport): Picture {
  if (after.closed_ms === null) {
    return NOTHING;
  }
  // The first window may close right after the start, with what was seen before it.
  const seconds = Math.max(1, (after.closed_ms - (before?.closed_ms ?? 0)) / 1000);
  const context: Context = { bounds: after.bounds, seconds };
  const known = new Map(before?.services.map((service) => [`${service.service}\0${service.role}`, service]));
  const cut = before !== undefined && after.hidden + before.hidden > 0;
  return {
    services: after.services.map((service) =>
      serviceRow(known.get(`${service.service}\0${service.role}`) ?? (cut ? service : undefined), service, context),
    ),
    spanSeconds: Math.round(seconds),
    completeness: after.completeness,
    hiddenServices: after.hidden,
  };
}

interface Context {
  readonly bounds: ServicesReport['bounds'];
  readonly seconds: number;
}

function serviceRow(before: ServiceSums | undefined, after: ServiceSums, context: Context): ServiceRow {
  const { service, role, protocols, hidden } = after;
  const routes = changes(before?.routes, after.routes, (one) => `${one.protocol}\0${one.route}`, {
    context,
    cut: before !== undefined && before.hidden.routes + hidden.routes > 0,
  });
  const peers = changes(before?.peers, after.peers, (one) => one.peer, {
    context,
    cut: before !== undefined && before.hidden.peers + hidden.peers > 0,
  });
  return {
    ...toRow(before, after, context),
    service,
    role,
    protocols,
    routes: routes.map(([{ protocol, route }, row]) => Object.assign(row, { protocol, route })),
    peers: peers.map(([{ peer }, row]) => Object.assign(row, { service, role, peer })),
    hiddenRoutes: hidden.routes,
  };
}

/** `cut`: what was not listed before may have been there all the same, so that it is not taken for new. */
function changes<T extends Sums>(
  before: readonly T[] | undefined,
  after: readonly T[],
  key: (one: T) => string,
  { context, cut }: { readonly context: Context; readonly cut: boolean },
): [T, Row][] {
  const known = new Map(before?.map((one) => [key(one), one]));
  return after.map((one) => [one, toRow(known.get(key(one)) ?? (cut ? one : undefined), one, context)]);
}

/** A series that has expired takes its count with it: never below zero. */
function grown(now: number, then: number | undefined): number {
  return Math.max(0, now - (then ?? 0));
}

interface Sums extends ExchangeSums {
  readonly tcp?: TcpSums;
}

function tcpRow(before: TcpSums | undefined, after: TcpSums, { bounds, seconds }: Context): TcpRow {
  const broken = grown(after.resets, before?.resets) + grown(after.failed_connects, before?.failed_connects);
  const rtt = after.rtt.map((count, bucket) => grown(count, before?.rtt[bucket]));
  return {
    connections: after.connections,
    retransmits: grown(after.retransmits, before?.retransmits) / seconds,
    broken: broken / seconds,
    rtt: quantile(0.5, bounds.rtt_ns, rtt),
  };
}

function toRow(before: Sums | undefined, after: Sums, context: Context): Row {
  const { bounds, seconds } = context;
  const exchanges = grown(after.exchanges, before?.exchanges);
  const errors = grown(after.errors, before?.errors);
  const bytes = grown(after.request_bytes, before?.request_bytes) + grown(after.response_bytes, before?.response_bytes);
  const duration = after.duration.map((count, bucket) => grown(count, before?.duration[bucket]));
  const queue = after.queue.map((count, bucket) => grown(count, before?.queue[bucket]));
  return {
    rate: exchanges / seconds,
    errorRatio: exchanges > 0 ? errors / exchanges : null,
    p50: quantile(0.5, bounds.duration_ns, duration),
    p99: quantile(0.99, bounds.duration_ns, duration),
    queue: quantile(0.99, bounds.queue_ns, queue),
    bytes: bytes / seconds,
    total: after.exchanges,
    tcp: after.tcp === undefined ? null : tcpRow(before?.tcp, after.tcp, context),
  };
}

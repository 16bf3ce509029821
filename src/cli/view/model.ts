import { quantile } from './quantile.ts';
import type { Quantile } from './quantile.ts';
import type { Tallies, Tally } from './tally.ts';

/** What one line of the view shows. */
export interface Row {
  /** Exchanges a second over the span. */
  readonly rate: number;
  /** Share of failed exchanges over the span, 0 to 1; null without exchanges. */
  readonly errorRatio: number | null;
  /** ns; over the span. */
  readonly p50: Quantile | null;
  readonly p99: Quantile | null;
  /** Bytes a second, requests and responses together. */
  readonly bytes: number;
  /** Exchanges since the start. */
  readonly total: number;
}

export interface RouteRow extends Row {
  readonly route: string;
}

export interface ServiceRow extends Row {
  readonly service: string;
  readonly role: string;
  readonly protocol: string;
  readonly routes: readonly RouteRow[];
}

/** Services, busiest first, from the sums at two moments. `before` may be missing: then everything is in the span. */
export function serviceRows(before: Tallies | undefined, after: Tallies, startTime: number): ServiceRow[] {
  // The first screen may come right after the start, with what was seen before it: a window is a second long.
  const seconds = Math.max(1, (after.time - (before?.time ?? startTime)) / 1000);
  const groups = new Map<string, { head: Tally; routes: RouteRow[]; sums: Span[] }>();
  for (const [key, tally] of after.byKey) {
    const span = difference(tally, before?.byKey.get(key));
    const name = `${tally.service}\0${tally.role}\0${tally.protocol}`;
    let group = groups.get(name);
    if (group === undefined) {
      group = { head: tally, routes: [], sums: [] };
      groups.set(name, group);
    }
    group.sums.push(span);
    group.routes.push({ route: tally.route, ...toRow(span, after.bounds, seconds) });
  }
  const services = [...groups.values()].map(
    ({ head: { service, role, protocol }, routes, sums }): ServiceRow =>
      Object.assign(toRow(sums.reduce(add), after.bounds, seconds), {
        service,
        role,
        protocol,
        routes: routes.toSorted(busiestFirst),
      }),
  );
  return services.toSorted(busiestFirst);
}

interface Span {
  readonly exchanges: number;
  readonly errors: number;
  readonly bytes: number;
  readonly buckets: Float64Array;
  readonly total: number;
}

/** A series that has expired takes its count with it: never below zero. */
function grown(now: number, then: number | undefined): number {
  return Math.max(0, now - (then ?? 0));
}

function difference(after: Tally, before: Tally | undefined): Span {
  return {
    exchanges: grown(after.exchanges, before?.exchanges),
    errors: grown(after.errors, before?.errors),
    bytes: grown(after.requestBytes, before?.requestBytes) + grown(after.responseBytes, before?.responseBytes),
    buckets: after.buckets.map((count, bucket) => grown(count, before?.buckets[bucket])),
    total: after.exchanges,
  };
}

function add(a: Span, b: Span): Span {
  return {
    exchanges: a.exchanges + b.exchanges,
    errors: a.errors + b.errors,
    bytes: a.bytes + b.bytes,
    buckets: a.buckets.map((count, bucket) => count + b.buckets[bucket]),
    total: a.total + b.total,
  };
}

function toRow(span: Span, bounds: readonly number[], seconds: number): Row {
  return {
    rate: span.exchanges / seconds,
    errorRatio: span.exchanges > 0 ? span.errors / span.exchanges : null,
    p50: quantile(0.5, bounds, span.buckets),
    p99: quantile(0.99, bounds, span.buckets),
    bytes: span.bytes / seconds,
    total: span.total,
  };
}

function busiestFirst(a: Row, b: Row): number {
  return b.rate - a.rate || b.total - a.total;
}

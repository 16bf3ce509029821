import type { SeriesField, SeriesSnapshot } from '../../model/series.ts';

/** Sums of one route (or of one service) since the start. */
export interface Tally {
  readonly service: string;
  readonly role: string;
  readonly protocol: string;
  /** `GET /users/{id}` */
  readonly route: string;
  exchanges: number;
  errors: number;
  requestBytes: number;
  responseBytes: number;
  /** Durations by bucket, the last one beyond all bounds. */
  readonly buckets: Float64Array;
}

/** All routes at one moment. */
export interface Tallies {
  /** ms on a clock that only grows. */
  readonly time: number;
  readonly bounds: readonly number[];
  readonly byKey: ReadonlyMap<string, Tally>;
  readonly completeness: number;
}

/** Sums the series of a snapshot up by service, role, protocol and route; statuses and addresses are merged. */
export function tallySnapshot(snapshot: SeriesSnapshot, time: number): Tallies {
  const { layout, pages } = snapshot;
  const field = (metric: string): SeriesField | undefined => layout.fields.find((one) => one.metric === metric);
  const duration = field('duration');
  const bounds = duration?.bounds ?? [];
  const firstBucket = duration?.buckets ?? -1;
  const requestBytes = field('requestBytes')?.sum;
  const responseBytes = field('responseBytes')?.sum;
  const byKey = new Map<string, Tally>();
  for (const { values, labels } of pages) {
    for (const [row, set] of labels.entries()) {
      if (set === undefined) {
        continue;
      }
      const base = row * layout.stride;
      const service = set.overflow === undefined ? (set.service_name ?? set.comm ?? '(unknown)') : '(other)';
      const role = set.role ?? '';
      const protocol = set.protocol ?? '';
      const route = [set.operation, set.route].filter((part) => part !== undefined && part !== '').join(' ');
      const key = `${service}\0${role}\0${protocol}\0${route}`;
      let tally = byKey.get(key);
      if (tally === undefined) {
        tally = {
          service,
          role,
          protocol,
          route,
          exchanges: 0,
          errors: 0,
          requestBytes: 0,
          responseBytes: 0,
          buckets: new Float64Array(bounds.length + 1),
        };
        byKey.set(key, tally);
      }
      const exchanges = values[base + layout.exchanges];
      tally.exchanges += exchanges;
      tally.errors += set.error === undefined ? 0 : exchanges;
      tally.requestBytes += requestBytes === undefined ? 0 : values[base + requestBytes];
      tally.responseBytes += responseBytes === undefined ? 0 : values[base + responseBytes];
      if (firstBucket >= 0) {
        for (let bucket = 0; bucket <= bounds.length; bucket++) {
          tally.buckets[bucket] = tally.buckets[bucket] + values[base + firstBucket + bucket];
        }
      }
    }
  }
  return { time, bounds, byKey, completeness: snapshot.completeness };
}

import type { Kind, SeriesField, SeriesLayout } from '../../model/series.ts';

/** What to keep of one value. */
export interface MetricChoice {
  readonly kinds: readonly Kind[];
  /** Upper bounds of a histogram, in the value's unit. */
  readonly bounds?: readonly number[];
}

/** By name of the value, see the positions of its group. */
export type MetricChoices = Readonly<Record<string, MetricChoice>>;

const inNanoseconds = (seconds: readonly number[]): readonly number[] => seconds.map((s) => Math.round(s * 1e9));

/**
 * Bounds of durations, in ns. From 5 ms on those that OpenTelemetry advises for
 * http.server.request.duration; below, what separates fast services on one host.
 */
export const DURATION_BOUNDS = inNanoseconds([
  0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5,
  7.5, 10,
]);

/** Bounds of the time in the socket, in ns: coarser, since the kernel tells it in ticks of 1 to 10 ms by default. */
export const QUEUE_BOUNDS = inNanoseconds([0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]);

export const DEFAULT_METRICS: MetricChoices = {
  duration: { kinds: ['histogram'], bounds: DURATION_BOUNDS },
  queue: { kinds: ['histogram'], bounds: QUEUE_BOUNDS },
  requestBytes: { kinds: ['sum'] },
  responseBytes: { kinds: ['sum'] },
};

/** Numbers in a cache line. */
const LINE = 8;

/**
 * Lays out a row: first the numbers that every exchange changes, then the buckets, of which it changes one a
 * histogram, then the gauges. `additive` is where the gauges begin. Rows begin at cache lines, so an exchange touches
 * two or three of them.
 */
export function layOut(metrics: MetricChoices): SeriesLayout & { readonly additive: number } {
  const entries = Object.entries(metrics);
  // Column 0 counts the exchanges, or whatever the group tells of.
  let column = 1;
  const take = (columns: number): number => {
    column += columns;
    return column - columns;
  };
  const takeIf = (wanted: boolean): number => (wanted ? take(1) : -1);
  const scalars = entries.map(([metric, { kinds, bounds = DURATION_BOUNDS }]) => {
    const has = (...any: Kind[]): boolean => any.some((kind) => kinds.includes(kind));
    return {
      metric,
      kinds,
      bounds: has('histogram') ? bounds : [],
      count: takeIf(has('count', 'avg', 'max', 'last')),
      sum: takeIf(has('sum', 'avg', 'histogram')),
    };
  });
  const summed = scalars.map((field) =>
    Object.assign(field, { buckets: field.bounds.length > 0 ? take(field.bounds.length + 1) : -1 }),
  );
  const additive = column;
  const fields = summed.map(
    (field): SeriesField =>
      Object.assign(field, {
        max: takeIf(field.kinds.includes('max')),
        avg: takeIf(field.kinds.includes('avg')),
        last: takeIf(field.kinds.includes('last')),
        level: takeIf(field.kinds.includes('level')),
      }),
  );
  return { stride: Math.ceil(column / LINE) * LINE, additive, exchanges: 0, fields };
}

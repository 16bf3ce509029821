import { EXCHANGE_METRIC, EXCHANGE_METRICS } from '../../../src/model/exchange.ts';
import type { ExchangeGroup } from '../../../src/model/exchange.ts';
import type { ExchangeMetricName } from '../../../src/model/series.ts';
import { GROUP } from '../../../src/model/names.ts';

export interface ExchangeValues extends Partial<Omit<ExchangeGroup, 'metrics'>> {
  readonly metrics?: Partial<Record<ExchangeMetricName, number>>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** An exchange with the given values; values that are not given are not known. */
export function exchange({ metrics = {}, ...rest }: ExchangeValues): Mutable<ExchangeGroup> {
  const values = new Float64Array(EXCHANGE_METRICS).fill(Number.NaN);
  for (const [name, value] of Object.entries(metrics)) values[EXCHANGE_METRIC[name as ExchangeMetricName]] = value;
  return {
    name: GROUP.request,
    labels: 0,
    metrics: values,
    timestamp: 0,
    complete: true,
    estimated: false,
    connectionId: () => '1',
    source: () => '127.0.0.1:50000',
    destination: () => '127.0.0.1:80',
    operation: () => null,
    resource: () => null,
    status: () => null,
    error: () => null,
    traceId: () => null,
    pid: () => 0,
    comm: () => '',
    attributes: () => ({}),
    ...rest,
  };
}

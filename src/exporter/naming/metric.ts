export type MetricType = 'counter' | 'gauge' | 'histogram';

/** One metric as people see it. */
export interface Metric {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** Labels that a series of it may carry; one without a value is left out. */
  readonly labels: readonly string[];
}

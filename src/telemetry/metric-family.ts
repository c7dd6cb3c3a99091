import type { MetricFamily } from './prometheus.ts';

/** A family of `/metrics` that OpenTelemetry has too, under a name in its own style. */
export interface ObservedFamily extends MetricFamily {
  readonly instrument: string;
  /** UCUM: `s`, `{item}`. */
  readonly unit: string;
}

/** A metric that is recorded as things happen. */
export interface RecordedFamily {
  readonly instrument: string;
  readonly type: 'histogram' | 'counter' | 'upDownCounter';
  readonly unit: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram's buckets. */
  readonly boundaries?: readonly number[];
}

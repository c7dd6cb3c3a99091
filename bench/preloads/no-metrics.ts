/** `src/telemetry/recorded-metrics.ts` with nothing behind it: what `without-telemetry.ts` puts in its place. */
import type * as metrics from '../../src/telemetry/recorded-metrics.ts';

type Metrics = typeof metrics;

export const recordMetric: Metrics['recordMetric'] = () => undefined;
export const recordCall: Metrics['recordCall'] = () => undefined;

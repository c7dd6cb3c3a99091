import type { Meter } from '@opentelemetry/api';
import { createNoopMeter, metrics } from '@opentelemetry/api';

const METER = 'durabletask-scheduler';

/** The meter of this process; `undefined` when it has no meter provider, so that everything else may be left out. */
export function meterOf(): Meter | undefined {
  const meter = metrics.getMeter(METER);
  return meter === createNoopMeter() ? undefined : meter;
}

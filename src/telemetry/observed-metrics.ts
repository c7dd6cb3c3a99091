/** Metrics that an OpenTelemetry SDK asks for each time it exports: they cost nothing in between, and nothing without one. */
import type { Attributes, BatchObservableResult, Observable } from '@opentelemetry/api';
import { meterOf } from './meter.ts';
import type { ObservedFamily } from './metric-family.ts';
import type { MetricValue } from './prometheus.ts';

/** Families with their values now. */
export type Readings = readonly (readonly [ObservedFamily, readonly MetricValue[]])[];

/**
 * Lets this process's SDK ask for these families. Returns how to stop; without an SDK there is nothing to stop.
 */
export function observeMetrics(
  families: readonly ObservedFamily[],
  read: () => Promise<Readings>,
): () => void {
  const meter = meterOf();
  if (meter === undefined) return () => undefined;
  const instruments = new Map<string, Observable>(
    families.map(({ instrument, type, unit, help: description }) => [
      instrument,
      type === 'gauge'
        ? meter.createObservableGauge(instrument, { unit, description })
        : meter.createObservableCounter(instrument, { unit, description }),
    ]),
  );
  const ask = async (result: BatchObservableResult): Promise<void> => {
    for (const [{ instrument, labels: names }, values] of await read()) {
      const observable = instruments.get(instrument);
      if (observable === undefined) continue;
      for (const { value, labels } of values) {
        result.observe(observable, value, attributesOf(names, labels));
      }
    }
  };
  const observed = [...instruments.values()];
  meter.addBatchObservableCallback(ask, observed);
  return () => {
    meter.removeBatchObservableCallback(ask, observed);
  };
}

function attributesOf(names: readonly string[], values: readonly string[]): Attributes {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}

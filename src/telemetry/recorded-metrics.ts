/** Metrics recorded as things happen, through the OpenTelemetry API alone; next to nothing without an SDK. */
import type { Attributes, Meter, MeterProvider } from '@opentelemetry/api';
import { metrics } from '@opentelemetry/api';
import { meterOf } from './meter.ts';
import type { RecordedFamily } from './metric-family.ts';
import { RECORDED } from './metrics.ts';

type RecordedMetric = keyof typeof RECORDED;

type Recorder = (value: number, attributes: Attributes) => void;
type Instruments = Readonly<Record<RecordedMetric, Recorder>>;

/** One set for each provider that there has been: a process may set its own up late, and tests change it. */
const made = new WeakMap<MeterProvider, Instruments | 'none'>();

/** Records a value of one metric; its attributes are the labels of its family. */
export function recordMetric(
  metric: RecordedMetric,
  value: number,
  attributes: Attributes = {},
): void {
  const instruments = instrumentsOf(metrics.getMeterProvider());
  if (instruments !== 'none') instruments[metric](value, attributes);
}

/** A gRPC call that has ended. */
export interface EndedCall {
  /** `TaskHubSidecarService`, with its package if it has one. */
  readonly service: string;
  readonly method: string;
  /** gRPC's number; 0 is OK. */
  readonly code: number;
  readonly durationMs: number;
}

/** Records a call, on whichever side. */
export function recordCall(
  metric: 'serverCallDuration' | 'clientCallDuration',
  { service, method, code, durationMs }: EndedCall,
): void {
  recordMetric(metric, durationMs, {
    'rpc.system': 'grpc',
    'rpc.service': service,
    'rpc.method': method,
    'rpc.grpc.status_code': code,
  });
}

function instrumentsOf(provider: MeterProvider): Instruments | 'none' {
  const known = made.get(provider);
  if (known !== undefined) return known;
  const meter = meterOf();
  const instruments = meter === undefined ? 'none' : makeInstruments(meter);
  made.set(provider, instruments);
  return instruments;
}

function makeInstruments(meter: Meter): Instruments {
  const entries = Object.entries(RECORDED).map(([metric, family]) => [
    metric,
    makeInstrument(meter, family),
  ]);
  return Object.fromEntries(entries) as Instruments;
}

function makeInstrument(meter: Meter, family: RecordedFamily): Recorder {
  const { instrument, type, unit, help: description, boundaries = [] } = family;
  switch (type) {
    case 'histogram': {
      const advice = { explicitBucketBoundaries: [...boundaries] };
      const histogram = meter.createHistogram(instrument, { unit, description, advice });
      return (value, attributes) => {
        histogram.record(value, attributes);
      };
    }
    case 'counter':
    case 'upDownCounter': {
      const counter =
        type === 'counter'
          ? meter.createCounter(instrument, { unit, description })
          : meter.createUpDownCounter(instrument, { unit, description });
      return (value, attributes) => {
        counter.add(value, attributes);
      };
    }
  }
}

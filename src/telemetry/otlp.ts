/**
 * Sends the traces and metrics of a whole process to an OTLP receiver, as the standard variables say. The SDK is
 * loaded only when it is wanted: it takes a tenth of a second that a command should not pay.
 */
import { context, metrics, trace } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { logEvent } from './log-events.ts';
import { meterOf } from './meter.ts';
import { otlpEndpoint } from './otlp-endpoint.ts';
import { isTracing } from './spans.ts';
import type {
  TelemetryEnvironment,
  TelemetryExport,
  TelemetryOptions,
} from './telemetry-export.ts';

const EXPORT_INTERVAL_MS = 60_000;

/**
 * Starts exporting. `undefined` when no receiver is named, when `OTEL_SDK_DISABLED` or `OTEL_…_EXPORTER` says no, and
 * when the process has providers of its own, which then get our spans and metrics anyway.
 */
export async function openOtlp(options: TelemetryOptions): Promise<TelemetryExport | undefined> {
  const opened = [await openTraces(options), await openMetrics(options)];
  const exports = opened.filter((each) => each !== undefined);
  if (exports.length === 0) return undefined;
  return {
    async close() {
      await Promise.all(exports.map((each) => each.close()));
    },
  };
}

async function openTraces(options: TelemetryOptions): Promise<TelemetryExport | undefined> {
  const endpoint = otlpEndpoint(options.env, 'TRACES');
  if (endpoint === undefined || isTracing()) return undefined;
  const [sdk, exporters, hooks, resource] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/context-async-hooks'),
    resourceOf(options),
  ]);
  const provider = new sdk.BasicTracerProvider({
    resource,
    spanProcessors: [new sdk.BatchSpanProcessor(new exporters.OTLPTraceExporter())],
  });
  context.setGlobalContextManager(new hooks.AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  logEvent(options.logger, 'tracesExported', { endpoint });
  return { close: () => provider.shutdown() };
}

async function openMetrics(options: TelemetryOptions): Promise<TelemetryExport | undefined> {
  const { env, logger } = options;
  const endpoint = otlpEndpoint(env, 'METRICS');
  if (endpoint === undefined || meterOf() !== undefined) return undefined;
  const [sdk, exporters, resource] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
    resourceOf(options),
  ]);
  const reader = new sdk.PeriodicExportingMetricReader({
    exporter: new exporters.OTLPMetricExporter(),
    ...intervalsOf(env),
  });
  const provider = new sdk.MeterProvider({ resource, readers: [reader] });
  metrics.setGlobalMeterProvider(provider);
  logEvent(logger, 'metricsExported', { endpoint });
  return { close: () => provider.shutdown() };
}

/** The reader leaves its variables to us; a limit above the interval is one that it refuses. */
function intervalsOf(env: TelemetryEnvironment): {
  readonly exportIntervalMillis: number;
  readonly exportTimeoutMillis: number;
} {
  const interval = positive(env['OTEL_METRIC_EXPORT_INTERVAL']) ?? EXPORT_INTERVAL_MS;
  const timeout = positive(env['OTEL_METRIC_EXPORT_TIMEOUT']) ?? interval;
  return { exportIntervalMillis: interval, exportTimeoutMillis: Math.min(interval, timeout) };
}

function positive(text: string | undefined): number | undefined {
  const value = Number(text);
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

async function resourceOf({ serviceName, env }: TelemetryOptions): Promise<Resource> {
  const resources = await import('@opentelemetry/resources');
  const detectors = [resources.envDetector, resources.processDetector];
  const named = { 'service.name': env['OTEL_SERVICE_NAME'] ?? serviceName };
  return resources.detectResources({ detectors }).merge(resources.resourceFromAttributes(named));
}

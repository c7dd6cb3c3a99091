/**
 * Sends the traces of a whole process to an OTLP receiver, as the standard variables say. The SDK is
 * loaded only when it is wanted: it takes a tenth of a second that a command should not pay.
 */
import { logEvent } from './log-events.ts';
import { context, trace } from '@opentelemetry/api';
import type {
  TelemetryEnvironment,
  TelemetryExport,
  TelemetryOptions,
} from './telemetry-export.ts';
import { isTracing } from './spans.ts';

/**
 * Starts exporting. `undefined` when no receiver is named, when `OTEL_SDK_DISABLED` or
 * `OTEL_TRACES_EXPORTER` says no, and when the process has a tracer provider of its own, which then
 * gets our spans anyway.
 */
export async function openOtlpTraces(
  options: TelemetryOptions,
): Promise<TelemetryExport | undefined> {
  const { serviceName, env, logger } = options;
  if (otlpTracesEndpoint(env) === undefined || isTracing()) return undefined;
  const [sdk, exporters, resources, hooks] = await Promise.all([
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/context-async-hooks'),
  ]);
  const named = { 'service.name': env['OTEL_SERVICE_NAME'] ?? serviceName };
  const detectors = [resources.envDetector, resources.processDetector];
  const provider = new sdk.BasicTracerProvider({
    resource: resources
      .detectResources({ detectors })
      .merge(resources.resourceFromAttributes(named)),
    spanProcessors: [new sdk.BatchSpanProcessor(new exporters.OTLPTraceExporter())],
  });
  const contexts = new hooks.AsyncLocalStorageContextManager().enable();
  context.setGlobalContextManager(contexts);
  trace.setGlobalTracerProvider(provider);
  logEvent(logger, 'tracesExported', { endpoint: otlpTracesEndpoint(env) });
  return { close: () => provider.shutdown() };
}

/** Where traces are to go, by the standard variables; `undefined` for nowhere. */
export function otlpTracesEndpoint(env: TelemetryEnvironment): string | undefined {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  if ((env['OTEL_TRACES_EXPORTER'] ?? 'otlp') !== 'otlp') return undefined;
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return endpoint === '' ? undefined : endpoint;
}

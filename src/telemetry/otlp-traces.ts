/**
 * Sends the traces of a whole process to an OTLP receiver, as the standard variables say. The SDK is
 * loaded only when it is wanted: it takes a tenth of a second that a command should not pay.
 */
import { context, trace } from '@opentelemetry/api';
import type { Logger } from './logger.ts';
import { isTracing } from './spans.ts';

/** Environment variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACES_SAMPLER` and their kin. */
export type TelemetryEnvironment = Readonly<Record<string, string | undefined>>;

export interface OtlpTracesOptions {
  /** `service.name` unless `OTEL_SERVICE_NAME` says another. */
  readonly serviceName: string;
  readonly env: TelemetryEnvironment;
  readonly logger: Logger;
}

/** Something that holds spans back and must let go of them before the process ends. */
export interface TelemetryExport {
  /** Sends what is held, then stops. */
  close(): Promise<void>;
}

/**
 * Starts exporting. `undefined` when no receiver is named, when `OTEL_SDK_DISABLED` or
 * `OTEL_TRACES_EXPORTER` says no, and when the process has a tracer provider of its own, which then
 * gets our spans anyway.
 */
export async function openOtlpTraces(
  options: OtlpTracesOptions,
): Promise<TelemetryExport | undefined> {
  const { serviceName, env, logger } = options;
  if (!wantsOtlpTraces(env) || isTracing()) return undefined;
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
  logger.info('traces are exported', { endpoint: endpointOf(env) });
  return { close: () => provider.shutdown() };
}

function wantsOtlpTraces(env: TelemetryEnvironment): boolean {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporter = env['OTEL_TRACES_EXPORTER'] ?? 'otlp';
  return exporter === 'otlp' && endpointOf(env) !== undefined;
}

function endpointOf(env: TelemetryEnvironment): string | undefined {
  const endpoint = env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return endpoint === '' ? undefined : endpoint;
}

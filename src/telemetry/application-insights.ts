import { otlpEndpoint } from './otlp-endpoint.ts';
import { isTracing } from './spans.ts';
import type { TelemetryExport, TelemetryOptions } from './telemetry-export.ts';
import { logEvent } from './log-events.ts';

const CONNECTION = 'APPLICATIONINSIGHTS_CONNECTION_STRING';

/**
 * Sends the telemetry of a Functions app's process to Application Insights, with the library's own
 * defaults and settings (`APPLICATIONINSIGHTS_CONFIGURATION_CONTENT`, `applicationinsights.json`), and
 * to an OTLP receiver too when one is named. `undefined` when there is no connection string, and when
 * the app set a tracer provider up by itself, which then gets our spans anyway.
 */
export async function openApplicationInsights({
  env,
  logger,
}: TelemetryOptions): Promise<TelemetryExport | undefined> {
  const connection = env[CONNECTION];
  if (connection === undefined || connection === '' || isTracing()) return undefined;
  // Half a second that only an app with a connection string pays.
  const { useAzureMonitor, shutdownAzureMonitor } = await import('applicationinsights');
  useAzureMonitor({
    // The library's default of 5 a second is decided anew for each span and tears traces apart; the
    // ratio looks at the trace id alone. The environment and the library's file override both.
    tracesPerSecond: 0,
    samplingRatio: 1,
    azureMonitorExporterOptions: { connectionString: connection },
    otlpTraceExporterConfig: { enabled: otlpEndpoint(env, 'TRACES') !== undefined },
    otlpMetricExporterConfig: { enabled: otlpEndpoint(env, 'METRICS') !== undefined },
  });
  logEvent(logger, 'applicationInsightsUsed');
  return { close: () => shutdownAzureMonitor() };
}

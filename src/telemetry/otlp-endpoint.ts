import type { TelemetryEnvironment } from './telemetry-export.ts';

/** Where traces or metrics are to go, by the standard variables; `undefined` for nowhere. */
export function otlpEndpoint(
  env: TelemetryEnvironment,
  signal: 'TRACES' | 'METRICS',
): string | undefined {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  if ((env[`OTEL_${signal}_EXPORTER`] ?? 'otlp') !== 'otlp') return undefined;
  const endpoint =
    env[`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`] ?? env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  return endpoint === '' ? undefined : endpoint;
}

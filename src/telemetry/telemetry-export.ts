import type { Logger } from './logger.ts';

/** Environment variables: `OTEL_EXPORTER_OTLP_ENDPOINT`, `APPLICATIONINSIGHTS_CONNECTION_STRING` and their kin. */
export type TelemetryEnvironment = Readonly<Record<string, string | undefined>>;

export interface TelemetryOptions {
  /** `service.name` unless `OTEL_SERVICE_NAME` says another. */
  readonly serviceName: string;
  readonly env: TelemetryEnvironment;
  readonly logger: Logger;
}

/** Something that holds telemetry back and must let go of it before the process ends. */
export interface TelemetryExport {
  /** Sends what is held, then stops. */
  close(): Promise<void>;
}

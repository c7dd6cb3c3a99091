/** Lines for the log of the process's OpenTelemetry SDK: Application Insights shows them as traces. */
import { contextOf, isTracing } from './spans.ts';
import type { RemoteSpan } from './trace-context.ts';

export interface LogRecord {
  readonly level: 'info' | 'error';
  readonly body: string;
  /** Epoch ms. */
  readonly at: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** What it belongs to; the active span of this process when it is left out. */
  readonly span?: RemoteSpan | undefined;
}

export type WriteLogRecord = (record: LogRecord) => void;

/** `undefined` when the process has no SDK, or one that takes no log records. */
export async function openLogRecords(scope: string): Promise<WriteLogRecord | undefined> {
  if (!isTracing()) return undefined;
  const { logs, SeverityNumber } = await import('@opentelemetry/api-logs');
  const logger = logs.getLogger(scope);
  if (!logger.enabled()) return undefined;
  const severities = { info: SeverityNumber.INFO, error: SeverityNumber.ERROR };
  return ({ level, body, at, attributes, span }) => {
    logger.emit({
      severityNumber: severities[level],
      severityText: level.toUpperCase(),
      ...{ body, timestamp: at, attributes },
      ...(span !== undefined && { context: contextOf(span) }),
    });
  };
}

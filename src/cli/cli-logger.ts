import { systemClock } from '../base/clock.ts';
import { createStreamLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';

export interface CliLoggerOptions {
  readonly level: LogLevel;
  readonly json: boolean;
  readonly stderr: (line: string) => void;
}

/** Log lines go to stderr: stdout belongs to results. */
export function createCliLogger({ level, json, stderr }: CliLoggerOptions): Logger {
  return createStreamLogger({
    level,
    format: json ? 'json' : 'text',
    write: (line) => {
      stderr(line.trimEnd());
    },
    now: () => systemClock.now(),
  });
}

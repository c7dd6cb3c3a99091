/** Fields of a log line. Names are fixed (docs/TERMS.md); never a payload, token or connection string. */
export type LogFields = Readonly<Record<string, unknown>>;

/** First argument a constant sentence, second the fields: lines can be grouped by their sentence. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger that leaves out what is below its level, which may be set while it is in use. */
export interface LevelledLogger extends Logger {
  level: LogLevel;
}

/** Whether the level of a logger can be read and set. */
export function isLevelled(logger: Logger): logger is LevelledLogger {
  return 'level' in logger && LOG_LEVELS.some((level) => level === logger.level);
}

export interface StreamLoggerOptions {
  /** The one to begin with. */
  readonly level: LogLevel;
  /** `json`: one object a line. `text`: for people. */
  readonly format: 'json' | 'text';
  readonly write: (line: string) => void;
  readonly now: () => number;
}

/** A logger that writes lines to a stream (stderr, as a rule: stdout belongs to results). */
export function createStreamLogger(options: StreamLoggerOptions): LevelledLogger {
  const format = options.format === 'json' ? formatJson : formatText;
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(logger.level)) return;
      options.write(`${format(level, message, fields, options.now())}\n`);
    };
  const logger: LevelledLogger = {
    level: options.level,
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
  return logger;
}

export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

function formatJson(level: LogLevel, message: string, fields: LogFields, now: number): string {
  const time = new Date(now).toISOString();
  return JSON.stringify({ time, level, message, ...mapFields(fields) });
}

function formatText(level: LogLevel, message: string, fields: LogFields, now: number): string {
  const time = new Date(now).toISOString().slice(11, 23);
  const rest = Object.entries(mapFields(fields))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('');
  return `${time} ${level.padEnd(5)} ${message}${rest}`;
}

/** Errors do not survive JSON: keep what helps, the message and the chain of causes. */
function mapFields(fields: LogFields): LogFields {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, value instanceof Error ? describeError(value) : value]),
  );
}

/** `Name: message`, then each cause: what a log line or an error page may say of an error. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own} (cause: ${describeError(error.cause)})`;
}

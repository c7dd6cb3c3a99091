import { format } from 'node:util';
import type { LogHandler } from '@azure/functions';
import { describeError, silentLogger } from '../telemetry/logger.ts';
import type { LogFields, Logger } from '../telemetry/logger.ts';
import { loadCoreModule } from './core-module.ts';
import type { CoreModule } from './core-module.ts';

/** A logger that writes into the host's system log; silent outside a host. */
export function createHostLogger(core: CoreModule | undefined): Logger {
  if (core?.log === undefined) return silentLogger;
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      core.log?.(level, 'system', `[durabletask] ${message}${formatFields(fields)}`);
    };
  return { debug: at('debug'), info: at('information'), warn: at('warning'), error: at('error') };
}

/**
 * What `context.log` of a durable function does: one line of the user's log, prefixed with the
 * function's name since the host does not know the invocation. Outside a host, the console.
 */
export function createUserLogHandler(functionName: string): LogHandler {
  const core = loadCoreModule();
  return (level, ...args) => {
    const line = `[${functionName}] ${format(...args)}`;
    // eslint-disable-next-line no-restricted-globals -- as the library itself does outside a host
    if (core?.log === undefined) console.log(line);
    else core.log(level, 'user', line);
  };
}

function formatFields(fields: LogFields): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${textOf(value)}`)
    .join('');
}

function textOf(value: unknown): string {
  if (value instanceof Error) return describeError(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

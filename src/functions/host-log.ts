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
 * function's name since the host does not know the invocation. `undefined` outside a host, where the
 * library's own fallback (the console) serves.
 */
export function createUserLogHandler(functionName: string): LogHandler | undefined {
  const core = loadCoreModule();
  if (core?.log === undefined) return undefined;
  return (level, ...args) => {
    core.log?.(level, 'user', `[${functionName}] ${format(...args)}`);
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

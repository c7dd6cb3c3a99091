import { availableParallelism } from 'node:os';
import { parseConnectionString } from '../config/connection-string.ts';
import type { ConnectionString } from '../config/connection-string.ts';
import {
  DURABLE_SECTION as DURABLE,
  readConnectionName,
  readHubName,
} from '../config/durable-task-hub.ts';
import { readHostJson } from '../config/host-json.ts';
import type { AppSettings, HostJson } from '../config/host-json.ts';
import { readLogFilter } from '../config/log-filter.ts';
import type { LogFilter } from '../config/log-filter.ts';
import { invalidArgument } from '../core/errors.ts';
import { idleSettings } from './host-settings.ts';
import type { IdleSetting } from './host-settings.ts';
import { VersionFailureStrategy, VersionMatchStrategy } from '../worker/versioning.ts';
import type { VersioningOptions } from '../worker/versioning.ts';

/** Everything that host.json and the app settings say to the extension, with defaults filled in. */
export interface ExtensionSettings {
  /** The app setting that holds the connection string. */
  readonly connectionName: string;
  readonly connection: ConnectionString;
  readonly taskHub: string;
  readonly maxConcurrentOrchestrations: number;
  readonly maxConcurrentActivities: number;
  readonly maxConcurrentEntities: number;
  /** Actions that one turn may ask for. */
  readonly actionsMax: number | undefined;
  /** Orchestrators kept in memory between turns: 0, or `undefined` for the worker's default. */
  readonly cachedOrchestrationsMax: number | undefined;
  readonly cachedOrchestrationIdleMs: number | undefined;
  /** How long a call of the client may take. */
  readonly requestTimeoutMs: number | undefined;
  /** Version of new instances and sub-orchestrations; `undefined` for none. */
  readonly defaultVersion: string | undefined;
  /** Which versions the worker runs: `versionMatchStrategy` and `versionFailureStrategy`. */
  readonly versioning: VersioningOptions;
  /** Between the polls of `callHttp` where the server does not say. */
  readonly httpSleepMs: number;
  /** Whether `context.log` of orchestrators writes while they replay, too. */
  readonly logsReplays: boolean;
  /** Whether a start with the id of a live instance replaces it. */
  readonly mayReplaceRunning: boolean;
  /** Whether spans go where the app settings say. */
  readonly isTraced: boolean;
  /** `logging.logLevel`. */
  readonly logFilter: LogFilter;
  readonly http: HttpSettings;
  /** What host.json says in vain. */
  readonly idle: readonly IdleSetting[];
}

/** What the extension needs to know of the way its HTTP functions are reached. */
export interface HttpSettings {
  /** Between the origin and the routes, without slashes; may be empty. */
  readonly routePrefix: string;
  readonly usesForwardedHost: boolean;
  /** Where the app answers when no request says it: `https://name.azurewebsites.net`. */
  readonly ownOrigin: string;
}

export interface ReadSettingsOptions {
  /** The function app's root, absolute. */
  readonly appDir: string;
  readonly env: AppSettings;
}

const CONCURRENCY_PER_CORE = 10;

/**
 * Reads host.json and the settings that it names. Throws INVALID_ARGUMENT, saying where and what to
 * write instead, for a storage provider that is not a scheduler, a missing connection string, and
 * values of the wrong kind.
 */
export function readSettings({ appDir, env }: ReadSettingsOptions): ExtensionSettings {
  const host = readHostJson({ appDir, env });
  assertSchedulerProvider(host);
  const connectionName = readConnectionName(host);
  const hubName = readHubName(host);
  const connection = readConnection({ connectionName, hubName, env });
  const concurrency = (name: string): number =>
    shareOf(readWhole(host, name, CONCURRENCY_PER_CORE * availableParallelism()), env);
  return {
    connectionName,
    connection,
    taskHub: connection.taskHub,
    maxConcurrentOrchestrations: concurrency('maxConcurrentOrchestratorFunctions'),
    maxConcurrentActivities: concurrency('maxConcurrentActivityFunctions'),
    maxConcurrentEntities: concurrency('maxConcurrentEntityFunctions'),
    defaultVersion: host.text(`${DURABLE}.defaultVersion`),
    versioning: readVersioning(host),
    httpSleepMs: readWhole(host, 'httpSettings.defaultAsyncRequestSleepTimeMilliseconds', 30_000),
    logsReplays: env['DURABLETASK_LOG_REPLAYS']?.toLowerCase() === 'on',
    mayReplaceRunning:
      host.text(`${DURABLE}.overridableExistingInstanceStates`)?.toLowerCase() === 'anystate',
    isTraced: host.flag(`${DURABLE}.tracing.distributedTracingEnabled`) ?? true,
    logFilter: readLogFilter(host),
    http: readHttpSettings(host, env),
    ...readLimits(host),
    idle: idleSettings(host),
  };
}

/** What the worker or client has a default for. */
function readLimits(
  host: HostJson,
): Pick<
  ExtensionSettings,
  'actionsMax' | 'cachedOrchestrationsMax' | 'cachedOrchestrationIdleMs' | 'requestTimeoutMs'
> {
  const isKept = host.flag(`${DURABLE}.extendedSessionsEnabled`) ?? true;
  const idleName = 'extendedSessionIdleTimeoutInSeconds';
  const idleSeconds = readOptional(host, idleName);
  return {
    actionsMax: readOptional(host, 'maxOrchestrationActions'),
    cachedOrchestrationsMax: isKept ? undefined : 0,
    cachedOrchestrationIdleMs: idleSeconds === undefined ? undefined : idleSeconds * 1000,
    requestTimeoutMs: readTimeSpan(host, 'grpcHttpClientTimeout'),
  };
}

function readOptional(host: HostJson, name: string): number | undefined {
  return host.number(`${DURABLE}.${name}`) === undefined ? undefined : readWhole(host, name, 1);
}

/** A .NET time span: `[d.]hh:mm[:ss[.fff]]`. */
function readTimeSpan(host: HostJson, name: string): number | undefined {
  const path = `${DURABLE}.${name}`;
  const text = host.text(path);
  if (text === undefined) return undefined;
  const [, days = 0, hours = 0, minutes = 0, seconds = 0] =
    /^(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/.exec(text.trim()) ?? [];
  const ms =
    (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  if (ms > 0) return Math.round(ms);
  throw invalidArgument(
    `${host.file}: ${path} must be a time span like "00:01:40", got "${text}".`,
  );
}

/** Without a `defaultVersion` there is nothing to compare with: every version is run. */
function readVersioning(host: HostJson): VersioningOptions {
  const version = host.text(`${DURABLE}.defaultVersion`);
  return {
    version,
    defaultVersion: version,
    matchStrategy: readMember(host, 'versionMatchStrategy', VersionMatchStrategy, 'CurrentOrOlder'),
    failureStrategy: readMember(host, 'versionFailureStrategy', VersionFailureStrategy, 'Reject'),
  };
}

/** A value by its name, in any case. */
function readMember<T extends Readonly<Record<string, number>>>(
  host: HostJson,
  name: string,
  members: T,
  byDefault: keyof T & string,
): T[keyof T] {
  const path = `${DURABLE}.${name}`;
  const text = host.text(path) ?? byDefault;
  const member = Object.keys(members).find((known) => known.toLowerCase() === text.toLowerCase());
  if (member !== undefined) return members[member] as T[keyof T];
  throw invalidArgument(
    `${host.file}: ${path} must be one of ${Object.keys(members).join(', ')}, got "${text}".`,
  );
}

function assertSchedulerProvider(host: HostJson): void {
  const path = `${DURABLE}.storageProvider.type`;
  const type = host.text(path);
  if (type?.toLowerCase() === 'azuremanaged') return;
  throw invalidArgument(
    `${host.file}: ${path} must be "azureManaged", got ${type === undefined ? 'nothing' : `"${type}"`}. ` +
      'This extension keeps its state in a Durable Task Scheduler; write ' +
      '"extensions": {"durableTask": {"storageProvider": {"type": "azureManaged"}}}.',
  );
}

interface ReadConnectionOptions {
  readonly connectionName: string;
  /** From host.json, where it wins over the connection string's own hub. */
  readonly hubName: string | undefined;
  readonly env: AppSettings;
}

function readConnection({ connectionName, hubName, env }: ReadConnectionOptions): ConnectionString {
  const text = env[connectionName];
  if (text === undefined || text.trim() === '') {
    throw invalidArgument(
      `The app setting "${connectionName}" is missing: it holds the connection string of the task ` +
        'hub (host.json names it in extensions.durableTask.storageProvider.connectionStringName). ' +
        'Example: Endpoint=http://localhost:8080;TaskHub=default;Authentication=None',
    );
  }
  const connection = parseConnectionString(text, { defaultTaskHub: hubName });
  return hubName === undefined ? connection : { ...connection, taskHub: hubName };
}

function readWhole(host: HostJson, name: string, byDefault: number): number {
  const path = `${DURABLE}.${name}`;
  const value = host.number(path) ?? byDefault;
  if (Number.isInteger(value) && value > 0) return value;
  throw invalidArgument(`${host.file}: ${path} must be a whole number above 0, got ${value}.`);
}

/** The settings speak of a whole host; each of its worker processes opens a stream of its own. */
function shareOf(limit: number, env: AppSettings): number {
  const count = Number(env['FUNCTIONS_WORKER_PROCESS_COUNT'] ?? 1);
  return Number.isInteger(count) && count > 1 ? Math.max(1, Math.floor(limit / count)) : limit;
}

function readHttpSettings(host: HostJson, env: AppSettings): HttpSettings {
  const prefix = host.text('extensions.http.routePrefix') ?? 'api';
  return {
    routePrefix: prefix.replace(/^\/+|\/+$/g, ''),
    usesForwardedHost: host.flag(`${DURABLE}.httpSettings.useForwardedHost`) ?? false,
    ownOrigin: ownOrigin(env['WEBSITE_HOSTNAME']),
  };
}

function ownOrigin(hostname: string | undefined): string {
  if (hostname === undefined || hostname === '' || hostname.includes('0.0.0.0')) {
    return 'http://localhost:7071';
  }
  const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i.test(hostname);
  return `${isLocal ? 'http' : 'https'}://${hostname}`;
}

/** The function app's root: what the host says, the folder that the worker was started in otherwise. */
export function functionAppDir(env: AppSettings, told?: string): string {
  const named = told ?? env['AzureWebJobsScriptRoot'];
  return named === undefined || named === '' ? process.cwd() : named;
}

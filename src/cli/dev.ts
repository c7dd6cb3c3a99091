import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../base/clock.ts';
import {
  formatConnectionString,
  parseConnectionString,
  type ConnectionString,
} from '../config/connection-string.ts';
import { ConfigError } from '../config/load-server-config.ts';
import type { ServerConfig } from '../config/server-config.ts';
import { TaskHubError } from '../core/errors.ts';
import type { DevHost } from '../devhost/dev-host.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { EXIT, type CliContext } from './cli-context.ts';
import { createCliLogger } from './cli-logger.ts';
import { readDevApp, type DevApp } from './dev-app.ts';
import { describeStorage, readyLine, summary } from './ready.ts';
import { openConfiguredScheduler } from './start.ts';
import { stopped } from './stop-signal.ts';

export interface DevFlags {
  readonly json?: true;
  readonly connection?: string;
  /** False with `--no-register`. */
  readonly register: boolean;
  readonly watch?: true;
  readonly inspect?: true | number;
}

export interface DevOptions {
  readonly config: ServerConfig;
  readonly appDir: string;
  readonly flags: DevFlags;
}

/** The scheduler that the app talks to: started here, or somebody else's. */
interface DevScheduler {
  readonly grpc: string;
  readonly http: string | undefined;
  readonly taskHubs: readonly string[];
  /** What the app's connection setting is set to. */
  readonly connection: string;
  readonly storage: string;
  close(): Promise<void>;
}

/** `durabletask dev`: a scheduler and a local Functions host for one app, until told to stop. */
export async function runDev(options: DevOptions, context: CliContext): Promise<number> {
  const { config, flags } = options;
  const json = flags.json === true;
  const logger = createCliLogger({ level: config.logLevel, json, stderr: context.stderr });
  const appDir = resolve(context.cwd, options.appDir);
  const app = readDevApp(appDir, context.env);
  const scheduler =
    flags.connection === undefined
      ? await startScheduler({ config, app, logger }, context.env)
      : await attachScheduler(flags.connection, app, logger);
  try {
    const host = await openHost({ ...options, appDir }, { app, scheduler, logger }, context);
    if (host === undefined) return EXIT.ok;
    try {
      announce({ host, scheduler, json }, context);
      const ended = await Promise.race([host.closed, stopped(context.stop)]);
      if (ended?.error === undefined) return EXIT.ok;
      context.stderr(`durabletask: ${ended.error.message}`);
      return EXIT.failed;
    } finally {
      await host.close();
    }
  } finally {
    await scheduler.close();
  }
}

interface StartSchedulerOptions {
  readonly config: ServerConfig;
  readonly app: DevApp;
  readonly logger: Logger;
}

async function startScheduler(
  { config, app, logger }: StartSchedulerOptions,
  env: CliContext['env'],
): Promise<DevScheduler> {
  const taskHubs = [...new Set([...config.taskHubs, app.taskHub])];
  const withHub = { ...config, taskHubs };
  const { scheduler, close } = await openConfiguredScheduler(withHub, logger, { env });
  const { grpcEndpoint } = scheduler;
  return {
    grpc: grpcEndpoint,
    http: scheduler.httpEndpoint,
    taskHubs: scheduler.taskHubs,
    connection: `Endpoint=${grpcEndpoint};TaskHub=${app.taskHub};Authentication=None`,
    storage: describeStorage(config.storage),
    close,
  };
}

/** gRPC status UNAVAILABLE: nothing answers at the address. */
const NOBODY_THERE = 14;

async function attachScheduler(
  connectionString: string,
  app: DevApp,
  logger: Logger,
): Promise<DevScheduler> {
  const parsed = readConnection(connectionString, app);
  const connection = formatConnectionString(parsed);
  const { TaskHubClient, TimeoutError } = await import('../client/index.ts');
  const client = TaskHubClient.open({ connectionString: connection });
  try {
    await client.createTaskHub();
  } catch (error) {
    if (error instanceof TimeoutError) throw nobodyThere(parsed.endpoint, error);
    if (!(error instanceof TaskHubError)) throw error;
    const { code } = (error.cause ?? {}) as { readonly code?: unknown };
    if (code === NOBODY_THERE) throw nobodyThere(parsed.endpoint, error);
    // Many schedulers do not let their clients make hubs: then it must be there already.
    logEvent(logger, 'hubNotMade', { error });
  } finally {
    await client.close();
  }
  return {
    grpc: parsed.endpoint,
    http: undefined,
    taskHubs: [parsed.taskHub],
    connection,
    storage: 'of the scheduler that --connection names',
    close: () => Promise.resolve(),
  };
}

function nobodyThere(endpoint: string, cause: Error): TaskHubError {
  return new TaskHubError(
    'UNAVAILABLE',
    `No scheduler answers at ${endpoint}; start one there, or leave out --connection to have one started.`,
    { cause },
  );
}

function readConnection(connectionString: string, app: DevApp): ConnectionString {
  try {
    const parsed = parseConnectionString(connectionString, { defaultTaskHub: app.taskHub });
    return app.hubName === undefined ? parsed : { ...parsed, taskHub: app.hubName };
  } catch (error) {
    if (!(error instanceof TaskHubError)) throw error;
    throw new ConfigError([`--connection: ${error.message}`], { cause: error });
  }
}

interface HostParts {
  readonly app: DevApp;
  readonly scheduler: DevScheduler;
  readonly logger: Logger;
}

async function openHost(
  { config, appDir, flags }: DevOptions,
  { app, scheduler, logger }: HostParts,
  context: CliContext,
): Promise<DevHost | undefined> {
  const { openDevHost } = await import('../devhost/dev-host.ts');
  const prefix = app.routePrefix === '' ? '' : `/${app.routePrefix}`;
  const opening = openDevHost({
    appDir,
    port: config.functionsPort,
    host: config.host,
    env: { [app.connectionName]: scheduler.connection },
    preloads: flags.register ? [registerUrl()] : [],
    // Links that Functions apps and scripts know by heart are served where the app has them.
    pathAliases: { '/runtime/webhooks/durabletask': `${prefix}/durabletask` },
    watch: flags.watch === true,
    inspect: flags.inspect,
    logger,
    clock: systemClock,
    // With --json the first line on stdout is the ready line, whatever the app prints.
    output: flags.json === true ? context.stderr : context.stdout,
  });
  try {
    return await opening;
  } catch (error) {
    // Ctrl+C reaches the app too: that it ended while it was loading is then no failure.
    if (context.stop.aborted) return undefined;
    throw error;
  }
}

/** The preload beside this file: TypeScript in a checkout, JavaScript once built. */
function registerUrl(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const url = new URL(`../register/register.${extension}`, import.meta.url);
  if (existsSync(fileURLToPath(url))) return url.href;
  throw new TaskHubError('UNAVAILABLE', `${url.href} is missing; install the package again.`);
}

interface Announcement {
  readonly host: DevHost;
  readonly scheduler: DevScheduler;
  readonly json: boolean;
}

function announce({ host, scheduler, json }: Announcement, { stdout, stop }: CliContext): void {
  if (stop.aborted) return;
  const { grpc, http, taskHubs } = scheduler;
  if (json) {
    stdout(readyLine({ grpc, http, functions: host.url, taskHubs }));
    return;
  }
  const rows: [string, string][] = [
    ['Functions', host.url],
    ['gRPC', grpc],
    ['Task hubs', taskHubs.join(', ')],
    ['Storage', scheduler.storage],
  ];
  if (http !== undefined) rows.splice(2, 0, ['Dashboard', `${http}/`]);
  stdout(summary('The app and its scheduler are ready.', rows));
}

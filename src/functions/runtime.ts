import type { HttpRequest, TraceContext } from '@azure/functions';
import type { TaskHubOptions } from 'durable-functions';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { systemIds } from '../base/ids.ts';
import { TaskHubClient } from '../client/task-hub-client.ts';
import { formatConnectionString, parseConnectionString } from '../config/connection-string.ts';
import type { ConnectionString } from '../config/connection-string.ts';
import type { AppSettings } from '../config/host-json.ts';
import { invalidArgument } from '../core/errors.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { openApplicationInsights } from '../telemetry/application-insights.ts';
import type { Logger } from '../telemetry/logger.ts';
import { openLogRecords } from '../telemetry/log-records.ts';
import { observeMetrics } from '../telemetry/observed-metrics.ts';
import { openOtlp } from '../telemetry/otlp.ts';
import type { TelemetryExport } from '../telemetry/telemetry-export.ts';
import { TaskHubWorker } from '../worker/task-hub-worker.ts';
import { addAppFunctions, unknownText } from './app-functions.ts';
import { loadCoreModule } from './core-module.ts';
import { DurableClient } from './durable-client.ts';
import { appSettings } from './environment.ts';
import { createHostLogger } from './host-log.ts';
import { readManagementAccess } from './management/access.ts';
import type { ManagementAccess } from './management/access.ts';
import type { ManagementOptions } from './management/options.ts';
import { createLinks } from './management/links.ts';
import type { ManagementLinks } from './management/links.ts';
import { durableRegistry, hasOrchestrator, processWide } from './registry.ts';
import { APP_METRICS, ScaleMonitor } from './scale/monitor.ts';
import { Tracker, TRACKING_CATEGORY } from './tracking/tracker.ts';
import { functionAppDir, readSettings } from './settings.ts';
import type { ExtensionSettings } from './settings.ts';

export interface ExtensionRuntimeOptions {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
  /** Read at each use: Azure replaces the environment before an app loads. */
  readonly env: () => AppSettings;
}

/** The worker, and a way to tell it of functions that were registered since. */
interface Serving {
  readonly worker: TaskHubWorker;
  readonly addMissing: () => void;
}

/** How long work in hand is waited for when the app ends; the host kills after 5 s. */
const DRAIN_MS = 3_000;
const STOP_MS = 4_000;

/**
 * The extension in one worker process: its settings, one client for each (connection, hub), and the
 * worker that runs the app's durable functions. Everything is made at first use.
 */
export class ExtensionRuntime {
  readonly #options: ExtensionRuntimeOptions;
  readonly #clients = new Map<string, TaskHubClient>();
  #appDir: string | undefined;
  #settings: ExtensionSettings | undefined;
  #access: ManagementAccess | undefined;
  #durableClient: DurableClient | undefined;
  #serving: Serving | undefined;
  readonly #scale: ScaleMonitor;
  #telemetry: TelemetryExport | undefined;
  #stopListening: () => void = () => undefined;
  #stopObserving: () => void = () => undefined;
  #tracker: Tracker | undefined;

  constructor(options: ExtensionRuntimeOptions) {
    this.#options = options;
    this.#scale = new ScaleMonitor({
      clock: options.clock,
      client: () => this.taskHubClient(),
      taskHub: () => this.settings.taskHub,
      perWorker: () => ({
        orchestrations: this.settings.maxConcurrentOrchestrations,
        activities: this.settings.maxConcurrentActivities,
        entities: this.settings.maxConcurrentEntities,
      }),
      worker: () => this.#serving?.worker,
    });
  }

  /** host.json and app settings, read once. Throws INVALID_ARGUMENT each time they are wrong. */
  get settings(): ExtensionSettings {
    const env = this.#options.env();
    this.#settings ??= readSettings({ appDir: functionAppDir(env, this.#appDir), env });
    return this.#settings;
  }

  /** Which management routes exist, and what makes their links secret. */
  get access(): ManagementAccess {
    this.#access ??= readManagementAccess(this.#options.env());
    return this.#access;
  }

  /**
   * Takes up work for the app's durable functions, without waiting for the scheduler: an app must
   * not start slower, or not at all, because of it. An app that registered none only gets clients.
   */
  async start(appDir: string | undefined): Promise<void> {
    this.#appDir = appDir;
    this.#settings = undefined;
    const { settings } = this;
    for (const { setting, reason } of settings.idle) {
      logEvent(this.#options.logger, 'settingIgnored', {
        ...{ setting: `extensions.durableTask.${setting}`, reason },
      });
    }
    // Before work is taken up: what it begins is to be seen whole.
    if (settings.isTraced) await this.#openTelemetry();
    // The app's own appStart hooks come after ours, and may register more.
    this.#stopListening();
    const serve = (): void => this.#serve(settings);
    durableRegistry().listeners.add(serve);
    this.#stopListening = () => durableRegistry().listeners.delete(serve);
    serve();
  }

  /** Takes up work as soon as there is a durable function, and adds those that were registered since. */
  #serve(settings: ExtensionSettings): void {
    const { orchestrators, activities, entities } = durableRegistry();
    const { logger } = this.#options;
    if (orchestrators.size + activities.size + entities.size === 0) {
      logEvent(logger, 'noDurableFunctions');
      return;
    }
    this.#serving ??= this.#startWorker(settings);
    this.#serving.addMissing();
    logEvent(logger, 'functionsServed', {
      taskHub: settings.taskHub,
      orchestrations: [...orchestrators.keys()].join(','),
      activities: [...activities.keys()].join(','),
      entities: [...entities.keys()].join(','),
    });
  }

  /** Ends work and connections within 4 s; what is not done by then is redelivered elsewhere. */
  async stop(): Promise<void> {
    const { clock, logger } = this.#options;
    const patience = new AbortController();
    const deadline = clock.sleepUntil(clock.now() + STOP_MS, { signal: patience.signal }).then(
      () => {
        logEvent(logger, 'workerStopLate');
      },
      // Aborted below: everything was done in time.
      () => undefined,
    );
    try {
      await Promise.race([this.#close(), deadline]);
    } finally {
      patience.abort();
      await deadline;
    }
  }

  /** The durable client of this app's own hub; what it starts goes on from `trace` if there is one. */
  durableClient(trace?: TraceContext): DurableClient {
    if (trace !== undefined) return this.#createClient(trace);
    this.#durableClient ??= this.#createClient();
    return this.#durableClient;
  }

  #createClient(trace?: TraceContext): DurableClient {
    return new DurableClient({
      taskHubName: this.settings.taskHub,
      client: this.taskHubClient(),
      linksFor: (instanceId, request) => this.linksFor(instanceId, request),
      openOther: (options) => this.taskHubClient(options),
      mayReplaceRunning: this.settings.mayReplaceRunning,
      trace: trace && { traceParent: trace.traceParent, traceState: trace.traceState },
    });
  }

  /** The client of a hub: this app's own, or another hub or connection setting by name. */
  taskHubClient({ taskHubName, connectionName }: TaskHubOptions = {}): TaskHubClient {
    const own = connectionName === undefined || connectionName === this.settings.connectionName;
    const base = own ? this.settings.connection : this.#connectionOf(connectionName);
    const connectionString = formatConnectionString(
      taskHubName === undefined ? base : { ...base, taskHub: taskHubName },
    );
    const known = this.#clients.get(connectionString);
    if (known !== undefined) return known;
    const { clock, ids } = this.#options;
    const { defaultVersion, requestTimeoutMs } = this.settings;
    const client = TaskHubClient.open({
      ...{ connectionString, clock, ids, defaultVersion, requestTimeoutMs },
    });
    this.#clients.set(connectionString, client);
    return client;
  }

  /** The management links of an instance, as the caller of `request` may use them. */
  linksFor(instanceId: string, request: HttpRequest | undefined): ManagementLinks {
    const { http, taskHub, connectionName } = this.settings;
    const { secret, linkTtlMs } = this.access;
    return createLinks(instanceId, {
      http,
      taskHub,
      connectionName,
      secrets: { secret, ttlMs: linkTtlMs },
      now: this.#options.clock.now(),
      request,
    });
  }

  /** What the management endpoints work with. */
  get management(): ManagementOptions {
    const { clock, logger } = this.#options;
    return {
      client: this.taskHubClient(),
      scale: this.#scale,
      taskHub: this.settings.taskHub,
      linksFor: (instanceId, request) => this.linksFor(instanceId, request),
      hasOrchestrator,
      secret: this.access.secret,
      clock,
      logger,
    };
  }

  get logger(): Logger {
    return this.#options.logger;
  }

  /** Where the app settings say; an app that set its own up has done so while it was loaded. */
  async #openTelemetry(): Promise<void> {
    const { env, logger } = this.#options;
    const options = { serviceName: env()['WEBSITE_SITE_NAME'] ?? 'functions', env: env(), logger };
    this.#telemetry = (await openApplicationInsights(options)) ?? (await openOtlp(options));
    const write = await openLogRecords(TRACKING_CATEGORY);
    const { clock } = this.#options;
    const { taskHub, logFilter: filter } = this.settings;
    this.#tracker = write && new Tracker({ write, clock, taskHub, env: env(), filter });
    this.#stopObserving = observeMetrics(APP_METRICS, () => this.#scale.readings());
  }

  #connectionOf(connectionName: string): ConnectionString {
    const text = this.#options.env()[connectionName];
    if (text !== undefined && text !== '') {
      return parseConnectionString(text, { defaultTaskHub: this.settings.taskHub });
    }
    throw invalidArgument(
      `The app setting "${connectionName}" (connectionName) is missing: it must hold the connection ` +
        'string of a scheduler.',
    );
  }

  #startWorker(settings: ExtensionSettings): Serving {
    const { clock, ids, logger } = this.#options;
    const worker = new TaskHubWorker({
      connectionString: formatConnectionString(settings.connection),
      maxConcurrentOrchestrations: settings.maxConcurrentOrchestrations,
      maxConcurrentActivities: settings.maxConcurrentActivities,
      maxConcurrentEntities: settings.maxConcurrentEntities,
      // The host compares function names so, and apps that ran under it may rely on it.
      ignoresNameCase: true,
      unknownText,
      versioning: settings.versioning,
      actionsMax: settings.actionsMax,
      cachedOrchestrationsMax: settings.cachedOrchestrationsMax,
      cachedOrchestrationIdleMs: settings.cachedOrchestrationIdleMs,
      drainTimeoutMs: DRAIN_MS,
      clock,
      ids,
      logger,
    });
    const functions = durableRegistry();
    const addMissing = addAppFunctions(worker, {
      ...{ functions, ...settings, clock, ids },
      tracker: this.#tracker,
    });
    // Resolves at once: what it can reject with is that it was stopped before.
    worker.start().catch((error: unknown) => logEvent(logger, 'workerStartFailed', { error }));
    return { worker, addMissing };
  }

  async #close(): Promise<void> {
    this.#stopListening();
    this.#stopObserving();
    await this.#serving?.worker.stop();
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    this.#clients.clear();
    // Last: what ended just now is to be seen.
    await this.#telemetry?.close();
    this.#telemetry = undefined;
    this.#serving = undefined;
    this.#durableClient = undefined;
  }
}

/** The runtime of this process, shared by every copy of this package in it. */
export function extensionRuntime(): ExtensionRuntime {
  return processWide('runtime', () => {
    const logger = createHostLogger(loadCoreModule());
    return new ExtensionRuntime({
      clock: systemClock,
      ids: systemIds,
      logger,
      env: appSettings,
    });
  });
}

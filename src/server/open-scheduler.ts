import { systemClock, type Clock } from '../base/clock.ts';
import { systemIds, type IdSource } from '../base/ids.ts';
import { completeServerConfig } from '../config/load-server-config.ts';
import type { ServerConfig } from '../config/server-config.ts';
import type { PayloadLimits } from '../core/limits.ts';
import type { PostgresLimits } from '../core/postgres-limits.ts';
import type { AssigneeType, Role } from '../core/roles.ts';
import { Scheduler } from '../scheduler/scheduler.ts';
import { SharedClock } from '../scheduler/shared-clock.ts';
import { DEFAULT_SCHEDULER_SETTINGS, type SchedulerSettings } from '../scheduler/settings.ts';
import { logEvent } from '../telemetry/log-events.ts';
import { createStreamLogger, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { METRICS } from '../telemetry/metrics.ts';
import { observeMetrics } from '../telemetry/observed-metrics.ts';
import { readingsOf } from './scale/metrics.ts';
import type { ConfigSources } from '../config/shown-config.ts';
import { closeInOrder } from './close-in-order.ts';
import { openSecurity, type Security } from './auth/security.ts';
import { openDoors, type Doors } from './doors.ts';

/** A role for somebody, on one task hub or all of them. */
export interface RoleAssignmentOption {
  /** Short, or the product's name or id of the role. */
  readonly role: Role | (string & {});
  readonly assignee: string;
  /** Default `principal`. */
  readonly assigneeType?: AssigneeType | undefined;
  readonly taskHub?: string | undefined;
  /** Needed when there are several. */
  readonly issuer?: string | undefined;
}

/** What `durabletask start` takes, with the same defaults; each may be left out. */
export interface OpenSchedulerOptions {
  /** `memory`, `sqlite:<path>`, `postgres://…`. Default `sqlite:./.durabletask/scheduler.db`. */
  readonly storage?: string | undefined;
  /** Created when missing. Default `['default']`. Hubs already in the store are always served. */
  readonly taskHubs?: readonly string[] | undefined;
  /** Default 8080; 0 picks a free one. */
  readonly grpcPort?: number | undefined;
  /** Default 8082; 0 picks a free one. */
  readonly httpPort?: number | undefined;
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** Certificate chain of both ports and its key, as paths of PEM files; with them both speak TLS. */
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  /** Mutual TLS: only clients with a certificate of this CA come in; a path. */
  readonly tlsClientCa?: string | undefined;
  /** OIDC issuers whose bearer tokens count; with one, every call needs a token. */
  readonly authIssuers?: readonly string[] | undefined;
  /** Audiences that a token must be for one of. Default `['https://durabletask.io']`. */
  readonly authAudiences?: readonly string[] | undefined;
  /** How far the clocks of issuers may be off. Default 60,000. */
  readonly authClockSkewMs?: number | undefined;
  /** Role assignments there are from the start. */
  readonly roleAssignments?: readonly RoleAssignmentOption[] | undefined;
  /** Permits a `host` beyond loopback although there is neither TLS nor authentication. */
  readonly allowInsecure?: boolean | undefined;
  /** Lets `CreateTaskHub` with `recreateIfExists` wipe an existing hub. */
  readonly allowHubRecreate?: boolean | undefined;
  /** Host names, beside those of loopback, that HTTP requests may name. */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Largest gRPC message accepted, in bytes. Default 64 MiB. */
  readonly grpcReceiveBytesMax?: number | undefined;
  /** Largest payloads in bytes by kind; those left out are 1 MiB. */
  readonly payloadLimits?: Partial<PayloadLimits> | undefined;
  /** Starts, signals and events that a task hub may ask for in a second; `*` stands for all others. Default: no limit. */
  readonly hubRateLimits?: Readonly<Record<string, number>> | undefined;
  /** Connections to PostgreSQL and patience with it; those left out have their defaults. */
  readonly postgresLimits?: Partial<PostgresLimits> | undefined;
  /** Of the log on stderr; without effect beside `logger`. Default `info`. */
  readonly logLevel?: LogLevel | undefined;
  /** One with a `level` of ours can be set while it is in use (`PUT /api/v1/log-level`). */
  readonly logger?: Logger | undefined;
  readonly clock?: Clock | undefined;
  readonly ids?: IdSource | undefined;
  /** Where each option came from, for the settings page. Default: from the caller. */
  readonly configSources?: ConfigSources | undefined;
}

/** A scheduler that serves. */
export interface RunningScheduler extends AsyncDisposable {
  /** `http://127.0.0.1:8080`: what goes into a connection string. */
  readonly grpcEndpoint: string;
  readonly httpEndpoint: string;
  /** All that are served now, those made since it opened included. */
  readonly taskHubs: readonly string[];
  /**
   * Refuses new work, ends the workers' streams with OK, waits a bounded time for the work they
   * have in hand, and closes the store. May be called again; always waits for the end.
   */
  close(): Promise<void>;
}

const DEPENDENCIES = ['logger', 'clock', 'ids', 'configSources'] as const;

/** How long the engine may wait for leased work, beyond its own deadline, before it is left behind. */
const ENGINE_CLOSE_MAX_MS = 30_000;
/** How long calls in flight may take to end once there is nothing left to wait for. */
const DOORS_GRACE_MS = 3_000;

/**
 * Opens the store, creates missing task hubs and listens on both ports. Whatever was opened is
 * closed again when a later step fails.
 *
 * @throws TaskHubError INVALID_ARGUMENT with every wrong option; UNAVAILABLE in one sentence when a
 *   port or the store cannot be had.
 */
export async function openScheduler(options: OpenSchedulerOptions = {}): Promise<RunningScheduler> {
  const config = completeServerConfig({ ...options }, DEPENDENCIES);
  const local = options.clock ?? systemClock;
  const ids = options.ids ?? systemIds;
  const logger = options.logger ?? stderrLogger(config.logLevel, local);

  // The store's driver is loaded only by who runs a scheduler.
  const { openStore } = await import('../storage/open-store.ts');
  const store = await openStore({
    ...{ storage: config.storage, logger, clock: local, ids },
    ...{ limits: config.payloadLimits, postgresLimits: config.postgresLimits },
  });
  let clock: SharedClock | undefined;
  let engine: Scheduler | undefined;
  let security: Security | undefined;
  try {
    clock = await SharedClock.open({ store, local, logger });
    engine = await Scheduler.open({
      ...{ store, clock, ids, logger },
      settings: settingsOf(config),
    });
    await createMissingHubs(engine, config);
    security = await openSecurity({ config, store: store.roles, clock: local, ids, logger });
    const doors = await openDoors({
      ...{ engine, security, config, clock, logger },
      shown: { config, sources: options.configSources ?? {} },
    });
    const { figures } = engine.inspector;
    const stopObserving = observeMetrics(Object.values(METRICS), async () =>
      readingsOf(await figures.read()),
    );
    return running({ engine, security, doors, store, clock, logger, stopObserving });
  } catch (error) {
    // The first failure is the one to report; those of closing are logged.
    const opened = [security, engine, clock, store];
    await closeInOrder(
      opened.map((one) => () => one?.close()),
      { logger },
    ).catch(() => undefined);
    throw error;
  }
}

function settingsOf({ payloadLimits, hubRateLimits: hubRates }: ServerConfig): SchedulerSettings {
  return { ...DEFAULT_SCHEDULER_SETTINGS, payloadLimits, hubRates };
}

async function createMissingHubs(engine: Scheduler, { taskHubs }: ServerConfig): Promise<void> {
  for (const hub of taskHubs) {
    if (!engine.taskHubs().includes(hub)) await engine.createTaskHub(hub, { recreate: false });
  }
}

interface Opened {
  readonly engine: Scheduler;
  readonly doors: Doors;
  readonly security: Security;
  readonly store: { close(): Promise<void> };
  readonly stopObserving: () => void;
  readonly clock: SharedClock;
  readonly logger: Logger;
}

function running({
  engine,
  doors,
  security,
  store,
  clock,
  logger,
  stopObserving,
}: Opened): RunningScheduler {
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= (async () => {
      doors.beginDrain();
      await closeInOrder(
        [
          () => withDeadline(engine.close(), { clock, logger }),
          () => doors.close({ graceMs: DOORS_GRACE_MS }),
          () => security.close(),
          () => {
            stopObserving();
            return undefined;
          },
          () => clock.close(),
          () => store.close(),
        ],
        { logger },
      );
    })();
    return closing;
  };
  return {
    grpcEndpoint: doors.grpcEndpoint,
    httpEndpoint: doors.httpEndpoint,
    get taskHubs() {
      return engine.taskHubs();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function withDeadline(
  work: Promise<void>,
  { clock, logger }: Pick<Opened, 'clock' | 'logger'>,
): Promise<void> {
  const finished = new AbortController();
  const late = clock
    .sleepUntil(clock.now() + ENGINE_CLOSE_MAX_MS, { signal: finished.signal })
    .then(
      () => {
        logEvent(logger, 'engineStopLate', {
          durationMs: ENGINE_CLOSE_MAX_MS,
        });
      },
      () => undefined, // ended in time
    );
  try {
    await Promise.race([work, late]);
  } finally {
    finished.abort();
  }
}

function stderrLogger(level: LogLevel, clock: Clock): Logger {
  return createStreamLogger({
    level,
    format: 'text',
    write: (line) => process.stderr.write(line),
    now: () => clock.now(),
  });
}

/**
 * Every line that we write into a log, by name. An id means the same for ever: it is never given to another event and
 * never changed, so that alerts and queries may name it (docs/LOGS.md, written by `scripts/log-events.ts`).
 *
 * 6xx to 8xx are those of the other Durable Task SDKs for the same thing; beyond, the thousands tell the part:
 * 1 the scheduler's doors, 2 its engine and store, 3 the worker, 4 the Functions extension, 5 the command line and the
 * local Functions host, 6 telemetry.
 */
import type { LogFields, Logger } from './logger.ts';

export interface LogEvent {
  readonly id: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** The constant sentence of its lines. */
  readonly message: string;
  /** What it means for whoever reads the line, and what to do. */
  readonly meaning: string;
}

export const LOG_EVENTS = {
  workerConnected: {
    id: 700,
    level: 'info',
    message: 'connected to the scheduler',
    meaning: 'The worker has a stream of work items.',
  },
  workerTaskFailed: {
    id: 701,
    level: 'error',
    message: 'a worker task failed',
    meaning: 'A defect: something that handles its errors itself threw. Report it.',
  },
  connectionLost: {
    id: 704,
    level: 'warn',
    message: 'lost the connection to the scheduler, reconnecting',
    meaning:
      'The stream ended. Work goes on when it is back; what the worker held stays its own for a while.',
  },
  workGivenBack: {
    id: 708,
    level: 'warn',
    message: 'giving back work that was not done in time',
    meaning: 'The worker was told to stop and its drain time is over. Other workers get the work.',
  },
  schedulerOutOfReach: {
    id: 709,
    level: 'debug',
    message: 'the scheduler is still out of reach',
    meaning: 'Another attempt after connectionLost failed.',
  },
  workItemUnknown: {
    id: 724,
    level: 'warn',
    message: 'ignored a work item of an unknown kind',
    meaning: 'The scheduler is newer than the worker. Update the worker.',
  },
  versionRefused: {
    id: 730,
    level: 'warn',
    message: 'failed an orchestration of another version',
    meaning: 'As the failure strategy of the versioning settings says.',
  },
  versionGivenBack: {
    id: 731,
    level: 'warn',
    message: 'gave back an orchestration of another version',
    meaning: 'It waits for a worker of its version.',
  },
  workItemFailed: {
    id: 732,
    level: 'error',
    message: 'could not run a work item',
    meaning:
      'Not the function failed but the code around it. The item is given back and delivered again.',
  },
  completionRefused: {
    id: 733,
    level: 'warn',
    message: 'the scheduler did not take a completion',
    meaning: 'The item is given back and delivered again; the error says why.',
  },
  drainRefused: {
    id: 734,
    level: 'debug',
    message: 'the scheduler does not keep the stream of a worker that leaves',
    meaning: 'What it has in hand is waited for during the grace period only.',
  },
  entityNotRegistered: {
    id: 802,
    level: 'warn',
    message: 'no such entity is registered',
    meaning: 'Its operations fail. Deploy a worker that has it, or use work item filters.',
  },
  entityNotMade: {
    id: 803,
    level: 'error',
    message: 'could not make an entity',
    meaning: 'The constructor or factory of the entity threw; no operation was run.',
  },
  entityMessagesIgnored: {
    id: 805,
    level: 'warn',
    message: 'ignored messages to an entity that are no operations',
    meaning: 'The scheduler is newer than the worker, or sends what the protocol does not know.',
  },

  callFailed: {
    id: 1001,
    level: 'error',
    message: 'a call failed unexpectedly',
    meaning:
      'A gRPC call ended with INTERNAL. A defect, or a store that misbehaves: the error says which.',
  },
  requestFailed: {
    id: 1002,
    level: 'error',
    message: 'an HTTP request failed unexpectedly',
    meaning: 'The caller got a 500. As callFailed.',
  },
  liveViewFailed: {
    id: 1003,
    level: 'warn',
    message: 'a live view failed',
    meaning: 'The stream of a dashboard page ended; the page opens another.',
  },
  closingFailed: {
    id: 1004,
    level: 'error',
    message: 'closing failed',
    meaning:
      'Something did not close; the rest did. What was acknowledged is durable all the same.',
  },
  engineStopLate: {
    id: 1005,
    level: 'warn',
    message: 'the engine did not stop in time, closing without it',
    meaning: 'Work in hand is delivered again after the next start.',
  },
  stopping: {
    id: 1006,
    level: 'info',
    message: 'stopping: new work is refused, work in hand is waited for',
    meaning: 'The process got SIGINT or SIGTERM.',
  },
  logLevelSet: {
    id: 1007,
    level: 'info',
    message: 'the level of this log was set',
    meaning:
      'Somebody with the right to manage the scheduler asked for it, until it is started again.',
  },
  issuerOutOfReach: {
    id: 1101,
    level: 'error',
    message: 'the issuer of tokens cannot be asked for its keys',
    meaning:
      'Callers with its tokens are refused until it answers. Check the address and the network.',
  },
  issuerKeysStale: {
    id: 1102,
    level: 'warn',
    message: 'the keys of the issuer could not be refreshed, keeping those there are',
    meaning: 'Tokens signed with a new key are refused until the next attempt.',
  },
  rolesStale: {
    id: 1103,
    level: 'warn',
    message: 'the role assignments could not be read again, keeping those there are',
    meaning: 'Changes made at another node are not seen until the store answers.',
  },
  securityTaskFailed: {
    id: 1104,
    level: 'error',
    message: 'background work of authentication failed',
    meaning: 'A defect: report it. Role assignments are no longer read again.',
  },

  backgroundWorkFailed: {
    id: 2001,
    level: 'error',
    message: 'background work failed',
    meaning: 'Upkeep, retention, figures or waits had an error; they go on with the next round.',
  },
  roundFailed: {
    id: 2002,
    level: 'error',
    message: 'a round failed',
    meaning:
      'The store did not take a transaction. Its callers were told to try again. While it lasts it is said every 10 s, with a count.',
  },
  handOutFailed: {
    id: 2003,
    level: 'error',
    message: 'a round was committed, but not all of its work was handed out',
    meaning: 'A defect: report it. The work is delivered again by the next reconciliation.',
  },
  roundsStoredAgain: {
    id: 2004,
    level: 'info',
    message: 'rounds are stored again',
    meaning: 'The end of what roundFailed began, and how many rounds it cost.',
  },
  clockCorrected: {
    id: 2005,
    level: 'warn',
    message: "this machine's clock differs from the database's; the database's counts",
    meaning:
      'Times and timers are corrected by `offsetMs`. Nothing else on the machine is: tokens may be refused. Set its clock (NTP).',
  },
  entityEventDropped: {
    id: 2006,
    level: 'warn',
    message: 'dropped an event to an entity: entities take signals and calls',
    meaning:
      "Classic workers raise events on an entity's id to call it. Use a worker with entity support. Told once for each hub.",
  },
  commitNotApplied: {
    id: 2101,
    level: 'error',
    message: 'a commit could not be applied',
    meaning:
      'One request or completion was refused because the store threw; those beside it counted.',
  },
  claimFailed: {
    id: 2102,
    level: 'error',
    message: 'work could not be handed out',
    meaning: 'The store threw while it looked for work; the next round looks again.',
  },
  turnTooLarge: {
    id: 2103,
    level: 'warn',
    message:
      'a turn is larger than any connected worker accepts in one message; it waits for a worker that takes larger ones, or that declares history streaming',
    meaning: 'The instance stands still until such a worker connects.',
  },
  commitInDoubt: {
    id: 2104,
    level: 'warn',
    message: 'the connection was lost during COMMIT; looking up what became of it',
    meaning: 'Callers wait until the database says whether the transaction counted.',
  },
  databaseConnectionLost: {
    id: 2105,
    level: 'warn',
    message: 'an idle connection to PostgreSQL was lost',
    meaning: 'It is opened again when it is needed.',
  },
  hubRoundFailed: {
    id: 2106,
    level: 'error',
    message: 'the round of a task hub failed',
    meaning: 'As roundFailed, for one hub; the others were served.',
  },
  farewellFailed: {
    id: 2107,
    level: 'warn',
    message: 'could not tell the other nodes that this one leaves',
    meaning: 'They find out half a minute later and take its leases then.',
  },
  doorbellAway: {
    id: 2108,
    level: 'warn',
    message: 'schedulers cannot tell each other of new work now; they look every second',
    meaning:
      'The connection that listens (LISTEN) is lost; another is made. Told once for each outage. Nothing is lost but time.',
  },

  completionTooLate: {
    id: 3001,
    level: 'debug',
    message: 'a completion came too late',
    meaning: 'The item was done elsewhere or its instance has ended. Nothing is lost.',
  },
  giveBackFailed: {
    id: 3002,
    level: 'debug',
    message: 'could not give a work item back',
    meaning: 'The scheduler delivers it again once the lease is over.',
  },
  orchestratorNotRegistered: {
    id: 3003,
    level: 'warn',
    message: 'no such orchestrator is registered',
    meaning: 'The orchestration fails. Deploy a worker that has it, or use work item filters.',
  },
  activityNotRegistered: {
    id: 3004,
    level: 'warn',
    message: 'no such activity is registered',
    meaning: 'The activity fails. Deploy a worker that has it, or use work item filters.',
  },

  settingIgnored: {
    id: 4001,
    level: 'warn',
    message: 'a setting of host.json has no effect',
    meaning: 'The reason says what to set instead, if anything.',
  },
  noDurableFunctions: {
    id: 4002,
    level: 'info',
    message: 'no durable functions are registered: this process only starts and manages them',
    meaning: 'Right for an app of clients; else look at which files `main` of package.json loads.',
  },
  functionsServed: {
    id: 4003,
    level: 'info',
    message: 'durable functions are served',
    meaning: 'The worker was started with the functions named.',
  },
  workerStopLate: {
    id: 4004,
    level: 'warn',
    message: 'the durable worker did not stop in time',
    meaning: 'The app ends without it; what it held is delivered again elsewhere.',
  },
  workerStartFailed: {
    id: 4005,
    level: 'error',
    message: 'the durable worker did not start',
    meaning: 'No durable function of this process runs.',
  },
  loadedTooLate: {
    id: 4006,
    level: 'warn',
    message:
      'durable-functions itself was loaded before durabletask-scheduler: functions that it registered until now run in the host or not at all. Import durabletask-scheduler first, or preload durabletask-scheduler/register',
    meaning: 'As it says.',
  },
  managementOff: {
    id: 4007,
    level: 'warn',
    message:
      'The durable management endpoints are off: nothing here would protect them. Set the app setting DURABLETASK_MANAGEMENT_SECRET (32 characters or more) for signed links, or DURABLETASK_MANAGEMENT_ENDPOINTS=on if this host enforces function keys',
    meaning: 'As it says.',
  },
  managementUnavailable: {
    id: 4008,
    level: 'error',
    message: 'the management endpoints cannot serve',
    meaning: 'Wrong settings: the error names them. Callers get a 500.',
  },
  managementRequestFailed: {
    id: 4009,
    level: 'error',
    message: 'a management request failed',
    meaning: 'The caller got a 500; the error says why.',
  },
  functionNotListed: {
    id: 4010,
    level: 'debug',
    message: 'a durable function is not listed by the host',
    meaning: 'The app has another function of its name, which the host lists instead. Both work.',
  },

  hostTaskFailed: {
    id: 5001,
    level: 'error',
    message: 'a task of the functions host failed',
    meaning: 'A defect of the local Functions host: report it.',
  },
  appFilesChanged: {
    id: 5002,
    level: 'info',
    message: 'files of the app changed, starting it again',
    meaning: '`--watch` saw a change.',
  },
  folderNotWatched: {
    id: 5003,
    level: 'warn',
    message: 'a folder of the app cannot be watched',
    meaning: 'Changes in it go unseen.',
  },
  appEnded: {
    id: 5004,
    level: 'warn',
    message: 'the process of the app ended, starting it again',
    meaning: 'It crashed or called process.exit; its output says why.',
  },
  appGivenUp: {
    id: 5005,
    level: 'error',
    message: 'the app does not run; it is started again when its files change',
    meaning: 'It ended too often, or could not be loaded; the error says which.',
  },
  hubNotMade: {
    id: 5006,
    level: 'info',
    message: 'the scheduler makes no task hub for us, using the one it has',
    meaning: '`--connection` names a scheduler whose task hubs others make.',
  },

  tracesExported: {
    id: 6001,
    level: 'info',
    message: 'traces are exported',
    meaning: 'To the OTLP receiver at the endpoint.',
  },
  applicationInsightsUsed: {
    id: 6002,
    level: 'info',
    message: 'telemetry goes to Application Insights',
    meaning: 'APPLICATIONINSIGHTS_CONNECTION_STRING is set.',
  },
  metricsExported: {
    id: 6003,
    level: 'info',
    message: 'metrics are exported',
    meaning: 'To the OTLP receiver at the endpoint.',
  },
} as const satisfies Record<string, LogEvent>;

export type LogEventName = keyof typeof LOG_EVENTS;

/** Writes a line of the catalogue: its sentence, and its id as the first of the fields. */
export function logEvent(logger: Logger, name: LogEventName, fields?: LogFields): void {
  const { id, level, message } = LOG_EVENTS[name];
  logger[level](message, { eventId: id, ...fields });
}

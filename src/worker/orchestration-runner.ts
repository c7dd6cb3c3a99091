import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { Connection } from '../client/connection.ts';
import type {
  ExecutionStartedEvent,
  HistoryEvent,
  OrchestrationTraceContext,
  OrchestratorAction,
  OrchestratorRequest,
  TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';
import {
  OrchestrationStatus,
  OrchestratorActionSchema,
  TaskHubSidecarService,
} from '../proto/orchestrator_service_pb.ts';
import type { OrchestratorOptions, ReplayLimits } from '../replay/options.ts';
import type { TurnResult } from '../replay/session.ts';
import { OrchestratorSession } from '../replay/session.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EndedSpan } from '../telemetry/spans.ts';
import { recordSpan } from '../telemetry/spans.ts';
import { chunkActions } from './chunk-actions.ts';
import { ExecutionTrace } from './execution-trace.ts';
import { permanentFailure } from './failure-details.ts';
import type { AroundTurn, Registry } from './registry.ts';
import type { CachedSession, SessionCache } from './session-cache.ts';
import { VersionFailureStrategy, versionMismatch } from './versioning.ts';
import type { Versioning } from './versioning.ts';
import type { LeasedWorkItem, WorkItemCompleter } from './work-item-completer.ts';
import { MESSAGE_SAFE_BYTES } from './work-item-completer.ts';
import type { WorkReport } from './work-report.ts';
import { turnOutcome } from './work-report.ts';

const rpc = TaskHubSidecarService.method;

export interface OrchestrationRunnerOptions {
  readonly registry: Registry;
  readonly sessions: SessionCache;
  readonly completer: WorkItemCompleter;
  readonly connection: Connection;
  readonly versioning: Versioning;
  readonly limits: ReplayLimits;
  /** Aborts when the worker stops waiting for turns. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

/** An `OrchestratorResponse` without the identity that every completion gets. */
type Response = {
  readonly actions: readonly OrchestratorAction[];
  readonly customStatus?: string;
  readonly requiresHistory?: boolean;
  readonly orchestrationTraceContext?: OrchestrationTraceContext;
};

/** A turn that was run, not yet handed in. */
interface Turn {
  /** Of the orchestrator; left out when the turn did not come to know it. */
  readonly name?: string;
  readonly response: Response;
  /** To be recorded once the scheduler has taken the turn. */
  readonly spans?: readonly EndedSpan[];
  /** Set when the session may serve the next turn. */
  readonly next?: Omit<CachedSession, 'isAccepted'>;
}

/** The work item is for another worker. */
const NOT_OURS = 'notOurs';

/** What a turn starts from. */
interface Start {
  readonly session: OrchestratorSession;
  readonly trace: ExecutionTrace | undefined;
  /** History that the session has not seen yet. */
  readonly replayed: readonly HistoryEvent[];
  /** Events in the committed history before this turn. */
  readonly pastEventCount: number;
}

/** Runs orchestrators, turn by turn, and hands their actions back. */
export class OrchestrationRunner {
  readonly #options: OrchestrationRunnerOptions;
  readonly #aroundTurns = new WeakMap<OrchestratorSession, AroundTurn>();
  readonly #names = new WeakMap<OrchestratorSession, string>();

  constructor(options: OrchestrationRunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs one turn. Rejects when the history cannot be had or the engine is given nonsense: the
   * work item is then to be abandoned. What user code does wrong is a result.
   */
  async run(request: OrchestratorRequest, item: LeasedWorkItem): Promise<WorkReport> {
    const { sessions, completer, clock, signal } = this.#options;
    const turn = await this.#turn(request);
    if (turn === NOT_OURS) {
      await completer.abandon(item);
      return { name: '', outcome: 'gaveBack' };
    }
    const { name = '', response, next, spans = [] } = turn;
    if (signal.aborted) {
      next?.session.close();
      return { name, outcome: 'gaveBack' };
    }
    const isAccepted = this.#hand(item, response);
    // Kept before there is an answer: the next turn may arrive ahead of it.
    if (next !== undefined) sessions.put(item.instanceId, { ...next, isAccepted }, clock.now());
    if (await isAccepted) {
      for (const span of spans) recordSpan(span);
      return {
        name,
        outcome: response.requiresHistory ? 'gaveBack' : turnOutcome(response.actions),
      };
    }
    if (next !== undefined) sessions.drop(item.instanceId, next.session);
    return { name, outcome: 'refused' };
  }

  /** Hands a turn in, in several messages if it is too large for one. True when it was taken. */
  async #hand(item: LeasedWorkItem, response: Response): Promise<boolean> {
    const { instanceId, completionToken } = item;
    const { actions, ...rest } = response;
    const chunks = chunkActions(actions, MESSAGE_SAFE_BYTES);
    for (const [chunkIndex, chunk] of chunks.entries()) {
      const isPartial = chunkIndex < chunks.length - 1;
      const part = {
        ...(chunks.length > 1 && { isPartial, chunkIndex }),
        ...(chunkIndex > 0 && { numEventsProcessed: 0 }),
      };
      const isAccepted = await this.#options.completer.complete(item, {
        method: rpc.completeOrchestratorTask,
        message: { ...rest, ...part, actions: [...chunk], instanceId, completionToken },
        smaller: () => ({ ...failed(tooLarge()), instanceId, completionToken }),
      });
      if (!isAccepted) return false;
    }
    return true;
  }

  async #turn(request: OrchestratorRequest): Promise<Turn | typeof NOT_OURS> {
    if (isHistoryLeftOut(request)) {
      const remembered = await this.#takeRemembered(request);
      // It will be sent again, with its history.
      if (remembered === undefined) return { response: { actions: [], requiresHistory: true } };
      return this.#advance(remembered, request);
    }
    const pastEvents = request.requiresHistoryStreaming
      ? await this.#fetchHistory(request)
      : request.pastEvents;
    const live = this.#takeMatching(request, pastEvents);
    if (live !== undefined) {
      return this.#advance({ ...live, pastEventCount: pastEvents.length }, request);
    }
    return this.#replay(request, pastEvents);
  }

  /** The session of the last turn; `undefined` when it is gone or ahead of the scheduler. */
  async #takeRemembered(request: OrchestratorRequest): Promise<Start | undefined> {
    const cached = this.#options.sessions.take(request.instanceId);
    if (cached === undefined) return undefined;
    const { session, trace, executionId, pastEventCount } = cached;
    const isSame = session.isLive && executionId === request.executionId;
    // The scheduler speaks of the turn that it took last: we must know that it was our last one.
    if (isSame && (await cached.isAccepted))
      return { session, trace, replayed: [], pastEventCount };
    session.close();
    return undefined;
  }

  /** The session of the last turn, if the history is exactly what that turn left. */
  #takeMatching(
    request: OrchestratorRequest,
    pastEvents: readonly HistoryEvent[],
  ): Omit<Start, 'pastEventCount'> | undefined {
    const cached = this.#options.sessions.take(request.instanceId);
    if (cached === undefined) return undefined;
    const isSame =
      cached.session.isLive &&
      cached.executionId === request.executionId &&
      cached.pastEventCount === pastEvents.length &&
      cached.lastTurn === lastTurnOf(pastEvents);
    if (isSame) return { session: cached.session, trace: cached.trace, replayed: [] };
    cached.session.close();
    return undefined;
  }

  async #replay(
    request: OrchestratorRequest,
    pastEvents: readonly HistoryEvent[],
  ): Promise<Turn | typeof NOT_OURS> {
    const started = findStarted(pastEvents) ?? findStarted(request.newEvents);
    const mismatch = versionMismatch(this.#options.versioning, started?.version);
    if (mismatch !== undefined) return this.#refuse(request, mismatch);
    const session = this.#open(request, started);
    if (session === undefined) {
      const name = started?.name ?? '';
      return { name, response: failed(this.#notRegistered(name)) };
    }
    const trace = this.#trace(request, started, pastEvents);
    const start = { session, trace, replayed: pastEvents, pastEventCount: pastEvents.length };
    return this.#advance(start, request);
  }

  #trace(
    request: OrchestratorRequest,
    started: ExecutionStartedEvent | undefined,
    pastEvents: readonly HistoryEvent[],
  ): ExecutionTrace | undefined {
    if (started === undefined) return undefined;
    const { clock, ids } = this.#options;
    return ExecutionTrace.open({
      started,
      instanceId: request.instanceId,
      executionId: request.executionId ?? started.orchestrationInstance?.executionId ?? '',
      known: request.orchestrationTraceContext,
      pastEvents,
      now: clock.now(),
      ids,
    });
  }

  #refuse({ instanceId }: OrchestratorRequest, reason: string): Turn | typeof NOT_OURS {
    const { versioning, logger } = this.#options;
    const isFailed = versioning.failureStrategy === VersionFailureStrategy.Fail;
    logEvent(logger, isFailed ? 'versionRefused' : 'versionGivenBack', { instanceId, reason });
    return isFailed ? { response: failed(permanentFailure('VersionMismatch', reason)) } : NOT_OURS;
  }

  #open(
    request: OrchestratorRequest,
    started: ExecutionStartedEvent | undefined,
  ): OrchestratorSession | undefined {
    const { registry, limits, clock, logger } = this.#options;
    const name = started?.name ?? '';
    const registration = registry.findOrchestrator(name, started?.version);
    if (registration === undefined) {
      logEvent(logger, 'orchestratorNotRegistered', { name });
      return undefined;
    }
    const { instanceId } = request;
    const executionId = request.executionId ?? started?.orchestrationInstance?.executionId ?? '';
    const { aroundTurn } = registration;
    const session = new OrchestratorSession(
      {
        ...registration,
        // The caller says what the input is; nothing at run time can check it.
        handler: registration.handler as OrchestratorOptions['handler'],
        sha1: (data) => createHash('sha1').update(data).digest(),
        delay: (ms, signal) => clock.sleepUntil(clock.now() + ms, { signal }),
        limits,
      },
      { instanceId, executionId },
    );
    if (aroundTurn !== undefined) this.#aroundTurns.set(session, aroundTurn);
    this.#names.set(session, name);
    return session;
  }

  async #advance(start: Start, request: OrchestratorRequest): Promise<Turn> {
    const { session, trace } = start;
    const { newEvents, instanceId, executionId = '' } = request;
    let result: TurnResult;
    try {
      const run = (): TurnResult | Promise<TurnResult> =>
        session.turn({ pastEvents: start.replayed, newEvents });
      const around = this.#aroundTurns.get(session);
      const turned =
        around === undefined
          ? run()
          : around({ instanceId, executionId, newEvents, span: trace?.span }, run);
      // Synchronous code stays in this very turn of the event loop.
      result = turned instanceof Promise ? await turned : turned;
    } catch (error) {
      session.close();
      throw error;
    }
    const spans = trace?.turn(newEvents, result.actions, this.#options.clock.now());
    const response = responseOf(result, trace);
    const traced = {
      name: this.#names.get(session) ?? '',
      response,
      ...(spans !== undefined && { spans }),
    };
    if (result.isComplete || !session.isLive) {
      session.close();
      return traced;
    }
    const next = {
      session,
      trace,
      executionId,
      pastEventCount: start.pastEventCount + newEvents.length + countRecorded(result.actions),
      lastTurn: lastTurnOf(newEvents),
    };
    return { ...traced, next };
  }

  #notRegistered(name: string): TaskFailureDetails {
    const text = this.#options.registry.unknownText('orchestrator', name);
    return permanentFailure('OrchestratorNotRegisteredError', text);
  }

  async #fetchHistory(request: OrchestratorRequest): Promise<readonly HistoryEvent[]> {
    const { connection, signal } = this.#options;
    const events: HistoryEvent[] = [];
    const chunks = connection.serverStream(
      rpc.streamInstanceHistory,
      {
        instanceId: request.instanceId,
        ...(request.executionId !== undefined && { executionId: request.executionId }),
        forWorkItemProcessing: true,
      },
      { signal },
    );
    for await (const chunk of chunks) {
      for (const event of chunk.events) events.push(event);
    }
    return events;
  }
}

/** True when the scheduler relies on the session of the last turn and sends only what is new. */
function isHistoryLeftOut(request: OrchestratorRequest): boolean {
  if (request.requiresHistoryStreaming || request.pastEvents.length > 0) return false;
  return findStarted(request.newEvents) === undefined;
}

function responseOf(result: TurnResult, trace: ExecutionTrace | undefined): Response {
  const context = trace?.context;
  return {
    actions: result.actions,
    ...(context !== undefined && { orchestrationTraceContext: context }),
    ...(result.customStatus !== undefined && { customStatus: result.customStatus }),
  };
}

function findStarted(events: readonly HistoryEvent[]): ExecutionStartedEvent | undefined {
  for (const { eventType } of events) {
    if (eventType.case === 'executionStarted') return eventType.value;
  }
  return undefined;
}

/** The time of the newest orchestratorStarted, to the last tick; empty when there is none. */
function lastTurnOf(events: readonly HistoryEvent[]): string {
  const started = events.findLast(({ eventType }) => eventType.case === 'orchestratorStarted');
  const time = started?.timestamp;
  return time === undefined ? '' : `${String(time.seconds)}.${String(time.nanos)}`;
}

/** How many of the actions become events of the history when the turn is committed. */
function countRecorded(actions: readonly OrchestratorAction[]): number {
  const unrecorded: readonly (string | undefined)[] = ['terminateOrchestration', undefined];
  return actions.filter((action) => !unrecorded.includes(action.orchestratorActionType.case))
    .length;
}

/** The response that ends an orchestration as failed, in the worker's own name. */
function failed(failureDetails: TaskFailureDetails): { actions: OrchestratorAction[] } {
  const action = create(OrchestratorActionSchema, {
    id: -1,
    orchestratorActionType: {
      case: 'completeOrchestration',
      value: { orchestrationStatus: OrchestrationStatus.FAILED, failureDetails },
    },
  });
  return { actions: [action] };
}

function tooLarge(): TaskFailureDetails {
  return permanentFailure(
    'ResponseTooLargeError',
    'The scheduler does not take so much from one turn of an orchestrator. Schedule less at ' +
      'once, or pass references to data that is stored elsewhere.',
  );
}

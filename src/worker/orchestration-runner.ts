import { createHash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import type { Clock } from '../base/clock.ts';
import type { Connection } from '../client/connection.ts';
import type {
  ExecutionStartedEvent,
  HistoryEvent,
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
import type { Logger } from '../telemetry/logger.ts';
import { chunkActions } from './chunk-actions.ts';
import { permanentFailure } from './failure-details.ts';
import type { Registry } from './registry.ts';
import type { SessionCache } from './session-cache.ts';
import type { LeasedWorkItem, WorkItemCompleter } from './work-item-completer.ts';
import { MESSAGE_SAFE_BYTES } from './work-item-completer.ts';

const rpc = TaskHubSidecarService.method;

export interface OrchestrationRunnerOptions {
  readonly registry: Registry;
  readonly sessions: SessionCache;
  readonly completer: WorkItemCompleter;
  readonly connection: Connection;
  readonly limits: ReplayLimits;
  /** Aborts when the worker stops waiting for turns. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An `OrchestratorResponse` without the identity that every completion gets. */
type Response = {
  readonly actions: readonly OrchestratorAction[];
  readonly customStatus?: string;
  readonly requiresHistory?: boolean;
};

/** A turn that was run, not yet handed in. */
interface Turn {
  readonly response: Response;
  /** Set when the session may serve the next turn. */
  readonly session?: OrchestratorSession;
}

/** Runs orchestrators, turn by turn, and hands their actions back. */
export class OrchestrationRunner {
  readonly #options: OrchestrationRunnerOptions;

  constructor(options: OrchestrationRunnerOptions) {
    this.#options = options;
  }

  /**
   * Runs one turn. Rejects when the history cannot be had or the engine is given nonsense: the
   * work item is then to be abandoned. What user code does wrong is a result.
   */
  async run(request: OrchestratorRequest, item: LeasedWorkItem): Promise<void> {
    const { sessions, signal } = this.#options;
    const pastEvents = request.requiresHistoryStreaming
      ? await this.#fetchHistory(request)
      : request.pastEvents;
    const turn = await this.#turn(request, pastEvents);
    if (signal.aborted) return;
    const isAccepted = await this.#hand(item, turn.response);
    if (!isAccepted && turn.session !== undefined) sessions.drop(item.instanceId, turn.session);
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

  async #turn(request: OrchestratorRequest, pastEvents: readonly HistoryEvent[]): Promise<Turn> {
    const live = this.#takeLive(request, pastEvents);
    if (live !== undefined) return this.#advance(live, request, { past: [], pastEvents });

    const started = findStarted(pastEvents) ?? findStarted(request.newEvents);
    // The scheduler left the history out for a session that is gone: it will send it again.
    if (started === undefined && pastEvents.length === 0) {
      return { response: { actions: [], requiresHistory: true } };
    }
    const session = this.#open(request, started);
    if (session === undefined) return { response: failed(notRegistered(started?.name ?? '')) };
    return this.#advance(session, request, { past: pastEvents, pastEvents });
  }

  /** The session of the last turn, if the history is exactly what that turn left. */
  #takeLive(
    request: OrchestratorRequest,
    pastEvents: readonly HistoryEvent[],
  ): OrchestratorSession | undefined {
    const cached = this.#options.sessions.take(request.instanceId);
    if (cached === undefined) return undefined;
    const isSame =
      cached.session.isLive &&
      cached.executionId === request.executionId &&
      cached.pastEventCount === pastEvents.length &&
      cached.lastTurn === lastTurnOf(pastEvents);
    if (isSame) return cached.session;
    cached.session.close();
    return undefined;
  }

  #open(
    request: OrchestratorRequest,
    started: ExecutionStartedEvent | undefined,
  ): OrchestratorSession | undefined {
    const { registry, limits, clock, logger } = this.#options;
    const name = started?.name ?? '';
    const registration = registry.findOrchestrator(name, started?.version);
    if (registration === undefined) {
      logger.warn('no such orchestrator is registered', { name });
      return undefined;
    }
    const { instanceId } = request;
    const executionId = request.executionId ?? started?.orchestrationInstance?.executionId ?? '';
    return new OrchestratorSession(
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
  }

  async #advance(
    session: OrchestratorSession,
    request: OrchestratorRequest,
    history: {
      readonly past: readonly HistoryEvent[];
      readonly pastEvents: readonly HistoryEvent[];
    },
  ): Promise<Turn> {
    const { newEvents } = request;
    let result: TurnResult;
    try {
      const turned = session.turn({ pastEvents: history.past, newEvents });
      // Synchronous code stays in this very turn of the event loop.
      result = turned instanceof Promise ? await turned : turned;
    } catch (error) {
      session.close();
      throw error;
    }
    const response = responseOf(result);
    if (result.isComplete || !session.isLive) {
      session.close();
      return { response };
    }
    const pastEventCount =
      history.pastEvents.length + newEvents.length + countRecorded(result.actions);
    this.#keep(session, request, pastEventCount);
    return { response, session };
  }

  #keep(session: OrchestratorSession, request: OrchestratorRequest, pastEventCount: number): void {
    const { sessions, clock } = this.#options;
    const cached = {
      session,
      executionId: request.executionId ?? '',
      pastEventCount,
      lastTurn: lastTurnOf(request.newEvents),
    };
    sessions.put(request.instanceId, cached, clock.now());
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

function responseOf(result: TurnResult): Response {
  return {
    actions: result.actions,
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

function notRegistered(name: string): TaskFailureDetails {
  return permanentFailure(
    'OrchestratorNotRegisteredError',
    `Orchestrator '${name}' does not exist.`,
  );
}

function tooLarge(): TaskFailureDetails {
  return permanentFailure(
    'ResponseTooLargeError',
    'The scheduler does not take so much from one turn of an orchestrator. Schedule less at ' +
      'once, or pass references to data that is stored elsewhere.',
  );
}

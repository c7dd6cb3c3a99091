/**
 * One orchestration turn: what a worker answered, turned into what the store will commit.
 *
 *   state of the leased turn + response + environment  →  Decision
 *
 * Invariant: every task, timer, child and message of a decision stands in its history exactly once,
 * except with continue-as-new, which keeps no history of the generation that it ends.
 */
import {
  OrchestrationStatus,
  type CompleteOrchestrationAction,
  type ExecutionStartedEvent,
  type OrchestratorAction,
  type TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';
import { decodeEvent, encodeEvent, EVENT_NUMBER, type StoredEvent } from '../wire/events.ts';
import { actionProblem } from './action-rules.ts';
import { applyAction } from './actions.ts';
import type { Completion, Continuation, Decision } from './decision.ts';
import { failure, terminatedFailure } from './failures.ts';
import type { PayloadLimits } from './limits.ts';
import { DecisionDraft } from './decision-draft.ts';
import { optional } from './optional.ts';
import { parentEvent } from './parent-event.ts';
import { payloadProblem } from './validation.ts';

/** What the lease says of the turn that a worker ran. */
export interface Turn {
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  /** Time of the turn's `orchestratorStarted`, epoch ms, as it was handed out. */
  readonly dispatchedAt: number;
  /** The inbox events that the worker has processed, in order; without the `orchestratorStarted`. */
  readonly consumed: readonly StoredEvent[];
  readonly isSuspended: boolean;
  /** Action id in the parent, when this is a sub-orchestration. */
  readonly parentTaskId: number | undefined;
  /** The `executionStarted` of this generation; read only when it continues as new. */
  readonly started: () => ExecutionStartedEvent;
}

export interface TurnResponse {
  readonly actions: readonly OrchestratorAction[];
  readonly customStatus: string | undefined;
}

export interface TurnEnv {
  /** Epoch ms of the commit. */
  readonly now: number;
  readonly newExecutionId: () => string;
  readonly limits: PayloadLimits;
}

export function decideOrchestration(turn: Turn, response: TurnResponse, env: TurnEnv): Decision {
  const draft = new DecisionDraft(turn, env);
  const problem = responseProblem(response, env);
  if (problem) return finish(draft, undefined, failed(problem), response);
  for (const action of response.actions) applyAction(draft, action);
  return finish(draft, draft.completion, undefined, response);
}

/** Why the response cannot be carried out, as the failure that the orchestration ends with. */
function responseProblem(response: TurnResponse, env: TurnEnv): TaskFailureDetails | undefined {
  const tooLarge = payloadProblem(response.customStatus, 'customStatus', env.limits);
  if (tooLarge !== undefined) return failure('PayloadTooLarge', tooLarge);
  for (const action of response.actions) {
    const problem = actionProblem(action, env.limits);
    if (problem) return failure(problem.errorType, problem.message);
  }
  return undefined;
}

/** What the turn's consumed events say by themselves: suspension, and whether a terminate was recursive. */
function readConsumed(turn: Turn): { isSuspended: boolean; terminated: StoredEvent | undefined } {
  let { isSuspended } = turn;
  let terminated: StoredEvent | undefined;
  for (const event of turn.consumed) {
    if (event.type === EVENT_NUMBER.executionSuspended) isSuspended = true;
    else if (event.type === EVENT_NUMBER.executionResumed) isSuspended = false;
    else if (event.type === EVENT_NUMBER.executionTerminated) terminated = event;
  }
  return { isSuspended, terminated };
}

function failed(details: TaskFailureDetails): CompleteOrchestrationAction {
  return {
    $typeName: 'CompleteOrchestrationAction',
    orchestrationStatus: OrchestrationStatus.FAILED,
    carryoverEvents: [],
    failureDetails: details,
    tags: {},
  };
}

function finish(
  draft: DecisionDraft,
  asked: CompleteOrchestrationAction | undefined,
  refused: CompleteOrchestrationAction | undefined,
  response: TurnResponse,
): Decision {
  const { turn, env } = draft;
  const { isSuspended, terminated } = readConsumed(turn);
  const action = refused ?? asked;
  const customStatus = customStatusAfter(response, action, refused !== undefined);
  if (action?.orchestrationStatus === OrchestrationStatus.CONTINUED_AS_NEW) {
    const continuation = continueAsNew(turn, action, env);
    return {
      ...draft.effects({ keepTimers: false }),
      status: OrchestrationStatus.RUNNING,
      isSuspended: false,
      history: [],
      customStatus,
      completion: undefined,
      continuation,
    };
  }
  const opened = [orchestratorStarted(turn.dispatchedAt), ...turn.consumed];
  if (!action) {
    return {
      ...draft.effects({ keepTimers: true }),
      status: isSuspended ? OrchestrationStatus.SUSPENDED : OrchestrationStatus.RUNNING,
      isSuspended,
      history: [...opened, ...draft.history({ keepTimers: true })],
      customStatus,
      completion: undefined,
      continuation: undefined,
    };
  }
  const completion = complete(turn, action, terminated);
  return {
    ...draft.effects({ keepTimers: false }),
    status: completion.status,
    isSuspended: false,
    history: [
      ...opened,
      ...draft.history({ keepTimers: false }),
      executionCompleted(action, completion.status, env.now),
    ],
    customStatus,
    completion,
    continuation: undefined,
  };
}

/** `orchestratorStarted` at the head of each turn; its time is the orchestrator's clock. */
export function orchestratorStarted(at: number): StoredEvent {
  return encodeEvent({ eventType: { case: 'orchestratorStarted', value: {} }, at });
}

function executionCompleted(
  action: CompleteOrchestrationAction,
  status: OrchestrationStatus,
  at: number,
): StoredEvent {
  const isFailed = status === OrchestrationStatus.FAILED;
  const { result } = action;
  const failureDetails = isFailed ? failureOf(action) : action.failureDetails;
  return encodeEvent({
    eventType: {
      case: 'executionCompleted',
      value: {
        orchestrationStatus: status,
        ...optional('result', isFailed ? undefined : result),
        ...optional('failureDetails', failureDetails),
      },
    },
    at,
  });
}

/** SDKs re-evaluate the status on every replay, so unset means none; error paths do not evaluate it. */
function customStatusAfter(
  response: TurnResponse,
  action: CompleteOrchestrationAction | undefined,
  isRefused: boolean,
): Decision['customStatus'] {
  const value = response.customStatus === '' ? undefined : response.customStatus;
  const isErrorPath =
    action?.orchestrationStatus === OrchestrationStatus.FAILED && response.actions.length === 1;
  const isContinued = action?.orchestrationStatus === OrchestrationStatus.CONTINUED_AS_NEW;
  if (isRefused || (value === undefined && (isErrorPath || isContinued))) return { keep: true };
  return { value };
}

/** The end of an execution, told to its parent and, after a recursive terminate, to its children. */
function complete(
  turn: Turn,
  action: CompleteOrchestrationAction,
  terminated: StoredEvent | undefined,
): Completion {
  const status = action.orchestrationStatus;
  const details = failureOf(action);
  return {
    status,
    errorType: details?.errorType,
    errorMessage: details?.errorMessage,
    parentEvent:
      turn.parentTaskId === undefined
        ? undefined
        : parentEvent(turn.parentTaskId, action.result, details),
    childEvent:
      status === OrchestrationStatus.TERMINATED && terminated
        ? recursiveTerminate(terminated)
        : undefined,
  };
}

function failureOf(action: CompleteOrchestrationAction): TaskFailureDetails | undefined {
  switch (action.orchestrationStatus) {
    case OrchestrationStatus.FAILED:
      return (
        action.failureDetails ?? failure('Unknown', action.result ?? 'The orchestration failed.')
      );
    case OrchestrationStatus.TERMINATED:
    case OrchestrationStatus.CANCELED:
      return action.failureDetails ?? terminatedFailure(action.result);
    default:
      return undefined;
  }
}

/** The same terminate for the children, if it asked for them too. */
function recursiveTerminate(terminated: StoredEvent): StoredEvent | undefined {
  const { eventType } = decodeEvent(terminated);
  if (eventType.case !== 'executionTerminated' || !eventType.value.recurse) return undefined;
  const { input } = eventType.value;
  return encodeEvent({
    eventType: {
      case: 'executionTerminated',
      value: { recurse: true, ...(input !== undefined && { input }) },
    },
  });
}

function continueAsNew(
  turn: Turn,
  action: CompleteOrchestrationAction,
  env: TurnEnv,
): Continuation {
  const executionId = env.newExecutionId();
  const version = action.newVersion ?? turn.version;
  const previous = turn.started();
  const started = encodeEvent({
    eventType: {
      case: 'executionStarted',
      value: {
        name: turn.name,
        tags: previous.tags,
        ...optional('parentInstance', previous.parentInstance),
        ...optional('parentTraceContext', previous.parentTraceContext),
        ...optional('input', action.result),
        ...(version !== '' && { version }),
        orchestrationInstance: { instanceId: turn.instanceId, executionId },
      },
    },
  });
  const carryover = action.carryoverEvents.flatMap(({ eventType }) =>
    eventType.case === 'eventRaised' ? [encodeEvent({ eventType })] : [],
  );
  return { executionId, name: turn.name, version, started, carryover };
}

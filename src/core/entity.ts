/**
 * One entity batch: what a worker answered, turned into what the store will commit.
 *
 *   operations handed out + results + environment  →  EntityDecision
 *
 * Invariant: an operation is either consumed, with its effects and its answer, or it is as if it had not been handed
 * out. A batch that cannot be kept (its state is too large, an action is wrong) fails as a whole.
 */
import type {
  EntityBatchResult,
  OperationAction,
  OperationResult,
  StartNewOrchestrationAction,
  TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';
import { decodeEvent, encodeEvent, type StoredEvent } from '../wire/events.ts';
import { dueAt } from './due-at.ts';
import { operationFailed } from './entity-action.ts';
import { entityIdProblem } from './entity-id.ts';
import { signalMessage, type OperationMessage } from './entity-message.ts';
import { failure } from './failures.ts';
import { ENTITY_BATCH_FAILURES_MAX, type PayloadLimits } from './limits.ts';
import { optional } from './optional.ts';
import { instanceIdProblem, payloadProblem } from './validation.ts';

export interface EntityBatch {
  /** As they were handed out, in order. */
  readonly operations: readonly StoredEvent[];
  /** Times in a row that a worker could not run a batch of this entity at all. */
  readonly failures: number;
}

export interface EntityEnv {
  readonly limits: PayloadLimits;
  /** 32 hex digits; for instance and execution ids. */
  readonly newId: () => string;
}

/** The answer to a call, without a time. */
export interface Answer {
  /** Which of the batch's operations it answers. */
  readonly index: number;
  /** The execution that called; no other is told. */
  readonly executionId: string;
  readonly event: StoredEvent;
}

/** An orchestration that an entity starts: it has no parent. */
export interface OrchestrationToStart {
  readonly instanceId: string;
  /** The id was made up here: nobody can have it. */
  readonly hasFreshId: boolean;
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  /** Epoch ms; `undefined`: now. */
  readonly scheduledAt: number | undefined;
  /** `executionStarted` without a time. */
  readonly started: StoredEvent;
}

export interface EntityDecision {
  /** The first operations of the batch leave the queue; the others stay at its head. */
  readonly consumed: number;
  /** `keep`: the batch has failed, the state is as before. `undefined` value: the entity has no state any more. */
  readonly state: { readonly keep: true } | { readonly value: string | undefined };
  readonly answers: readonly Answer[];
  readonly signals: readonly OperationMessage[];
  readonly starts: readonly OrchestrationToStart[];
  /** Nothing was applied: the batch is handed out again after a while. */
  readonly isRetry: boolean;
}

export function decideEntityBatch(
  batch: EntityBatch,
  result: EntityBatchResult,
  env: EntityEnv,
): EntityDecision {
  const broken = brokenBatch(batch, result);
  if (broken) return afterBreakdown(batch, broken);
  const consumed = Math.min(result.results.length, batch.operations.length);
  const problem = resultProblem(result, env.limits);
  if (problem) return { ...failAll(batch, consumed, problem), isRetry: false };
  const results = result.results.slice(0, consumed);
  return {
    consumed,
    state: { value: result.entityState },
    answers: answersTo(batch, results, env.limits),
    ...effects(result.actions, env),
    isRetry: false,
  };
}

/** Why nothing of the batch was run. */
function brokenBatch(
  { operations }: EntityBatch,
  { failureDetails, results }: EntityBatchResult,
): TaskFailureDetails | undefined {
  if (failureDetails) return failureDetails;
  if (results.length > 0) return undefined;
  return failure(
    'InvalidResult',
    `The worker was given ${operations.length} operations and returned no results`,
  );
}

/** Again, until it has happened too often: a worker without this entity would be given it for ever. */
function afterBreakdown(batch: EntityBatch, details: TaskFailureDetails): EntityDecision {
  const isRetry = batch.failures + 1 < ENTITY_BATCH_FAILURES_MAX;
  const consumed = isRetry ? 0 : batch.operations.length;
  return { ...failAll(batch, consumed, details), isRetry };
}

function failAll(
  { operations }: EntityBatch,
  consumed: number,
  details: TaskFailureDetails,
): Omit<EntityDecision, 'isRetry'> {
  const answers = operations
    .slice(0, consumed)
    .flatMap((operation, index) => answer(operation, index, (id) => operationFailed(id, details)));
  return { consumed, state: { keep: true }, answers, signals: [], starts: [] };
}

/** Signals have no answer. */
function answer(
  operation: StoredEvent,
  index: number,
  eventOf: (requestId: string) => StoredEvent,
): readonly Answer[] {
  const { eventType } = decodeEvent(operation);
  if (eventType.case !== 'entityOperationCalled') return [];
  const { requestId, parentExecutionId = '' } = eventType.value;
  return [{ index, executionId: parentExecutionId, event: eventOf(requestId) }];
}

function answersTo(
  { operations }: EntityBatch,
  results: readonly OperationResult[],
  limits: PayloadLimits,
): readonly Answer[] {
  return operations.flatMap((operation, index) => {
    const result = results[index];
    if (!result) return [];
    return answer(operation, index, (requestId) => answerEvent(requestId, result, limits));
  });
}

function answerEvent(
  requestId: string,
  { resultType: type }: OperationResult,
  limits: PayloadLimits,
): StoredEvent {
  if (type.case !== 'success') {
    const details = type.value?.failureDetails;
    return operationFailed(
      requestId,
      details ?? failure('InvalidResult', 'The worker returned neither a result nor a failure'),
    );
  }
  const output = type.value.result;
  const tooLarge = payloadProblem(output, 'entityOutput', limits);
  if (tooLarge !== undefined) {
    return operationFailed(requestId, failure('PayloadTooLarge', tooLarge));
  }
  return encodeEvent({
    eventType: {
      case: 'entityOperationCompleted',
      value: { requestId, ...optional('output', output) },
    },
  });
}

/** Why the results cannot be kept. */
function resultProblem(
  { entityState, actions }: EntityBatchResult,
  limits: PayloadLimits,
): TaskFailureDetails | undefined {
  const tooLarge = payloadProblem(entityState, 'entityState', limits);
  if (tooLarge !== undefined) return failure('PayloadTooLarge', tooLarge);
  for (const action of actions) {
    const problem = actionProblem(action, limits);
    if (problem) return problem;
  }
  return undefined;
}

function actionProblem(
  { id, operationActionType: type }: OperationAction,
  limits: PayloadLimits,
): TaskFailureDetails | undefined {
  const invalid = (problem: string | undefined): TaskFailureDetails | undefined =>
    problem === undefined ? undefined : failure('InvalidAction', `Action ${id}: ${problem}`);
  const tooLarge = (problem: string | undefined): TaskFailureDetails | undefined =>
    problem === undefined ? undefined : failure('PayloadTooLarge', `Action ${id}: ${problem}`);
  switch (type.case) {
    case 'sendSignal':
      return (
        invalid(entityIdProblem(type.value.instanceId)) ??
        tooLarge(payloadProblem(type.value.input, 'entityInput', limits))
      );
    case 'startNewOrchestration':
      return (
        invalid(startProblem(type.value)) ??
        tooLarge(payloadProblem(type.value.input, 'orchestrationInput', limits))
      );
    case undefined:
      return invalid('it has no type that this scheduler knows');
  }
}

function startProblem({ instanceId, name }: StartNewOrchestrationAction): string | undefined {
  if (name === '') return 'the name of the orchestration to start must not be empty';
  return instanceId === '' ? undefined : instanceIdProblem(instanceId);
}

function effects(
  actions: readonly OperationAction[],
  env: EntityEnv,
): Pick<EntityDecision, 'signals' | 'starts'> {
  const signals: OperationMessage[] = [];
  const starts: OrchestrationToStart[] = [];
  for (const { operationActionType: type } of actions) {
    if (type.case === 'sendSignal') {
      const { instanceId, name: operation, parentTraceContext: trace, ...rest } = type.value;
      const requestId = guidOf(env.newId());
      signals.push(signalMessage(instanceId, { ...rest, operation, requestId, trace }));
    } else if (type.case === 'startNewOrchestration') {
      starts.push(startOf(type.value, env));
    }
  }
  return { signals, starts };
}

/** Clients parse request ids as GUIDs. */
export function guidOf(hex32: string): string {
  return hex32.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function startOf(action: StartNewOrchestrationAction, env: EntityEnv): OrchestrationToStart {
  const { name, version = '', input, scheduledTime, parentTraceContext } = action;
  const hasFreshId = action.instanceId === '';
  const instanceId = hasFreshId ? env.newId() : action.instanceId;
  const executionId = env.newId();
  const started = encodeEvent({
    eventType: {
      case: 'executionStarted',
      value: {
        name,
        orchestrationInstance: { instanceId, executionId },
        ...(version !== '' && { version }),
        ...optional('input', input),
        ...optional('parentTraceContext', parentTraceContext),
        ...optional('scheduledStartTimestamp', scheduledTime),
      },
    },
  });
  const scheduledAt = scheduledTime && dueAt(scheduledTime);
  return { instanceId, hasFreshId, executionId, name, version, scheduledAt, started };
}

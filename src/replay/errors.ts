import type { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { FailureDetails } from './failure.ts';

/**
 * The orchestrator's code asked for something else than its own history holds. Causes: the code was
 * changed while the instance ran, or it depends on time, randomness, I/O or mutable globals.
 */
export class NonDeterminismError extends Error {
  override readonly name = 'NonDeterminismError';
  /** Retrying the same code on the same history cannot end otherwise. */
  readonly isNonRetriable = true;
}

/**
 * An async orchestrator awaited a promise that no history event settles, for longer than the limit.
 * Orchestrators yield tasks; everything else belongs in an activity.
 */
export class NonDurableWaitError extends Error {
  override readonly name = 'NonDurableWaitError';
}

/** The orchestrator asked for more actions in one turn than `limits.actionsMax` allows. */
export class TooManyActionsError extends Error {
  override readonly name = 'TooManyActionsError';
}

/** An orchestrator yielded something that is no task of its own, or used a context that has ended. */
export class OrchestratorConstraintError extends Error {
  override readonly name = 'OrchestratorConstraintError';
}

/** What `TaskFailedError.details` shows of a failure (the names of durabletask-js). */
export interface CoreFailureDetails {
  readonly errorType: string;
  readonly message: string;
  readonly stackTrace: string | undefined;
}

/**
 * Thrown into a core-style orchestrator when an activity or a sub-orchestration fails. `details`
 * describes the failure as it happened; `failureDetails` is the whole chain.
 */
export class TaskFailedError extends Error {
  override readonly name = 'TaskFailedError';
  readonly details: CoreFailureDetails;
  readonly failureDetails: FailureDetails;

  constructor(message: string, failureDetails: FailureDetails) {
    super(message);
    this.failureDetails = failureDetails;
    this.details = {
      errorType: failureDetails.errorType,
      message: failureDetails.errorMessage,
      stackTrace: failureDetails.stackTrace,
    };
  }
}

/** Thrown into an orchestrator when an operation that it called has failed (name of durabletask-js). */
export class EntityOperationFailedException extends Error {
  override readonly name = 'EntityOperationFailedException';
  readonly entityId: EntityInstanceId;
  readonly operationName: string;
  readonly failureDetails: FailureDetails;

  constructor(entityId: EntityInstanceId, operationName: string, failureDetails: FailureDetails) {
    super(
      `Operation '${operationName}' of entity '${entityId.toString()}' failed: ` +
        failureDetails.errorMessage,
    );
    this.entityId = entityId;
    this.operationName = operationName;
    this.failureDetails = failureDetails;
  }
}

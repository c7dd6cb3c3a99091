/** Failure details that the scheduler itself makes up. Clients dereference them, so they are never unset. */
import { create } from '@bufbuild/protobuf';
import {
  TaskFailureDetailsSchema,
  type TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';

export function failure(errorType: string, errorMessage: string): TaskFailureDetails {
  return create(TaskFailureDetailsSchema, { errorType, errorMessage, isNonRetriable: true });
}

export function terminatedFailure(reason: string | undefined): TaskFailureDetails {
  const text = reason === undefined || reason === '' ? '' : `: ${reason}`;
  return failure('OrchestrationTerminated', `The orchestration was terminated${text}`);
}

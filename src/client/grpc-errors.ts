import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import type { ErrorCode } from '../core/errors.ts';
import { TaskHubError } from '../core/errors.ts';
import { TimeoutError } from './connection.ts';

/**
 * Which code a gRPC status becomes. What has no code of its own is `UNAVAILABLE`: the outcome is
 * unknown or the scheduler could not answer, and a later attempt may succeed.
 */
const CODES = {
  [status.OK]: 'UNAVAILABLE',
  [status.CANCELLED]: 'UNAVAILABLE',
  [status.UNKNOWN]: 'UNAVAILABLE',
  [status.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [status.DEADLINE_EXCEEDED]: 'UNAVAILABLE',
  [status.NOT_FOUND]: 'INSTANCE_NOT_FOUND',
  [status.ALREADY_EXISTS]: 'INSTANCE_ALREADY_EXISTS',
  [status.PERMISSION_DENIED]: 'PERMISSION_DENIED',
  [status.RESOURCE_EXHAUSTED]: 'RESOURCE_EXHAUSTED',
  [status.FAILED_PRECONDITION]: 'WRONG_STATE',
  [status.ABORTED]: 'UNAVAILABLE',
  [status.OUT_OF_RANGE]: 'INVALID_ARGUMENT',
  [status.UNIMPLEMENTED]: 'UNIMPLEMENTED',
  [status.INTERNAL]: 'UNAVAILABLE',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.DATA_LOSS]: 'UNAVAILABLE',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
} as const satisfies Record<status, ErrorCode>;

/** NOT_FOUND has three meanings, told apart by the texts of the product. */
const NOT_FOUND_TEXTS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^Task hub not found/i, 'TASK_HUB_NOT_FOUND'],
  [/^Work item /i, 'LEASE_LOST'],
];

/** True for the errors that grpc-js itself throws. */
export function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}

/**
 * True for a failure that says that the call has done nothing: there was no connection to send it on, or the scheduler
 * itself answered that it could not take it. A connection that was lost while the call waited says nothing.
 */
export function hasDoneNothing({ code, details, metadata }: ServiceError): boolean {
  if (code !== status.UNAVAILABLE) return false;
  // grpc-js gives its own failures no headers, and every answer some.
  const isAnswer = Object.keys(metadata.getMap()).length > 0;
  return isAnswer || details.startsWith('No connection established');
}

/** The error that callers see for a failed call: the scheduler's own text, and what it means. */
export function fromGrpcError(error: unknown, method: string): TaskHubError | TimeoutError {
  // Our own, such as that there is no token.
  if (error instanceof TaskHubError) return error;
  if (!isServiceError(error)) {
    return new TaskHubError('UNAVAILABLE', `${method} failed`, { cause: error });
  }
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new TimeoutError(`${method} timed out`, { cause: error });
  }
  const text = error.details === '' ? `${method} failed: ${status[error.code]}` : error.details;
  return new TaskHubError(codeOf(error), text, { cause: error });
}

function codeOf(error: ServiceError): ErrorCode {
  if (error.code === status.NOT_FOUND) {
    const special = NOT_FOUND_TEXTS.find(([text]) => text.test(error.details));
    if (special !== undefined) return special[1];
  }
  return CODES[error.code];
}

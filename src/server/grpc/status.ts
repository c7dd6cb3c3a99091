import { status, type StatusObject } from '@grpc/grpc-js';
import { TaskHubError, type ErrorCode } from '../../core/errors.ts';

/**
 * gRPC status of every expected failure (wire-protocol: status codes). A new code does not compile
 * until it has a row. INTERNAL is not here on purpose: .NET workers repeat a completion that gets
 * it, so a permanent refusal must never be INTERNAL.
 */
export const GRPC_STATUS = {
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  INSTANCE_NOT_FOUND: status.NOT_FOUND,
  INSTANCE_ALREADY_EXISTS: status.ALREADY_EXISTS,
  TASK_HUB_NOT_FOUND: status.NOT_FOUND,
  ROLE_ASSIGNMENT_NOT_FOUND: status.NOT_FOUND,
  LEASE_LOST: status.NOT_FOUND, // the product's answer to a stale completion
  WRONG_STATE: status.FAILED_PRECONDITION,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAVAILABLE: status.UNAVAILABLE,
  UNIMPLEMENTED: status.UNIMPLEMENTED,
} as const satisfies Record<ErrorCode, status>;

/** What a caller is told of an error that nobody expected; the log has the rest. */
export const INTERNAL_TEXT = 'The scheduler failed to handle the call; its log says why.';

/**
 * Longest error text sent, in UTF-16 units: it travels percent-encoded in a header, and clients
 * drop the connection over headers of about 8 to 16 KiB.
 */
const DETAILS_MAX = 2_000;

/** The status of a failed call, and whether it is a bug that belongs in the log. */
export function toGrpcStatus(
  error: unknown,
): Pick<StatusObject, 'code' | 'details'> & { readonly isUnexpected: boolean } {
  if (!(error instanceof TaskHubError)) {
    return { code: status.INTERNAL, details: INTERNAL_TEXT, isUnexpected: true };
  }
  return {
    code: GRPC_STATUS[error.code],
    details: headerText(error.message),
    isUnexpected: false,
  };
}

/** grpc-js percent-encodes details and throws on half a surrogate pair, which users can send us. */
function headerText(message: string): string {
  const text = message.length <= DETAILS_MAX ? message : `${message.slice(0, DETAILS_MAX - 1)}…`;
  return text.toWellFormed();
}

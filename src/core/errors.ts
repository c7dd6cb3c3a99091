/**
 * Every expected failure, whatever its door: gRPC, HTTP, command line. Callers switch on `code`;
 * one table for each door turns it into that door's own status (server/grpc/status.ts …).
 */
export const ERROR_CODES = [
  /** No token, or one that does not count: expired, of another issuer, for another audience. */
  'UNAUTHENTICATED',
  /** The caller is known and has no role that allows the call. */
  'PERMISSION_DENIED',
  /** A value that breaks a rule. The message names the value, the rule and the remedy. */
  'INVALID_ARGUMENT',
  /** No such orchestration instance in the task hub. */
  'INSTANCE_NOT_FOUND',
  /** The id of a start is taken by an instance that the reuse policy does not let go. */
  'INSTANCE_ALREADY_EXISTS',
  /** The task hub named by the request does not exist in this scheduler. */
  'TASK_HUB_NOT_FOUND',
  /** No such role assignment, or not one that is stored. */
  'ROLE_ASSIGNMENT_NOT_FOUND',
  /** The completion token is unknown, used, or was given to another worker since. */
  'LEASE_LOST',
  /** The instance exists but is in a state that does not allow the operation. */
  'WRONG_STATE',
  /** A bound was reached (queue, message size); trying again later may succeed. */
  'RESOURCE_EXHAUSTED',
  /** The scheduler is starting, draining or has lost its store; nothing was committed. */
  'UNAVAILABLE',
  /** This server does not offer the operation. */
  'UNIMPLEMENTED',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export class TaskHubError extends Error {
  override readonly name = 'TaskHubError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function invalidArgument(message: string): TaskHubError {
  return new TaskHubError('INVALID_ARGUMENT', message);
}

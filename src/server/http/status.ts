import type { ErrorCode } from '../../core/errors.ts';

/** HTTP status of every expected failure; a new code does not compile until it has a row. */
export const HTTP_STATUS = {
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  INVALID_ARGUMENT: 400,
  INSTANCE_NOT_FOUND: 404,
  INSTANCE_ALREADY_EXISTS: 409,
  TASK_HUB_NOT_FOUND: 404,
  ROLE_ASSIGNMENT_NOT_FOUND: 404,
  LEASE_LOST: 409,
  WRONG_STATE: 409,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  UNIMPLEMENTED: 501,
} as const satisfies Record<ErrorCode, number>;

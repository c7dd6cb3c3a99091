import { invalidArgument } from '../core/errors.ts';

/** The id itself. @throws TaskHubError INVALID_ARGUMENT for an empty one. */
export function requireId(instanceId: string): string {
  if (instanceId === '') throw invalidArgument('instanceId must not be empty');
  return instanceId;
}

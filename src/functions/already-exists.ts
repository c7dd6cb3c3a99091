import { TaskHubError } from '../core/errors.ts';

/** A start with the id of an instance that is to be kept (the name that durable-functions 4 gives it). */
export class OrchestrationAlreadyExistsError extends Error {
  override readonly name = 'OrchestrationAlreadyExistsError';
  /** As on the scheduler's own error, which is the cause. */
  readonly code = 'INSTANCE_ALREADY_EXISTS';
}

/** Gives a start that was refused for its id the error of durable-functions. */
export async function namingTakenIds(start: Promise<string>): Promise<string> {
  try {
    return await start;
  } catch (error) {
    const isTaken = error instanceof TaskHubError && error.code === 'INSTANCE_ALREADY_EXISTS';
    throw isTaken ? new OrchestrationAlreadyExistsError(error.message, { cause: error }) : error;
  }
}

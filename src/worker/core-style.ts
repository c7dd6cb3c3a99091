import { CoreOrchestrationContext } from '../replay/core-context.ts';
import { TaskFailedError } from '../replay/errors.ts';
import type { TaskFailureInfo } from '../replay/failure.ts';
import type { OrchestratorStyle } from './registry.ts';

/** Orchestrators written as for `@microsoft/durabletask-js`: tasks run from the call on. */
export const coreStyle: OrchestratorStyle = {
  scheduling: 'eager',
  createContext: (engine) => new CoreOrchestrationContext(engine),
  createFailure,
};

function createFailure({ kind, taskId, details }: TaskFailureInfo): Error {
  const what = kind === 'activity' ? 'Activity task' : 'Sub-orchestration task';
  return new TaskFailedError(`${what} #${taskId} failed: ${details.errorMessage}`, details);
}

import { CoreOrchestrationContext } from '../replay/core-context.ts';
import { TaskFailedError } from '../replay/errors.ts';
import type { TaskFailureInfo } from '../replay/failure.ts';
import type { OrchestratorStyle } from './registry.ts';

/**
 * Orchestrators written as for `@microsoft/durabletask-js`: tasks run from the call on.
 * `defaultVersion` is that of sub-orchestrations that are called without one.
 */
export function coreStyle(defaultVersion: string | undefined): OrchestratorStyle {
  return {
    scheduling: 'eager',
    createContext: (engine) => new CoreOrchestrationContext(engine, { defaultVersion }),
    createFailure,
  };
}

function createFailure({ kind, taskId, details }: TaskFailureInfo): Error {
  const what = kind === 'activity' ? 'Activity task' : 'Sub-orchestration task';
  return new TaskFailedError(`${what} #${taskId} failed: ${details.errorMessage}`, details);
}

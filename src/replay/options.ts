import type { TaskFailureInfo } from './failure.ts';
import type { Sha1 } from './guid.ts';
import type { OrchestrationEngine } from './engine.ts';

/** When a task is scheduled: when it is yielded, or when it is created. */
export type Scheduling = 'lazy' | 'eager';

/** Bounds of one orchestration. */
export interface ReplayLimits {
  /** Actions that one turn may ask for. */
  readonly actionsMax: number;
  /** How long an async orchestrator may wait for something that is not durable, in one step. */
  readonly nonDurableWaitMs: number;
}

/** Everything that differs between orchestrators and styles; all values are required and final. */
export interface OrchestratorOptions {
  /** The orchestrator's registered name. */
  readonly name: string;
  /** Generator function, async generator function, async function or plain function. */
  readonly handler: (context: never, input: unknown) => unknown;
  /**
   * lazy: nothing is scheduled before it is yielded (classic `context.df`). eager: at the call (core).
   * byHandler: lazy for handlers that are or return a generator, eager for all others.
   */
  readonly scheduling: Scheduling | 'byHandler';
  /** Builds the context that the handler gets. Called once, when the execution starts. */
  readonly createContext: (engine: OrchestrationEngine) => unknown;
  /** Builds the error that user code catches when an activity or a child fails. */
  readonly createFailure: (info: TaskFailureInfo) => Error;
  readonly sha1: Sha1;
  /** Resolves after `ms`; rejects or never settles once aborted. Used for async orchestrators only. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly limits: ReplayLimits;
}

/** Which execution a session is for. */
export interface ExecutionIds {
  readonly instanceId: string;
  readonly executionId: string;
}

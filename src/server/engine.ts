/** What the doors of the server ask of the scheduler: its public side, so that a test may stand in for it. */
import type { Scheduler } from '../scheduler/scheduler.ts';

export type {
  ConnectOptions as OpenWorkerStreamOptions,
  WorkerStream,
} from '../scheduler/workers.ts';
export type { WorkItemSink } from '../scheduler/worker-stream.ts';

/** Every method may throw `TaskHubError`; a reply means that the effect is durable. */
export type Engine = Omit<EngineMethods, 'entities'> & {
  /** What clients do with entities. */
  readonly entities: Pick<Scheduler['entities'], 'signal' | 'get' | 'query' | 'clean'>;
};

type EngineMethods = Pick<
  Scheduler,
  | 'taskHubs'
  | 'assertTaskHub'
  | 'refusalAtDoor'
  | 'workers'
  | 'inspector'
  | 'metrics'
  | 'retention'
  | 'createTaskHub'
  | 'deleteTaskHub'
  | 'startInstance'
  | 'getInstance'
  | 'waitForInstance'
  | 'raiseEvent'
  | 'terminate'
  | 'suspend'
  | 'resume'
  | 'queryInstances'
  | 'listInstanceIds'
  | 'purgeInstances'
  | 'restartInstance'
  | 'rewindInstance'
  | 'forceEnd'
  | 'entities'
  | 'completeEntity'
  | 'parkedItems'
  | 'retryParked'
  | 'openWorkerStream'
  | 'drainWorker'
  | 'completeOrchestration'
  | 'completeActivity'
  | 'abandon'
  | 'streamHistory'
  | 'close'
>;

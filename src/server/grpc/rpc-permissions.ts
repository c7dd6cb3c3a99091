import type { TaskHubSidecarService } from '../../proto/orchestrator_service_pb.ts';
import type { Permission } from '../permissions.ts';

/** The RPCs of the client and worker service, by the generated code's method name. */
export type RpcName = keyof (typeof TaskHubSidecarService)['method'];

/** What each RPC asks of its caller; an RPC without a row does not compile, and fails a test. */
export const RPC_PERMISSIONS = {
  hello: 'connect',
  startInstance: 'write',
  getInstance: 'read',
  rewindInstance: 'write',
  restartInstance: 'write',
  waitForInstanceStart: 'read',
  waitForInstanceCompletion: 'read',
  raiseEvent: 'write',
  terminateInstance: 'write',
  suspendInstance: 'write',
  resumeInstance: 'write',
  queryInstances: 'read',
  listInstanceIds: 'read',
  purgeInstances: 'write',
  getWorkItems: 'work',
  completeActivityTask: 'work',
  completeOrchestratorTask: 'work',
  completeEntityTask: 'work',
  // Workers fetch the history of what they work on with it: the handler looks at what it is for.
  streamInstanceHistory: 'connect',
  createTaskHub: 'manage',
  deleteTaskHub: 'manage',
  signalEntity: 'write',
  getEntity: 'read',
  queryEntities: 'read',
  cleanEntityStorage: 'write',
  abandonTaskActivityWorkItem: 'work',
  abandonTaskOrchestratorWorkItem: 'work',
  abandonTaskEntityWorkItem: 'work',
  skipGracefulOrchestrationTerminations: 'write',
} as const satisfies Record<RpcName, Permission>;

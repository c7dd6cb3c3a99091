/** Lists, purges, restarts, rewinds and forced ends (wire-protocol 3.8 to 3.10, 3.13, 6). */
import { create } from '@bufbuild/protobuf';
import { InstanceQuerySchema } from '../../proto/orchestrator_service_pb.ts';
import type { TaskHubHandlers, TaskHubServiceOptions } from './task-hub-service.ts';

type ManagementRpc =
  | 'rewindInstance'
  | 'restartInstance'
  | 'queryInstances'
  | 'listInstanceIds'
  | 'purgeInstances'
  | 'skipGracefulOrchestrationTerminations';

export function managementHandlers({
  engine,
}: TaskHubServiceOptions): Pick<TaskHubHandlers, ManagementRpc> {
  return {
    rewindInstance: async (request, call) => {
      await engine.rewindInstance(call.taskHub, request);
      return {};
    },
    restartInstance: async (request, call) => ({
      instanceId: await engine.restartInstance(call.taskHub, request),
    }),
    queryInstances: async ({ query = create(InstanceQuerySchema) }, call) => {
      const { states, continuationToken } = await engine.queryInstances(call.taskHub, query);
      // Never an empty token: some clients take it for another page, for ever.
      return {
        orchestrationState: [...states],
        ...(continuationToken !== undefined && { continuationToken }),
      };
    },
    listInstanceIds: async (request, call) => {
      const { ids, lastKey } = await engine.listInstanceIds(call.taskHub, request);
      return { instanceIds: [...ids], ...(lastKey !== undefined && { lastInstanceKey: lastKey }) };
    },
    purgeInstances: async (request, call) => {
      const { deleted, isComplete } = await engine.purgeInstances(call.taskHub, request);
      return { deletedInstanceCount: deleted, isComplete };
    },
    skipGracefulOrchestrationTerminations: async (request, call) => ({
      unterminatedInstanceIds: [...(await engine.forceEnd(call.taskHub, request))],
    }),
  };
}

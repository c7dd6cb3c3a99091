/** Entities, as clients and workers ask for them (wire-protocol 7.4, 7.7). */
import { create } from '@bufbuild/protobuf';
import { EntityQuerySchema } from '../../proto/orchestrator_service_pb.ts';
import type { TaskHubHandlers, TaskHubServiceOptions } from './task-hub-service.ts';

type EntityRpc =
  'signalEntity' | 'getEntity' | 'queryEntities' | 'cleanEntityStorage' | 'completeEntityTask';

export function entityHandlers({
  engine,
}: TaskHubServiceOptions): Pick<TaskHubHandlers, EntityRpc> {
  return {
    signalEntity: async (request, call) => {
      await engine.entities.signal(call.taskHub, request);
      return {};
    },
    getEntity: async (request, call) => {
      const entity = await engine.entities.get(call.taskHub, request);
      return entity ? { exists: true, entity } : { exists: false };
    },
    queryEntities: async ({ query = create(EntityQuerySchema) }, call) => {
      const { entities, continuationToken } = await engine.entities.query(call.taskHub, query);
      return {
        entities: [...entities],
        ...(continuationToken !== undefined && { continuationToken }),
      };
    },
    cleanEntityStorage: async (request, call) => {
      const cleaned = await engine.entities.clean(call.taskHub, request);
      const { locksReleased, continuationToken } = cleaned;
      return {
        orphanedLocksReleased: locksReleased,
        ...(continuationToken !== undefined && { continuationToken }),
      };
    },
    completeEntityTask: async (result, call) => {
      await engine.completeEntity(call.taskHub, result);
      return {};
    },
  };
}

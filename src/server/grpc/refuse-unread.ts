/**
 * Refuses calls of a hub that is over its rate before their message is read: under overload most of a scheduler's time
 * would go into reading what it refuses, and quiet hubs wait for that time too.
 */
import {
  ServerInterceptingCall,
  type Metadata,
  type ServerInterceptor,
  type ServerMethodDefinition,
} from '@grpc/grpc-js';
import { recordCall } from '../../telemetry/recorded-metrics.ts';
import { TaskHubSidecarService } from '../../proto/orchestrator_service_pb.ts';
import type { Guard } from '../auth/guard.ts';
import type { Engine } from '../engine.ts';
import { taskHubOf } from './call-context.ts';
import type { RpcName } from './rpc-permissions.ts';
import { GRPC_STATUS } from './status.ts';

/** The calls that make new work, whatever they carry. */
const MAKES_WORK = [
  'startInstance',
  'restartInstance',
  'rewindInstance',
  'raiseEvent',
  'signalEntity',
] as const satisfies readonly RpcName[];

/**
 * Where callers are asked who they are, only those who were found to be let in are refused here: nobody else learns
 * that the hub exists.
 */
export function refuseUnread({
  engine,
  guard,
}: {
  readonly engine: Pick<Engine, 'refusalAtDoor'>;
  readonly guard: Guard | undefined;
}): ServerInterceptor {
  const refusal = (metadata: Metadata): string | undefined => {
    const taskHub = taskHubOf(metadata);
    const [authorization] = metadata.get('authorization').map(String);
    const isKnown = guard?.knows(authorization, 'write', taskHub) ?? true;
    return isKnown ? engine.refusalAtDoor(taskHub) : undefined;
  };
  const methods = new Map(
    MAKES_WORK.map((name) => {
      const { parent, name: method } = TaskHubSidecarService.method[name];
      return [`/${parent.typeName}/${method}`, { service: parent.typeName, method }];
    }),
  );
  return ({ path }: ServerMethodDefinition<unknown, unknown>, call) => {
    const labels = methods.get(path);
    if (labels === undefined) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, goOn) => {
            const details = refusal(metadata);
            if (details === undefined) {
              goOn(metadata);
              return;
            }
            const code = GRPC_STATUS.RESOURCE_EXHAUSTED;
            call.sendStatus({ code, details });
            recordCall('serverCallDuration', { ...labels, code, durationMs: 0 });
          },
        });
      },
    });
  };
}

import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../core/errors.ts';
import type { CreateInstanceRequestSchema } from '../proto/orchestrator_service_pb.ts';
import type { TraceContextFields } from '../telemetry/trace-context.ts';
import type { StartOrchestrationOptions } from './client-options.ts';
import { encodeJson } from './json.ts';

/** @throws TaskHubError INVALID_ARGUMENT for an empty name and an input that JSON cannot hold. */
export function encodeStart(
  name: string,
  input: unknown,
  options: StartOrchestrationOptions & {
    readonly instanceId: string;
    readonly parentTraceContext: TraceContextFields | undefined;
  },
): MessageInitShape<typeof CreateInstanceRequestSchema> & { readonly instanceId: string } {
  if (name === '') throw invalidArgument('The orchestrator must have a name');
  const text = encodeJson(input, 'The input');
  const { instanceId, version, startAt, replaceableStatuses, parentTraceContext } = options;
  return {
    instanceId,
    name,
    tags: { ...options.tags },
    ...(parentTraceContext !== undefined && { parentTraceContext }),
    ...(text !== undefined && { input: text }),
    ...(version !== undefined && { version }),
    ...(startAt !== undefined && { scheduledStartTimestamp: timestampFromDate(startAt) }),
    ...(replaceableStatuses !== undefined && {
      orchestrationIdReusePolicy: { replaceableStatus: [...replaceableStatuses] },
    }),
  };
}

/** What the store knows, in the protocol's own words. */
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { optional } from '../core/optional.ts';
import {
  OrchestrationStateSchema,
  type OrchestrationState,
} from '../proto/orchestrator_service_pb.ts';
import type { InstanceRecord } from '../storage/store.ts';

/** Unset stays unset: clients tell "no value" from an empty one. */
export function orchestrationState(record: InstanceRecord): OrchestrationState {
  const time = (at: number | undefined): ReturnType<typeof timestampFromMs> | undefined =>
    at === undefined ? undefined : timestampFromMs(at);
  return create(OrchestrationStateSchema, {
    instanceId: record.instanceId,
    name: record.name,
    orchestrationStatus: record.status,
    createdTimestamp: timestampFromMs(record.createdAt),
    lastUpdatedTimestamp: timestampFromMs(record.updatedAt),
    executionId: record.executionId,
    tags: record.tags,
    ...(record.version !== '' && { version: record.version }),
    ...optional('completedTimestamp', time(record.completedAt)),
    ...optional('scheduledStartTimestamp', time(record.scheduledAt)),
    ...optional('parentInstanceId', record.parentInstanceId),
    ...optional('input', record.input),
    ...optional('output', record.output),
    ...optional('customStatus', record.customStatus),
    ...optional('failureDetails', record.failureDetails),
  });
}

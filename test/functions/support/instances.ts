import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import type { OrchestrationStateSchema } from '../../../src/proto/orchestrator_service_pb.ts';
import {
  GetInstanceResponseSchema,
  OrchestrationStatus,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { GetInstanceResponse } from '../../../src/proto/orchestrator_service_pb.ts';

export const CREATED_AT = new Date('2026-01-02T03:04:05.678Z');
export const UPDATED_AT = new Date('2026-01-02T03:04:06.789Z');

type StateInit = MessageInitShape<typeof OrchestrationStateSchema>;

/** A scheduler's answer that describes a running instance, with some fields changed. */
export function instanceReply(changes: StateInit = {}): GetInstanceResponse {
  return create(GetInstanceResponseSchema, {
    exists: true,
    orchestrationState: {
      instanceId: 'abc',
      name: 'Hello',
      orchestrationStatus: OrchestrationStatus.RUNNING,
      createdTimestamp: timestampFromDate(CREATED_AT),
      lastUpdatedTimestamp: timestampFromDate(UPDATED_AT),
      input: '{"city":"Tokyo"}',
      ...changes,
    },
  });
}

/** The same for one that has failed. */
export function failedReply(message: string): GetInstanceResponse {
  return instanceReply({
    orchestrationStatus: OrchestrationStatus.FAILED,
    failureDetails: { errorType: 'Error', errorMessage: message },
  });
}

/**
 * Workers whose protocol has no completion tokens yet (`durabletask-client` 1.5.0 for Java): they name what they
 * completed by its instance, and an activity also by its task.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { ActivityRequestSchema } from '../proto/orchestrator_service_pb.ts';
import type { Claimed, ClaimedEntity } from '../storage/store.ts';
import type { ConnectOptions } from './workers.ts';

/** What a completion without a token is about. */
export interface Subject {
  readonly kind: 'orchestration' | 'activity';
  readonly instanceId: string;
  /** Activities only. */
  readonly taskId?: number;
}

/** True for a stream that may be one of theirs: later workers say something about themselves. */
export function mayLackTokens(options: ConnectOptions): boolean {
  const { workerId, userAgent, request } = options;
  const concurrency =
    request.maxConcurrentOrchestrationWorkItems + request.maxConcurrentActivityWorkItems;
  return workerId === undefined && userAgent === undefined && concurrency === 0;
}

export function subjectOf(item: Exclude<Claimed, ClaimedEntity>): string {
  if (item.kind === 'orchestration') {
    return subjectKey({ kind: item.kind, instanceId: item.instanceId });
  }
  const { orchestrationInstance, taskId } = fromBinary(ActivityRequestSchema, item.request);
  return subjectKey({
    kind: item.kind,
    instanceId: orchestrationInstance?.instanceId ?? '',
    taskId,
  });
}

export function subjectKey({ kind, instanceId, taskId }: Subject): string {
  return `${kind} ${taskId ?? ''} ${instanceId}`;
}

/** The `executionStarted` of a sub-orchestration, without a time. */
import type {
  ExecutionStartedEvent,
  SubOrchestrationInstanceCreatedEvent,
} from '../proto/orchestrator_service_pb.ts';
import { encodeEvent, type StoredEvent } from '../wire/events.ts';
import { optional } from './optional.ts';

export interface ChildIdentity {
  /** Action id in the parent. */
  readonly taskId: number;
  readonly executionId: string;
  readonly parent: {
    readonly instanceId: string;
    readonly executionId: string;
    readonly name: string;
    readonly version: string;
  };
}

type Asked = Pick<
  SubOrchestrationInstanceCreatedEvent,
  'instanceId' | 'name' | 'version' | 'input' | 'tags' | 'parentTraceContext'
>;

/** What the child is told of itself and of who waits for it (proto: ExecutionStartedEvent.parentInstance). */
export function childStarted(
  asked: Asked,
  { taskId, executionId, parent }: ChildIdentity,
): StoredEvent {
  const value: Omit<Partial<ExecutionStartedEvent>, '$typeName' | '$unknown'> = {
    name: asked.name,
    tags: asked.tags,
    ...optional('version', asked.version),
    ...optional('input', asked.input),
    ...optional('parentTraceContext', asked.parentTraceContext),
  };
  return encodeEvent({
    eventType: {
      case: 'executionStarted',
      value: {
        ...value,
        orchestrationInstance: { instanceId: asked.instanceId, executionId },
        parentInstance: {
          taskScheduledId: taskId,
          name: parent.name,
          ...(parent.version !== '' && { version: parent.version }),
          orchestrationInstance: {
            instanceId: parent.instanceId,
            executionId: parent.executionId,
          },
        },
      },
    },
  });
}

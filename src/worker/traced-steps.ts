/** Steps of an orchestration as spans: what opens one in the history, what ends it, and what it looks like. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type {
  HistoryEvent,
  SubOrchestrationInstanceCreatedEvent,
  TaskScheduledEvent,
} from '../proto/orchestrator_service_pb.ts';
import type { StepType } from '../telemetry/span-names.ts';
import { ATTRIBUTE, taskSpanName, timerSpanName } from '../telemetry/span-names.ts';
import type { EndedSpan, SpanFailure } from '../telemetry/spans.ts';
import { SpanKind } from '../telemetry/spans.ts';
import type { RemoteSpan } from '../telemetry/trace-context.ts';
import { readTraceParent } from '../telemetry/trace-context.ts';
import { failureOf } from './span-outcome.ts';

/** An activity or a sub-orchestration that was asked for. */
interface OpenTask {
  readonly type: StepType;
  readonly name: string;
  readonly version: string | undefined;
  readonly startAt: number;
  /** The span that whoever runs it has as parent. */
  readonly self: RemoteSpan | undefined;
}

interface OpenTimer {
  readonly type: 'timer';
  readonly fireAt: number;
  readonly startAt: number;
}

/** A step without its end. */
export type OpenStep = OpenTask | OpenTimer;

/** What ended a step. */
export interface StepEnd {
  readonly stepId: number;
  readonly failure: SpanFailure | undefined;
}

/** The step that a history event opens. */
export function openedStep({ eventType, timestamp }: HistoryEvent): OpenStep | undefined {
  const startAt = timestamp === undefined ? 0 : timestampMs(timestamp);
  switch (eventType.case) {
    case 'taskScheduled':
      return openTask('activity', eventType.value, startAt);
    case 'subOrchestrationInstanceCreated':
      return openTask('orchestration', eventType.value, startAt);
    case 'timerCreated': {
      const { fireAt } = eventType.value;
      return {
        type: 'timer',
        startAt,
        fireAt: fireAt === undefined ? startAt : timestampMs(fireAt),
      };
    }
    default:
      return undefined;
  }
}

function openTask(
  type: StepType,
  scheduled: TaskScheduledEvent | SubOrchestrationInstanceCreatedEvent,
  startAt: number,
): OpenTask {
  const { name, version, parentTraceContext: context } = scheduled;
  const self = readTraceParent(context?.traceParent, context?.traceState);
  return { type, name, version, startAt, self };
}

/** The step that a history event ends, and how. */
export function stepEnd({ eventType }: HistoryEvent): StepEnd | undefined {
  switch (eventType.case) {
    case 'taskCompleted':
    case 'subOrchestrationInstanceCompleted':
      return { stepId: eventType.value.taskScheduledId, failure: undefined };
    case 'taskFailed':
    case 'subOrchestrationInstanceFailed': {
      const { taskScheduledId, failureDetails } = eventType.value;
      return { stepId: taskScheduledId, failure: failureOf(failureDetails) };
    }
    case 'timerFired':
      return { stepId: eventType.value.timerId, failure: undefined };
    default:
      return undefined;
  }
}

export interface EndedStepOptions {
  readonly taskId: number;
  readonly instanceId: string;
  /** Name of the orchestration. */
  readonly orchestration: string;
  readonly parent: RemoteSpan;
  readonly endAt: number;
  readonly failure: SpanFailure | undefined;
}

/** The span of a step that is over. */
export function endedStep(step: OpenStep, options: EndedStepOptions): EndedSpan {
  const { taskId, instanceId, orchestration, parent, failure } = options;
  const { startAt } = step;
  const common = { startAt, endAt: Math.max(startAt, options.endAt), parent, failure };
  const ids = { [ATTRIBUTE.instanceId]: instanceId, [ATTRIBUTE.taskId]: taskId };
  if (step.type === 'timer') {
    const fireAt = new Date(step.fireAt).toISOString();
    return {
      ...common,
      name: timerSpanName(orchestration),
      kind: SpanKind.INTERNAL,
      attributes: {
        [ATTRIBUTE.type]: 'timer',
        [ATTRIBUTE.name]: orchestration,
        [ATTRIBUTE.fireAt]: fireAt,
        ...ids,
      },
    };
  }
  const { type, name, version, self } = step;
  return {
    ...common,
    name: taskSpanName(type, name, version),
    kind: SpanKind.CLIENT,
    self,
    attributes: {
      [ATTRIBUTE.type]: type,
      [ATTRIBUTE.name]: name,
      ...(version !== undefined && { [ATTRIBUTE.version]: version }),
      ...ids,
    },
  };
}

/** Steps of an orchestration as spans: what opens one in the history, what ends it, and what it looks like. */
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type {
  EntityOperationCalledEvent,
  HistoryEvent,
  SubOrchestrationInstanceCreatedEvent,
  TaskScheduledEvent,
} from '../proto/orchestrator_service_pb.ts';
import type { Attributes } from '@opentelemetry/api';
import type { StepType } from '../telemetry/span-names.ts';
import {
  ATTRIBUTE,
  entitySpanName,
  LOCK_SPAN_NAME,
  taskSpanName,
  timerSpanName,
} from '../telemetry/span-names.ts';
import type { EndedSpan, SpanFailure } from '../telemetry/spans.ts';
import { SpanKind } from '../telemetry/spans.ts';
import type { RemoteSpan } from '../telemetry/trace-context.ts';
import { readTraceParent } from '../telemetry/trace-context.ts';
import { operationTrace } from '../wire/entity-trace.ts';
import { operationAttributes } from './entity-spans.ts';
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

/** A call of an operation, or the wait for the locks of a critical section. */
interface OpenEntityStep {
  readonly type: 'entity';
  readonly name: string;
  readonly attributes: Attributes;
  readonly startAt: number;
  readonly self: RemoteSpan | undefined;
}

interface OpenTimer {
  readonly type: 'timer';
  readonly fireAt: number;
  readonly startAt: number;
}

/** A step without its end. */
export type OpenStep = OpenTask | OpenEntityStep | OpenTimer;

/** Names a step: its event id, or the id that an entity answers with. */
export type StepKey = number | string;

/** What ended a step. */
export interface StepEnd {
  readonly key: StepKey;
  readonly failure: SpanFailure | undefined;
}

/** The step that a history event opens. */
export function openedStep(event: HistoryEvent): OpenStep | undefined {
  const { eventType, timestamp } = event;
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
    case 'entityOperationCalled':
      return openCall(eventType.value, startAt);
    case 'entityLockRequested':
      return openLock(startAt);
    default:
      return undefined;
  }
}

/** What a history event's step goes by. */
export function keyOf({ eventId, eventType }: HistoryEvent): StepKey {
  if (eventType.case === 'entityOperationCalled') return eventType.value.requestId;
  return eventType.case === 'entityLockRequested' ? eventType.value.criticalSectionId : eventId;
}

/** A call whose own span travels with it. */
export function openCall(call: EntityOperationCalledEvent, startAt: number): OpenStep {
  const { operation, targetInstanceId = '' } = call;
  const trace = operationTrace(call);
  return {
    type: 'entity',
    name: entitySpanName('call_entity', operation),
    attributes: operationAttributes(targetInstanceId, operation),
    startAt,
    self: readTraceParent(trace?.traceParent, trace?.traceState),
  };
}

export function openLock(startAt: number): OpenStep {
  const attributes = { [ATTRIBUTE.type]: 'entity' };
  return { type: 'entity', name: LOCK_SPAN_NAME, attributes, startAt, self: undefined };
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
      return { key: eventType.value.taskScheduledId, failure: undefined };
    case 'taskFailed':
    case 'subOrchestrationInstanceFailed': {
      const { taskScheduledId, failureDetails } = eventType.value;
      return { key: taskScheduledId, failure: failureOf(failureDetails) };
    }
    case 'timerFired':
      return { key: eventType.value.timerId, failure: undefined };
    case 'entityOperationCompleted':
      return { key: eventType.value.requestId, failure: undefined };
    case 'entityOperationFailed': {
      const { requestId, failureDetails } = eventType.value;
      return { key: requestId, failure: failureOf(failureDetails) };
    }
    case 'entityLockGranted':
      return { key: eventType.value.criticalSectionId, failure: undefined };
    default:
      return undefined;
  }
}

export interface EndedStepOptions {
  readonly key: StepKey;
  readonly instanceId: string;
  /** Name of the orchestration. */
  readonly orchestration: string;
  readonly parent: RemoteSpan;
  readonly endAt: number;
  readonly failure: SpanFailure | undefined;
}

/** The span of a step that is over. */
export function endedStep(step: OpenStep, options: EndedStepOptions): EndedSpan {
  const { key, instanceId, orchestration, parent, failure } = options;
  const { startAt } = step;
  const common = { startAt, endAt: Math.max(startAt, options.endAt), parent, failure };
  const ids = {
    [ATTRIBUTE.instanceId]: instanceId,
    ...(typeof key === 'number' && { [ATTRIBUTE.taskId]: key }),
  };
  if (step.type === 'entity') {
    const { name, self } = step;
    const attributes = { ...step.attributes, ...ids };
    return { ...common, name, kind: SpanKind.CLIENT, self, attributes };
  }
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

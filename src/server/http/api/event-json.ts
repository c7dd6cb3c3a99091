/** History events as the API shows them: payloads are summaries until somebody asks for one. */
import { timestampMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import { optional } from '../../../core/optional.ts';
import type { HistoryEvent, TaskFailureDetails } from '../../../proto/orchestrator_service_pb.ts';
import type { HistoryEntry, HistoryPosition } from '../../../storage/inspection.ts';
import { decodeEvent } from '../../../wire/events.ts';
import type { EventJson, FailureJson, PayloadSummaryJson } from './contract.ts';
import { iso } from './route.ts';
import { statusWord } from './status-words.ts';

/** Characters of a payload that come with its event. */
const PREVIEW = 2048;
/** Failures inside failures that are shown; deeper ones are cut. */
const FAILURE_DEPTH = 20;

export function refOf({ chunk, index, position }: HistoryPosition & { position: number }): string {
  return `${chunk}.${index}.${position}`;
}

export function parseRef(ref: string): (HistoryPosition & { position: number }) | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})\.(\d{1,15})$/.exec(ref);
  if (!match) return undefined;
  return { chunk: Number(match[1]), index: Number(match[2]), position: Number(match[3]) };
}

export function decodeEntry({ bytes }: Pick<HistoryEntry, 'bytes'>): HistoryEvent {
  return decodeEvent({ type: 0, bytes });
}

export interface EventOptions {
  /** Without it events say that there are payloads, not what they begin with. */
  readonly previews: boolean;
}

export function eventJson(entry: HistoryEntry, { previews }: EventOptions): EventJson {
  const event = decodeEntry(entry);
  const payloads = Object.entries(payloadsOf(event)).map(
    ([field, text]) => [field, summaryOf(text, previews ? PREVIEW : 0)] as const,
  );
  return {
    ref: refOf(entry),
    position: entry.position,
    kind: event.eventType.case ?? 'unknown',
    eventId: event.eventId,
    ...optional('at', timeOf(event.timestamp)),
    ...detailsOf(event),
    ...(payloads.length > 0 && { payloads: Object.fromEntries(payloads) }),
  };
}

function timeOf(time: Timestamp | undefined): string | undefined {
  return time && iso(timestampMs(time));
}

export function summaryOf(text: string, previewMax: number): PayloadSummaryJson {
  const isCut = text.length > previewMax;
  return {
    bytes: Buffer.byteLength(text),
    ...(previewMax > 0 && { preview: isCut ? text.slice(0, previewMax) : text }),
    isCut,
  };
}

const PAYLOAD_FIELDS = ['input', 'result', 'output', 'data'] as const;

/** Every payload of an event by the name of its field. */
export function payloadsOf({ eventType }: HistoryEvent): Readonly<Record<string, string>> {
  const value = (eventType.value ?? {}) as Readonly<Record<string, unknown>>;
  const found: Record<string, string> = {};
  for (const field of PAYLOAD_FIELDS) {
    const payload = value[field];
    if (typeof payload === 'string') found[field] = payload;
  }
  return found;
}

type Details = Partial<
  Omit<EventJson, 'ref' | 'position' | 'kind' | 'eventId' | 'at' | 'payloads'>
>;

function named(value: { readonly name: string; readonly version?: string | undefined }): Details {
  return { name: value.name, ...optional('version', value.version) };
}

// One case for each event that says more than its kind.
// eslint-disable-next-line complexity
function detailsOf({ eventType }: HistoryEvent): Details {
  switch (eventType.case) {
    case 'executionStarted': {
      const { parentInstance, scheduledStartTimestamp } = eventType.value;
      return {
        ...named(eventType.value),
        ...optional('target', parentInstance?.orchestrationInstance?.instanceId),
        ...optional('fireAt', timeOf(scheduledStartTimestamp)),
      };
    }
    case 'taskScheduled':
      return named(eventType.value);
    case 'subOrchestrationInstanceCreated':
      return { ...named(eventType.value), target: eventType.value.instanceId };
    case 'executionCompleted': {
      const { orchestrationStatus, failureDetails } = eventType.value;
      return { status: statusWord(orchestrationStatus), ...failed(failureDetails) };
    }
    case 'executionTerminated':
      return { recurse: eventType.value.recurse };
    case 'taskCompleted':
    case 'subOrchestrationInstanceCompleted':
      return { scheduledId: eventType.value.taskScheduledId };
    case 'taskFailed':
    case 'subOrchestrationInstanceFailed': {
      const { taskScheduledId, failureDetails } = eventType.value;
      return { scheduledId: taskScheduledId, ...failed(failureDetails) };
    }
    case 'timerCreated':
      return { ...optional('fireAt', timeOf(eventType.value.fireAt)) };
    case 'timerFired': {
      const { timerId, fireAt } = eventType.value;
      return { scheduledId: timerId, ...optional('fireAt', timeOf(fireAt)) };
    }
    case 'eventRaised':
      return { name: eventType.value.name };
    case 'eventSent':
      return { name: eventType.value.name, target: eventType.value.instanceId };
    case 'executionRewound':
      return { ...optional('reason', eventType.value.reason) };
    default:
      return entityDetailsOf({ eventType });
  }
}

function entityDetailsOf({ eventType }: Pick<HistoryEvent, 'eventType'>): Details {
  switch (eventType.case) {
    case 'entityOperationCalled':
    case 'entityOperationSignaled': {
      const { requestId, operation, targetInstanceId, scheduledTime } = eventType.value;
      return {
        ...{ requestId, name: operation },
        ...optional('target', targetInstanceId),
        ...optional('fireAt', timeOf(scheduledTime)),
      };
    }
    case 'entityOperationCompleted':
      return { requestId: eventType.value.requestId };
    case 'entityOperationFailed': {
      const { requestId, failureDetails } = eventType.value;
      return { requestId, ...failed(failureDetails) };
    }
    case 'entityLockRequested': {
      const { criticalSectionId, lockSet } = eventType.value;
      return { requestId: criticalSectionId, lockSet: [...lockSet] };
    }
    case 'entityLockGranted':
      return { requestId: eventType.value.criticalSectionId };
    case 'entityUnlockSent': {
      const { criticalSectionId, targetInstanceId } = eventType.value;
      return { requestId: criticalSectionId, ...optional('target', targetInstanceId) };
    }
    default:
      return {};
  }
}

function failed(details: TaskFailureDetails | undefined): Details {
  return details ? { failure: failureJson(details) } : {};
}

export function failureJson(details: TaskFailureDetails, depth = 1): FailureJson {
  const { errorType: type, errorMessage: message, stackTrace, innerFailure } = details;
  return {
    ...{ type, message },
    ...optional('stackTrace', stackTrace),
    ...(details.isNonRetriable && { isNonRetriable: true }),
    ...(innerFailure && depth < FAILURE_DEPTH && { inner: failureJson(innerFailure, depth + 1) }),
  };
}

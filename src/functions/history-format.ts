import { toJson } from '@bufbuild/protobuf';
import { timestampDate, ValueSchema } from '@bufbuild/protobuf/wkt';
import type { HistoryEvent, TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';
import { runtimeStatusOf, valueOf } from './instance-status.ts';

/** What a history shows beside names and times. */
export interface FormatHistoryOptions {
  readonly showInput: boolean;
  /** Results of tasks, and the instance's own. */
  readonly showOutput: boolean;
}

/** One line of a formatted history: PascalCase keys, as the HTTP API has them. */
export type FormattedEvent = Readonly<Record<string, unknown>>;

/** An activity or sub-orchestration that was asked for, kept until its completion is met. */
interface Scheduled {
  readonly name: string;
  readonly scheduledTime: string | undefined;
  readonly input: string | undefined;
}

const EPISODE_MARKS = ['orchestratorStarted', 'orchestratorCompleted'];

/**
 * A history as the durable HTTP API shows it: without the marks of turns, and with each scheduled
 * task folded into its completion (which then carries name and time of both).
 */
export function formatHistory(
  events: readonly HistoryEvent[],
  options: FormatHistoryOptions,
): FormattedEvent[] {
  const scheduled = scheduledTasks(events);
  const finished = new Set(events.map(scheduledIdOf));
  return events
    .filter(({ eventType }) => !EPISODE_MARKS.includes(eventType.case ?? ''))
    .filter((event) => !isScheduling(event) || !finished.has(event.eventId))
    .map((event) => formatEvent(event, scheduled, options));
}

function scheduledTasks(events: readonly HistoryEvent[]): ReadonlyMap<number, Scheduled> {
  const tasks = new Map<number, Scheduled>();
  for (const event of events) {
    const { eventType } = event;
    if (
      eventType.case !== 'taskScheduled' &&
      eventType.case !== 'subOrchestrationInstanceCreated'
    ) {
      continue;
    }
    const { name, input } = eventType.value;
    tasks.set(event.eventId, { name, input, scheduledTime: timeOf(event) });
  }
  return tasks;
}

function isScheduling({ eventType }: HistoryEvent): boolean {
  return eventType.case === 'taskScheduled' || eventType.case === 'subOrchestrationInstanceCreated';
}

function scheduledIdOf({ eventType }: HistoryEvent): number | undefined {
  switch (eventType.case) {
    case 'taskCompleted':
    case 'taskFailed':
    case 'subOrchestrationInstanceCompleted':
    case 'subOrchestrationInstanceFailed':
      return eventType.value.taskScheduledId;
    default:
      return undefined;
  }
}

function formatEvent(
  event: HistoryEvent,
  scheduled: ReadonlyMap<number, Scheduled>,
  options: FormatHistoryOptions,
): FormattedEvent {
  const kind = event.eventType.case ?? 'unknown';
  const task = scheduled.get(scheduledIdOf(event) ?? Number.NaN);
  return dropUndefined({
    EventType: kind.charAt(0).toUpperCase() + kind.slice(1),
    Timestamp: timeOf(event),
    ...(task !== undefined && {
      ScheduledTime: task.scheduledTime,
      FunctionName: task.name,
      Input: options.showInput ? valueOf(task.input) : undefined,
    }),
    ...detailsOf(event, options),
  });
}

// eslint-disable-next-line complexity -- one case for each kind of event
function detailsOf(
  { eventType }: HistoryEvent,
  { showInput, showOutput }: FormatHistoryOptions,
): FormattedEvent {
  const input = (text: string | undefined): unknown => (showInput ? valueOf(text) : undefined);
  const result = (text: string | undefined): unknown => (showOutput ? valueOf(text) : undefined);
  switch (eventType.case) {
    case 'executionStarted':
    case 'taskScheduled':
    case 'subOrchestrationInstanceCreated':
      return { FunctionName: eventType.value.name, Input: input(eventType.value.input) };
    case 'executionCompleted': {
      const { orchestrationStatus, failureDetails } = eventType.value;
      return {
        OrchestrationStatus: runtimeStatusOf(orchestrationStatus),
        Result: result(eventType.value.result),
        ...failureOf(failureDetails),
      };
    }
    case 'taskCompleted':
    case 'subOrchestrationInstanceCompleted':
      return { Result: result(eventType.value.result) };
    case 'taskFailed':
    case 'subOrchestrationInstanceFailed':
      return failureOf(eventType.value.failureDetails);
    case 'eventRaised':
    case 'eventSent':
      return { Name: eventType.value.name, Input: input(eventType.value.input) };
    case 'entityOperationCalled':
    case 'entityOperationSignaled':
      return { Name: eventType.value.operation, Input: input(eventType.value.input) };
    case 'entityOperationCompleted':
      return { Result: result(eventType.value.output) };
    case 'entityOperationFailed':
      return failureOf(eventType.value.failureDetails);
    case 'executionTerminated':
    case 'executionSuspended':
    case 'executionResumed':
      return { Input: input(eventType.value.input) };
    case 'timerCreated':
    case 'timerFired':
      return { FireAt: isoOf(eventType.value.fireAt) };
    default:
      return {};
  }
}

function failureOf(failure: TaskFailureDetails | undefined): FormattedEvent {
  if (failure === undefined) return {};
  return {
    Reason: failure.errorMessage,
    Details: failure.stackTrace,
    FailureDetails: pascalCase(failure),
  };
}

function pascalCase(failure: TaskFailureDetails): FormattedEvent {
  const properties = Object.entries(failure.properties).map(([name, value]) => {
    return [name, toJson(ValueSchema, value)] as const;
  });
  return dropUndefined({
    ErrorType: failure.errorType,
    ErrorMessage: failure.errorMessage,
    StackTrace: failure.stackTrace,
    IsNonRetriable: failure.isNonRetriable,
    Properties: properties.length === 0 ? undefined : Object.fromEntries(properties),
    InnerFailure: failure.innerFailure && pascalCase(failure.innerFailure),
  });
}

function timeOf({ timestamp }: HistoryEvent): string | undefined {
  return isoOf(timestamp);
}

function isoOf(timestamp: Parameters<typeof timestampDate>[0] | undefined): string | undefined {
  return timestamp === undefined ? undefined : timestampDate(timestamp).toISOString();
}

function dropUndefined(fields: FormattedEvent): FormattedEvent {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

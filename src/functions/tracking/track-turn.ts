import { timestampMs } from '@bufbuild/protobuf/wkt';
import type {
  CompleteOrchestrationAction,
  HistoryEvent,
} from '../../proto/orchestrator_service_pb.ts';
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import type { TurnResult } from '../../replay/session.ts';
import type { AroundTurn } from '../../worker/registry.ts';
import type { Tracker, TrackingEvent } from './tracker.ts';
import { sizeOf } from './tracker.ts';

/** The events of an orchestrator's turns, which are what `around` makes of them. */
export function trackedTurns(name: string, around: AroundTurn, tracker: Tracker): AroundTurn {
  return (turn, run) => {
    const track = (event: TurnEvent): void => {
      const { instanceId, span } = turn;
      tracker.track({
        instanceId,
        functionName: name,
        functionType: 'Orchestrator',
        span,
        ...event,
      });
    };
    const end = (result: TurnResult): TurnResult => {
      for (const event of endings(name, result)) track(event);
      return result;
    };
    for (const event of turn.newEvents.flatMap(beginnings)) track(event);
    const turned = around(turn, run);
    return turned instanceof Promise ? turned.then(end) : end(turned);
  };
}

type TurnEvent = Pick<TrackingEvent, 'state' | 'text'> & Partial<TrackingEvent>;

const RUNNING = { runtimeStatus: 'Running' };

/** What a new event of the history says. */
function beginnings({ eventType, timestamp }: HistoryEvent): TurnEvent[] {
  if (eventType.case === 'eventRaised') {
    const { name, input } = eventType.value;
    const fields = { reason: `ExternalEvent:${name}`, input: sizeOf(input) };
    return [{ state: 'ExternalEventRaised', text: `received a '${name}' event`, fields }];
  }
  if (eventType.case !== 'executionStarted') return [];
  const { input, parentInstance } = eventType.value;
  const reason = parentInstance?.name ?? 'NewInstance';
  return [
    {
      state: 'Scheduled',
      text: 'scheduled',
      at: timestamp === undefined ? undefined : timestampMs(timestamp),
      fields: { reason, runtimeStatus: 'Pending' },
    },
    { state: 'Started', text: 'started', fields: { input: sizeOf(input), ...RUNNING } },
  ];
}

function endings(name: string, { actions }: TurnResult): TurnEvent[] {
  const told = actions.flatMap((action): TurnEvent[] => {
    const { case: kind, value } = action.orchestratorActionType;
    switch (kind) {
      case 'scheduleTask':
        return [
          {
            ...{ functionName: value.name, functionType: 'Activity' },
            ...{ state: 'Scheduled', text: 'scheduled' },
            fields: { reason: name, taskEventId: String(action.id) },
          },
        ];
      case 'createTimer': {
        const at =
          value.fireAt === undefined ? '' : new Date(timestampMs(value.fireAt)).toISOString();
        const fields = { reason: `CreateTimer:${at}`, ...RUNNING };
        return [{ state: 'Listening', text: 'is waiting for input', fields }];
      }
      case 'completeOrchestration':
        return [completed(value)];
      default:
        return [];
    }
  });
  const isOver = told.some(({ state }) => state === 'Completed' || state === 'Failed');
  return isOver ? told : [...told, { state: 'Awaited', text: 'awaited', fields: RUNNING }];
}

function completed(action: CompleteOrchestrationAction): TurnEvent {
  const { orchestrationStatus, failureDetails, result } = action;
  if (orchestrationStatus === OrchestrationStatus.FAILED) {
    const fields = { reason: failureDetails?.errorMessage ?? '', runtimeStatus: 'Failed' };
    return { state: 'Failed', text: 'failed with an error', fields };
  }
  const isNewExecution = orchestrationStatus === OrchestrationStatus.CONTINUED_AS_NEW;
  return {
    state: 'Completed',
    text: 'completed',
    fields: {
      continuedAsNew: isNewExecution ? 'True' : 'False',
      output: sizeOf(result),
      runtimeStatus: isNewExecution ? 'ContinuedAsNew' : 'Completed',
    },
  };
}

/** Turns and decisions for the tests of core. */
import { create } from '@bufbuild/protobuf';
// Types only: loaded so that coverage sees that nothing in it is left untested.
import '../../src/core/decision.ts';
import type { Decision } from '../../src/core/decision.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { decideOrchestration, type Turn, type TurnEnv } from '../../src/core/orchestration.ts';
import {
  ExecutionStartedEventSchema,
  type HistoryEvent,
  type OrchestratorAction,
} from '../../src/proto/orchestrator_service_pb.ts';
import { decodeEvent, encodeEvent, type EventType } from '../../src/wire/events.ts';
import type { StoredEvent } from '../../src/wire/events.ts';

export const DISPATCHED_AT = 1_000_000;
export const NOW = DISPATCHED_AT + 5000;

export function turnOf(rest: Partial<Turn> = {}): Turn {
  return {
    instanceId: 'parent',
    executionId: 'execution',
    name: 'Orchestrator',
    version: '',
    dispatchedAt: DISPATCHED_AT,
    consumed: [],
    isSuspended: false,
    parentTaskId: undefined,
    started: () => create(ExecutionStartedEventSchema, { name: 'Orchestrator' }),
    ...rest,
  };
}

export function envOf(rest: Partial<TurnEnv> = {}): TurnEnv {
  let executions = 0;
  const newExecutionId = (): string => {
    executions += 1;
    return `new-${executions}`;
  };
  return { now: NOW, newExecutionId, limits: DEFAULT_PAYLOAD_LIMITS, ...rest };
}

export interface DecideOptions {
  readonly turn?: Partial<Turn>;
  readonly customStatus?: string;
  readonly env?: Partial<TurnEnv>;
}

export function decide(
  actions: readonly OrchestratorAction[],
  options: DecideOptions = {},
): Decision {
  const response = { actions, customStatus: options.customStatus };
  return decideOrchestration(turnOf(options.turn), response, envOf(options.env));
}

export function stored(eventType: EventType): StoredEvent {
  return encodeEvent({ eventType, at: NOW });
}

export function historyOf({ history }: Decision): readonly HistoryEvent[] {
  return history.map(decodeEvent);
}

export function casesOf(decision: Decision): string[] {
  return historyOf(decision).map(({ eventType }) => eventType.case ?? 'none');
}

type EventCase = NonNullable<HistoryEvent['eventType']['case']>;
type EventValue<C extends EventCase> = Extract<HistoryEvent['eventType'], { case: C }>['value'];

/** The events of one case, as `[event id, value]`. */
export function eventsOf<C extends EventCase>(
  events: readonly StoredEvent[],
  wanted: C,
): (readonly [number, EventValue<C>])[] {
  const found: (readonly [number, EventValue<C>])[] = [];
  for (const { eventId, eventType } of events.map(decodeEvent)) {
    if (eventType.case === wanted) found.push([eventId, eventType.value as EventValue<C>]);
  }
  return found;
}

/** A decision in the making: actions add to it in their order. */
import type { CompleteOrchestrationAction } from '../proto/orchestrator_service_pb.ts';
import type { StoredEvent } from '../wire/events.ts';
import type { ActivityToRun, ChildToStart, MessageToSend, TimerToSet } from './decision.ts';
import type { EntityMessage } from './entity-message.ts';
import type { Turn, TurnEnv } from './orchestration.ts';

interface Effects {
  readonly activities: readonly ActivityToRun[];
  readonly timers: readonly TimerToSet[];
  readonly children: readonly ChildToStart[];
  readonly messages: readonly MessageToSend[];
  readonly entityMessages: readonly EntityMessage[];
}

/** Timers of an execution that ends with this turn are dropped, from its history too. */
interface TimerRule {
  readonly keepTimers: boolean;
}

export class DecisionDraft {
  readonly turn: Turn;
  readonly env: TurnEnv;
  readonly activities: ActivityToRun[] = [];
  readonly timers: TimerToSet[] = [];
  readonly children: ChildToStart[] = [];
  readonly messages: MessageToSend[] = [];
  readonly entityMessages: EntityMessage[] = [];
  readonly #events: { readonly event: StoredEvent; readonly isTimer: boolean }[] = [];
  completion: CompleteOrchestrationAction | undefined;

  constructor(turn: Turn, env: TurnEnv) {
    this.turn = turn;
    this.env = env;
  }

  append(event: StoredEvent, { isTimer = false }: { readonly isTimer?: boolean } = {}): void {
    this.#events.push({ event, isTimer });
  }

  history({ keepTimers }: TimerRule): readonly StoredEvent[] {
    return this.#events.filter(({ isTimer }) => keepTimers || !isTimer).map(({ event }) => event);
  }

  effects({ keepTimers }: TimerRule): Effects {
    const { activities, children, messages, entityMessages } = this;
    const timers = keepTimers ? this.timers : [];
    return { activities, timers, children, messages, entityMessages };
  }
}

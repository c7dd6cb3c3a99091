import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { HistoryEvent, OrchestratorAction } from '../../src/proto/orchestrator_service_pb.ts';
import {
  childCompleted,
  childFailed,
  committed,
  eventRaised,
  executionStarted,
  lockGranted,
  operationCompleted,
  operationFailed,
  START_AT,
  taskCompleted,
  taskFailed,
  timerFired,
  turnStarted,
} from '../replay/support/events.ts';
import type { Fate } from '../replay/support/simulated-scheduler.ts';

/** A call that was asked for and has not been answered. */
interface OpenCall {
  readonly id: number;
  readonly kind: 'activity' | 'child' | 'timer' | 'entityCall' | 'lock';
  readonly dueAt: number;
  /** Of entity calls and locks. */
  readonly requestId: string;
}

/** One execution as a scheduler would keep it; the same numbers give the same world. */
export class World {
  readonly #fate: Fate;
  #open: OpenCall[] = [];
  #at = START_AT;
  #turns = 0;

  constructor(fate: Fate) {
    this.#fate = fate;
  }

  /** The new events of the next turn: answers, due timers and external events in any order. */
  nextTurn(): HistoryEvent[] {
    this.#turns += 1;
    this.#at += 1000 * (1 + this.#fate() * 3);
    const arrivals = Array.from({ length: this.#fate() % 5 }, () => this.#arrival());
    return [
      turnStarted(this.#at),
      ...(this.#turns === 1 ? [executionStarted({ input: '"input"' })] : []),
      ...arrivals.filter((event) => event !== undefined),
    ];
  }

  /** What the turn asked for is answered later. */
  commit(actions: readonly OrchestratorAction[]): HistoryEvent[] {
    this.#open.push(...actions.flatMap(openCallOf));
    return committed(actions);
  }

  #arrival(): HistoryEvent | undefined {
    const choice = this.#fate();
    if (choice >= 8) return eventRaised(choice % 2 === 0 ? 'go' : 'stop', { event: choice });
    const ready = this.#open.filter(({ dueAt }) => dueAt <= this.#at);
    const call = ready[choice % Math.max(ready.length, 1)];
    if (call === undefined) return undefined;
    this.#open = this.#open.filter((other) => other !== call);
    return this.#answer(call);
  }

  #answer({ id, kind, requestId }: OpenCall): HistoryEvent {
    if (kind === 'timer') return timerFired(id, this.#at);
    if (kind === 'lock') return lockGranted(requestId);
    const fails = this.#fate() % 3 === 0;
    const failure = { errorType: 'Boom', errorMessage: `broken ${id}` };
    if (kind === 'entityCall') {
      return fails
        ? operationFailed(requestId, failure)
        : operationCompleted(requestId, { sum: id });
    }
    if (kind === 'activity') return fails ? taskFailed(id, failure) : taskCompleted(id, [id]);
    return fails ? childFailed(id, failure) : childCompleted(id, { child: id });
  }
}

function openCallOf({ id, orchestratorActionType: type }: OrchestratorAction): OpenCall[] {
  switch (type.case) {
    case 'scheduleTask':
      return [{ id, kind: 'activity', dueAt: 0, requestId: '' }];
    case 'createSubOrchestration':
      return [{ id, kind: 'child', dueAt: 0, requestId: '' }];
    case 'createTimer': {
      const { fireAt } = type.value;
      const dueAt = fireAt === undefined ? 0 : timestampMs(fireAt);
      return [{ id, kind: 'timer', dueAt, requestId: '' }];
    }
    case 'sendEntityMessage': {
      const { case: kind, value } = type.value.EntityMessageType;
      if (kind === 'entityOperationCalled') {
        return [{ id, kind: 'entityCall', dueAt: 0, requestId: value.requestId }];
      }
      if (kind !== 'entityLockRequested') return [];
      return [{ id, kind: 'lock', dueAt: 0, requestId: value.criticalSectionId }];
    }
    default:
      return [];
  }
}

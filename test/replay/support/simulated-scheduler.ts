import type {
  HistoryEvent,
  OrchestratorAction,
} from '../../../src/proto/orchestrator_service_pb.ts';
import {
  childCompleted,
  childFailed,
  committed,
  eventRaised,
  executionStarted,
  resumed,
  START_AT,
  suspended,
  taskCompleted,
  taskFailed,
  terminated,
  timerFired,
  turnStarted,
} from './events.ts';

/** A stream of small numbers that decides what happens next; the same numbers give the same world. */
export type Fate = () => number;

/** Fate from a list, repeated for ever. */
export function fateOf(numbers: readonly number[]): Fate {
  let index = 0;
  return () => {
    index += 1;
    return numbers[index % numbers.length] ?? 0;
  };
}

/** One execution as a scheduler would keep it: history, what is open, and what arrives next. */
export class SimulatedScheduler {
  readonly history: HistoryEvent[] = [];
  readonly #fate: Fate;
  readonly #open: OrchestratorAction[] = [];
  #at = START_AT;

  constructor(fate: Fate) {
    this.#fate = fate;
  }

  /** The new events of the next turn. */
  nextTurn(): HistoryEvent[] {
    this.#at += 1000 * (1 + this.#fate());
    const events = [turnStarted(this.#at)];
    if (this.history.length === 0) events.push(executionStarted({ input: '"input"' }));
    for (let count = this.#fate() % 4; count > 0; count -= 1) events.push(this.#arrival());
    return events;
  }

  /** Commits a turn: its events, then what it asked for. */
  commit(newEvents: readonly HistoryEvent[], actions: readonly OrchestratorAction[]): void {
    this.history.push(...newEvents, ...committed(actions));
    this.#open.push(...actions.filter((action) => answersOf(action).length > 0));
  }

  #arrival(): HistoryEvent {
    const choice = this.#fate();
    if (choice === 9)
      return [suspended(), resumed(), terminated('end')][this.#fate() % 3] ?? resumed();
    if (choice === 8) return resumed();
    if (choice >= 6) return eventRaised(['go', 'stop'][choice % 2] ?? '', choice);
    const [action] = this.#open.splice(choice % Math.max(this.#open.length, 1), 1);
    if (action === undefined) return eventRaised('go', choice);
    const answers = answersOf(action);
    return answers[this.#fate() % answers.length] ?? eventRaised('go');
  }
}

function answersOf({ id, orchestratorActionType: type }: OrchestratorAction): HistoryEvent[] {
  const failure = { errorType: 'Boom', errorMessage: `broken ${id}` };
  switch (type.case) {
    case 'scheduleTask':
      return [taskCompleted(id, `done ${id}`), taskCompleted(id), taskFailed(id, failure)];
    case 'createSubOrchestration':
      return [childCompleted(id, `done ${id}`), childFailed(id, failure)];
    case 'createTimer':
      return [timerFired(id)];
    default:
      return [];
  }
}

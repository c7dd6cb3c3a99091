import type { HistoryEvent, OrchestratorAction } from '../proto/orchestrator_service_pb.ts';
import { TaskHubError } from '../core/errors.ts';
import { applyEvent } from './apply-event.ts';
import { OrchestrationEngine } from './engine.ts';
import { EventGate } from './event-gate.ts';
import type { ExecutionIds, OrchestratorOptions } from './options.ts';
import { OrchestratorProgram } from './program.ts';

export type { ExecutionIds, OrchestratorOptions } from './options.ts';

/** What one turn asks of the scheduler. */
export interface TurnResult {
  /** In the order in which the code asked; the completion, if any, is last. */
  readonly actions: OrchestratorAction[];
  /** JSON text of the custom status as it stands; `undefined` is none. */
  readonly customStatus: string | undefined;
  readonly isComplete: boolean;
}

/** The events of one turn. */
export interface TurnInput {
  /** Committed history, applied as replay. Empty on a live session. */
  readonly pastEvents: readonly HistoryEvent[];
  readonly newEvents: readonly HistoryEvent[];
}

/**
 * One execution (instance id and execution id). The first turn gets the history so far; a session that
 * is kept then needs only the new events of each later turn, whose cost does not depend on the history.
 *
 * A session assumes that what a turn returned was committed. If the commit was refused, or a turn
 * rejected, close it and start again from history.
 */
export class OrchestratorSession {
  readonly #engine: OrchestrationEngine;
  readonly #program: OrchestratorProgram;
  readonly #gate = new EventGate();
  #isStarted = false;
  #isClosed = false;
  #isBusy = false;

  constructor(options: OrchestratorOptions, ids: ExecutionIds) {
    this.#engine = new OrchestrationEngine(options, ids);
    this.#program = new OrchestratorProgram(this.#engine);
  }

  /** True when a further turn may be asked for with new events only. */
  get isLive(): boolean {
    return this.#isStarted && !this.#isClosed && !this.#isBusy && !this.#engine.isComplete;
  }

  /**
   * Runs one turn: synchronously unless the code is async. What goes wrong in user code, and a history
   * that does not match the code, is a FAILED completion; what the caller does wrong throws.
   */
  turn(input: TurnInput): TurnResult | Promise<TurnResult> {
    this.#assertTurn(input);
    this.#isBusy = true;
    const events = new TurnEvents(input, this.#engine);
    const waiting = this.#pump(events);
    return waiting === undefined ? this.#finish() : this.#finishLater(events, waiting);
  }

  /** Lets go of the code where it stands; nothing of it runs any more, `finally` blocks included. */
  close(): void {
    this.#isClosed = true;
    this.#engine.close();
    this.#program.abandon();
  }

  /** Applies events until they are used up or something has to be waited for. */
  #pump(events: TurnEvents): undefined | Promise<void> {
    for (;;) {
      const waiting = this.#program.canAdvance ? this.#program.advance() : this.#applyNext(events);
      if (waiting === 'done') return undefined;
      if (waiting !== undefined) return waiting;
    }
  }

  #applyNext(events: TurnEvents): undefined | 'done' | Promise<void> {
    const event = this.#gate.released() ?? events.next();
    if (event === undefined) return 'done';
    if (!this.#engine.isComplete && this.#gate.holdsBack(event)) return undefined;
    try {
      return applyEvent(event, { engine: this.#engine, program: this.#program });
    } catch (error) {
      this.#engine.failReplay(error);
      this.#program.abandon();
      return undefined;
    }
  }

  async #finishLater(events: TurnEvents, first: Promise<void>): Promise<TurnResult> {
    let waiting: Promise<void> | undefined = first;
    while (waiting !== undefined) {
      await waiting;
      if (this.#isClosed) throw closedError();
      waiting = this.#pump(events);
    }
    return this.#finish();
  }

  #finish(): TurnResult {
    const engine = this.#engine;
    this.#isBusy = false;
    if (!engine.hasStarted && !engine.isComplete) {
      throw new TaskHubError(
        'INVALID_ARGUMENT',
        `The history of instance '${engine.instanceId}' holds no executionStarted event; ask for the ` +
          'whole history.',
      );
    }
    this.#isStarted = true;
    return {
      actions: engine.handOut({ isSuspended: this.#gate.isSuspended }),
      customStatus: engine.customStatusText,
      isComplete: engine.isComplete,
    };
  }

  #assertTurn(input: TurnInput): void {
    if (this.#isClosed) throw closedError();
    if (this.#isBusy) throw wrongState('is still running its last turn');
    if (this.#engine.isComplete) throw wrongState('has completed');
    if (this.#isStarted && input.pastEvents.length > 0) {
      throw wrongState('is live and takes new events only; close it to replay from history');
    }
  }
}

/** Past events as replay, then new events live, without copying either. */
class TurnEvents {
  readonly #input: TurnInput;
  readonly #engine: OrchestrationEngine;
  #next = 0;

  constructor(input: TurnInput, engine: OrchestrationEngine) {
    this.#input = input;
    this.#engine = engine;
  }

  next(): HistoryEvent | undefined {
    const { pastEvents, newEvents } = this.#input;
    const index = this.#next;
    this.#next += 1;
    this.#engine.isReplaying = index < pastEvents.length;
    return pastEvents[index] ?? newEvents[index - pastEvents.length];
  }
}

function closedError(): TaskHubError {
  return wrongState('was closed');
}

function wrongState(what: string): TaskHubError {
  return new TaskHubError('WRONG_STATE', `The orchestrator session ${what}.`);
}

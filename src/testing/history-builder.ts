import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { HistoryEventSchema } from '../proto/orchestrator_service_pb.ts';
import type { HistoryEvent } from '../proto/orchestrator_service_pb.ts';
import { encodePayload } from '../replay/json.ts';
import { durationMs } from './time-span.ts';
import type { TimeSpan } from './time-span.ts';

type EventType = NonNullable<MessageInitShape<typeof HistoryEventSchema>['eventType']>;

/** Which call an answer is for: the number that it was scheduled under. Default: the newest one. */
export interface AnswerOptions {
  readonly id?: number | undefined;
}

/**
 * A history, event by event: `history().started('Hello').scheduled('Greet').completed('hi').events()`.
 * Calls are numbered from 1, in the order in which the orchestrator yields them. Values become JSON.
 */
export class HistoryBuilder {
  readonly #events: HistoryEvent[] = [];
  #at: number;
  #lastId = 0;

  /** `startAt` defaults to 2026-01-01T00:00:00Z. */
  constructor(startAt: Date = new Date(Date.UTC(2026, 0, 1))) {
    this.#at = startAt.getTime();
  }

  /** The first turn begins, with the orchestration's start. */
  started(name: string, input?: unknown, version?: string): this {
    this.turn();
    const value = { name, ...optional('input', input), ...(version !== undefined && { version }) };
    return this.#add({ case: 'executionStarted', value });
  }

  /** A turn begins; answers belong into the turn in which they arrive. */
  turn(after: TimeSpan = 0): this {
    this.#at += durationMs(after);
    return this.#add({ case: 'orchestratorStarted', value: {} });
  }

  /** An activity was called. */
  scheduled(name: string, input?: unknown): this {
    return this.#ask({ case: 'taskScheduled', value: { name, ...optional('input', input) } });
  }

  completed(result?: unknown, options: AnswerOptions = {}): this {
    const value = { taskScheduledId: this.#idOf(options), ...optional('result', result) };
    return this.#add({ case: 'taskCompleted', value });
  }

  failed(errorType: string, errorMessage: string, options: AnswerOptions = {}): this {
    const value = {
      taskScheduledId: this.#idOf(options),
      failureDetails: { errorType, errorMessage },
    };
    return this.#add({ case: 'taskFailed', value });
  }

  /** A sub-orchestrator was called. */
  childScheduled(name: string, instanceId = `child-${String(this.#lastId + 1)}`): this {
    return this.#ask({ case: 'subOrchestrationInstanceCreated', value: { name, instanceId } });
  }

  childCompleted(result?: unknown, options: AnswerOptions = {}): this {
    const value = { taskScheduledId: this.#idOf(options), ...optional('result', result) };
    return this.#add({ case: 'subOrchestrationInstanceCompleted', value });
  }

  childFailed(errorType: string, errorMessage: string, options: AnswerOptions = {}): this {
    const value = {
      taskScheduledId: this.#idOf(options),
      failureDetails: { errorType, errorMessage },
    };
    return this.#add({ case: 'subOrchestrationInstanceFailed', value });
  }

  timerCreated(fireAt: Date): this {
    const value = { fireAt: timestampFromMs(fireAt.getTime()) };
    return this.#ask({ case: 'timerCreated', value });
  }

  timerFired(options: AnswerOptions = {}): this {
    const value = { timerId: this.#idOf(options), fireAt: timestampFromMs(this.#at) };
    return this.#add({ case: 'timerFired', value });
  }

  /** An external event has arrived. */
  raised(name: string, data?: unknown): this {
    return this.#add({ case: 'eventRaised', value: { name, ...optional('input', data) } });
  }

  /** What was built so far. */
  events(): readonly HistoryEvent[] {
    return [...this.#events];
  }

  #ask(eventType: EventType): this {
    this.#lastId += 1;
    return this.#add(eventType, this.#lastId);
  }

  #idOf({ id }: AnswerOptions): number {
    return id ?? this.#lastId;
  }

  #add(eventType: EventType, eventId = -1): this {
    const timestamp = timestampFromMs(this.#at);
    this.#events.push(create(HistoryEventSchema, { eventId, timestamp, eventType }));
    return this;
  }
}

/** A new, empty history. */
export function history(startAt?: Date): HistoryBuilder {
  return new HistoryBuilder(startAt);
}

function optional(name: string, value: unknown): Record<string, string> {
  const text = encodePayload(value, `The ${name}`);
  return text === undefined ? {} : { [name]: text };
}

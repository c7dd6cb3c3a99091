import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { HistoryEvent } from '../../src/proto/orchestrator_service_pb.ts';

type Kind = 'task' | 'timer' | 'child';

/** One execution's history as far as it was read; says what in it cannot be. */
export class HistoryCheck {
  /** What the execution has asked for and not heard of, by number. */
  readonly open = new Map<number, Kind>();
  readonly #asked = new Map<number, Kind>();
  #startedAt = 0;
  #timersDue = new Map<number, number>();
  #isEnded = false;

  /** A sentence for the first thing that is wrong with the next event. */
  add({ eventId, eventType, timestamp }: HistoryEvent): string | undefined {
    if (this.#isEnded) return `${eventType.case ?? 'an event'} after the end`;
    switch (eventType.case) {
      case 'orchestratorStarted':
        return this.#start(timestamp ? timestampMs(timestamp) : 0);
      case 'taskScheduled':
        return this.#ask(eventId, 'task');
      case 'subOrchestrationInstanceCreated':
        return this.#ask(eventId, 'child');
      case 'timerCreated':
        if (eventType.value.fireAt)
          this.#timersDue.set(eventId, timestampMs(eventType.value.fireAt));
        return this.#ask(eventId, 'timer');
      case 'executionCompleted':
        this.#isEnded = true;
        return undefined;
      default:
        return this.#addAnswer(eventType);
    }
  }

  #addAnswer({ case: kind, value }: HistoryEvent['eventType']): string | undefined {
    switch (kind) {
      case 'taskCompleted':
      case 'taskFailed':
        return this.#answer(value.taskScheduledId, 'task');
      case 'subOrchestrationInstanceCompleted':
      case 'subOrchestrationInstanceFailed':
        return this.#answer(value.taskScheduledId, 'child');
      case 'timerFired': {
        const { timerId } = value;
        const isEarly = (this.#timersDue.get(timerId) ?? 0) > this.#startedAt;
        return isEarly ? `timer ${timerId} fired early` : this.#answer(timerId, 'timer');
      }
      default:
        return undefined;
    }
  }

  #start(at: number): string | undefined {
    const before = this.#startedAt;
    this.#startedAt = at;
    return at < before ? `a turn at ${at} after one at ${before}` : undefined;
  }

  #ask(id: number, kind: Kind): string | undefined {
    if (this.#asked.has(id)) return `${kind} ${id} was asked for twice`;
    this.#asked.set(id, kind);
    this.open.set(id, kind);
    return undefined;
  }

  #answer(id: number, kind: Kind): string | undefined {
    if (this.#asked.get(id) !== kind) return `an answer to ${kind} ${id}, which nobody asked for`;
    if (!this.open.delete(id)) return `${kind} ${id} was answered twice`;
    return undefined;
  }
}

import type { HistoryEvent } from '../proto/orchestrator_service_pb.ts';

/** What user code would notice: held back while the instance is suspended, delivered on resume. */
const HELD_BACK = new Set<HistoryEvent['eventType']['case']>([
  'taskCompleted',
  'taskFailed',
  'subOrchestrationInstanceCompleted',
  'subOrchestrationInstanceFailed',
  'timerFired',
  'eventRaised',
  'entityOperationCompleted',
  'entityOperationFailed',
  'entityLockGranted',
]);

/** Suspension: stops events on their way in, and lets them go, in order, on resume. */
export class EventGate {
  #isSuspended = false;
  #held: HistoryEvent[] = [];
  #releasing: HistoryEvent[] = [];
  #releasedCount = 0;

  get isSuspended(): boolean {
    return this.#isSuspended;
  }

  /** The next event that a resume has set free. */
  released(): HistoryEvent | undefined {
    const event = this.#releasing[this.#releasedCount];
    if (event === undefined) return undefined;
    this.#releasedCount += 1;
    return event;
  }

  /** Sees every event first; true when it must not be applied now. */
  holdsBack(event: HistoryEvent): boolean {
    const kind = event.eventType.case;
    if (kind === 'executionSuspended') this.#isSuspended = true;
    if (kind === 'executionResumed') this.#resume();
    if (!this.#isSuspended || !HELD_BACK.has(kind)) return false;
    this.#held.push(event);
    return true;
  }

  #resume(): void {
    if (!this.#isSuspended) return;
    this.#isSuspended = false;
    this.#releasing = this.#held;
    this.#releasedCount = 0;
    this.#held = [];
  }
}

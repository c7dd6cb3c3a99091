/**
 * History as steps: what was scheduled in which turn, when it ended and how. Timeline and flow are drawn from it. What
 * history cannot prove is marked as inferred.
 */
import type { EventJson } from '../../server/http/api/contract.ts';

export type StepKind =
  'activity' | 'child' | 'timer' | 'event' | 'call' | 'lock' | 'signal' | 'sent';

export type StepState =
  | 'Running'
  | 'Completed'
  | 'Failed'
  /** A timer that had not fired when the orchestration ended. */
  | 'cancelled'
  /** Anything else that was outstanding when it ended. */
  | 'unused';

/** One try of a step. */
export interface Try {
  readonly startAt: number;
  readonly turn: number;
  endAt: number | undefined;
  endTurn: number | undefined;
  state: StepState;
  /** Of the events that scheduled and ended it. */
  readonly startRef: string;
  readonly startPosition: number;
  endRef: string | undefined;
  endPosition: number | undefined;
  failure: EventJson['failure'];
  /** When a timer fires. */
  readonly dueAt: number | undefined;
}

export interface Step {
  readonly key: string;
  readonly kind: StepKind;
  readonly name: string;
  readonly version: string;
  /** Instance or entity that it is about. */
  readonly target: string | undefined;
  readonly tries: Try[];
  /** The pause before each try but the first, when a timer made it. */
  readonly pauses: { readonly from: number; readonly to: number }[];
  /** Tries were put together by inference. */
  isInferred: boolean;
}

export interface Turn {
  readonly at: number;
  endAt: number;
}

export interface Story {
  name: string;
  startAt: number;
  endAt: number | undefined;
  status: string | undefined;
  readonly steps: Step[];
  readonly turns: Turn[];
  readonly suspensions: { readonly from: number; to: number | undefined }[];
  readonly marks: { readonly at: number; readonly label: string }[];
}

export function tellStory(events: readonly EventJson[]): Story {
  const teller = new Teller();
  for (const event of events) teller.take(event);
  return teller.story;
}

interface Failed {
  readonly step: Step;
  readonly bytes: number;
  readonly endAt: number;
}

class Teller {
  readonly story: Story = {
    ...{ name: '', startAt: 0, endAt: undefined, status: undefined },
    ...{ steps: [], turns: [], suspensions: [], marks: [] },
  };
  /** Open and closed steps by the id or request that their end names. */
  readonly #byId = new Map<string, Step>();
  readonly #children = new Map<string, Step>();
  readonly #inputBytes = new Map<Step, number>();
  /** Failures of this turn that no retry has claimed. */
  #failed: Failed[] = [];
  /** Timers that may be the pause before a retry. */
  readonly #pauses = new Map<string, Failed>();
  /** Retries that are due in this turn. */
  #due: { readonly failed: Failed; readonly timer: Step }[] = [];
  #at = 0;
  #isStarted = false;

  take(event: EventJson): void {
    if (event.at !== undefined) this.#at = Date.parse(event.at);
    const { turns } = this.story;
    const turn = turns.at(-1);
    if (event.kind === 'orchestratorStarted') {
      turns.push({ at: this.#at, endAt: this.#at });
      this.#failed = [];
      this.#due = [];
      return;
    }
    if (turn) turn.endAt = Math.max(turn.endAt, this.#at);
    TAKES[event.kind]?.(this, event);
  }

  started(event: EventJson): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.story.name = event.name ?? '';
    this.story.startAt = this.#at;
  }

  ended(event: EventJson): void {
    this.story.endAt = this.#at;
    this.story.status = event.status;
    for (const step of this.story.steps) {
      const last = step.tries.at(-1);
      if (last?.state !== 'Running') continue;
      last.state = step.kind === 'timer' ? 'cancelled' : 'unused';
      last.endAt = this.#at;
    }
  }

  open(event: EventJson, kind: StepKind, id: string): Step {
    const { name = '', version = '', target } = event;
    const known = this.#retried(event, kind);
    const step = known ?? {
      ...{ kind, name, version, target },
      key: `${kind} ${event.position}`,
      ...{ tries: [], pauses: [], isInferred: false },
    };
    if (!known) this.story.steps.push(step);
    step.tries.push({
      startAt: this.#at,
      turn: Math.max(0, this.story.turns.length - 1),
      ...{ endAt: undefined, endTurn: undefined, state: 'Running' },
      startRef: event.ref,
      startPosition: event.position,
      ...{ endRef: undefined, endPosition: undefined, failure: undefined },
      dueAt: event.fireAt === undefined ? undefined : Date.parse(event.fireAt),
    });
    this.#byId.set(`${kind} ${id}`, step);
    this.#inputBytes.set(step, event.payloads?.['input']?.bytes ?? 0);
    if (kind === 'child' && target !== undefined) this.#children.set(target, step);
    if (kind === 'timer') this.#mayPause(id);
    return step;
  }

  /** The step that this one tries again: a child by its instance id, an activity by inference. */
  #retried(event: EventJson, kind: StepKind): Step | undefined {
    if (kind === 'child' && event.target !== undefined) {
      const child = this.#children.get(event.target);
      return child?.tries.at(-1)?.state === 'Failed' ? child : undefined;
    }
    if (kind !== 'activity') return undefined;
    const bytes = event.payloads?.['input']?.bytes ?? 0;
    const at = this.#due.findIndex(
      ({ failed: { step, bytes: before } }) =>
        step.name === event.name && step.version === (event.version ?? '') && before === bytes,
    );
    const [due] = at < 0 ? [] : this.#due.splice(at, 1);
    if (!due) return undefined;
    const { step, endAt } = due.failed;
    step.isInferred = true;
    step.pauses.push({ from: endAt, to: this.#at });
    this.story.steps.splice(this.story.steps.indexOf(due.timer), 1);
    return step;
  }

  /** A timer made in the turn that learnt of a failure. */
  #mayPause(id: string): void {
    const failed = this.#failed.shift();
    if (failed) this.#pauses.set(id, failed);
  }

  close(event: EventJson, kind: StepKind, state: StepState): void {
    const id = String(event.scheduledId ?? event.requestId ?? '');
    const step = this.#byId.get(`${kind} ${id}`);
    const last = step?.tries.at(-1);
    if (!step || !last || last.state !== 'Running') return;
    last.state = state;
    last.endAt = this.#at;
    last.endTurn = Math.max(0, this.story.turns.length - 1);
    last.endRef = event.ref;
    last.endPosition = event.position;
    last.failure = event.failure;
    if (state === 'Failed' && kind === 'activity') {
      this.#failed.push({ step, bytes: this.#inputBytes.get(step) ?? 0, endAt: this.#at });
    }
    const failed = kind === 'timer' ? this.#pauses.get(id) : undefined;
    if (failed) this.#due.push({ failed, timer: step });
  }

  /** Something that has no length of its own. */
  point(event: EventJson, kind: StepKind): void {
    const step = this.open(event, kind, `${event.position}`);
    const last = step.tries.at(-1);
    if (!last) return;
    last.state = 'Completed';
    last.endAt = this.#at;
    if (kind === 'event') last.endTurn = last.turn;
  }

  mark(label: string): void {
    this.story.marks.push({ at: this.#at, label });
    if (this.story.endAt !== undefined) this.story.endAt = undefined;
  }

  suspended(): void {
    this.story.suspensions.push({ from: this.#at, to: undefined });
  }

  resumed(): void {
    const open = this.story.suspensions.at(-1);
    if (open) open.to ??= this.#at;
  }
}

type Take = (teller: Teller, event: EventJson) => void;

const opens =
  (kind: StepKind): Take =>
  (teller, event) => {
    teller.open(event, kind, String(event.requestId ?? event.eventId));
  };
const closes =
  (kind: StepKind, state: StepState): Take =>
  (teller, event) => {
    teller.close(event, kind, state);
  };
const point =
  (kind: StepKind): Take =>
  (teller, event) => {
    teller.point(event, kind);
  };

const TAKES: Readonly<Record<string, Take>> = {
  executionStarted: (teller, event) => teller.started(event),
  executionCompleted: (teller, event) => teller.ended(event),
  executionTerminated: (teller) => teller.mark('terminate'),
  executionRewound: (teller) => teller.mark('rewind'),
  executionSuspended: (teller) => teller.suspended(),
  executionResumed: (teller) => teller.resumed(),
  taskScheduled: opens('activity'),
  taskCompleted: closes('activity', 'Completed'),
  taskFailed: closes('activity', 'Failed'),
  subOrchestrationInstanceCreated: opens('child'),
  subOrchestrationInstanceCompleted: closes('child', 'Completed'),
  subOrchestrationInstanceFailed: closes('child', 'Failed'),
  timerCreated: opens('timer'),
  timerFired: closes('timer', 'Completed'),
  eventRaised: point('event'),
  eventSent: point('sent'),
  entityOperationCalled: opens('call'),
  entityOperationCompleted: closes('call', 'Completed'),
  entityOperationFailed: closes('call', 'Failed'),
  entityOperationSignaled: point('signal'),
  entityLockRequested: opens('lock'),
  entityLockGranted: closes('lock', 'Completed'),
};

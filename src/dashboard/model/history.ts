/**
 * History as steps: what was scheduled in which turn, when it ended and how. Timeline and flow are drawn from it. What
 * history cannot prove is marked as inferred.
 */
import type { EventJson } from '../../server/http/api/contract.ts';
import { Retries } from './retries.ts';
import type { Step, StepKind, StepState, Story, Try } from './story.ts';

export function tellStory(events: readonly EventJson[]): Story {
  const teller = new StoryTeller();
  for (const event of events) teller.take(event);
  return teller.story;
}

/** One try, and the step that it is thought to be of. */
interface Segment {
  step: Step;
  readonly each: Try;
}

interface Lock {
  readonly step: Step;
  /** Entities that are still to be unlocked. */
  left: number;
}

/** Takes events one after the other: what is appended later costs no more than itself. */
export class StoryTeller {
  readonly #story: Story = {
    ...{ name: '', startAt: 0, dueAt: undefined, endAt: undefined, lastAt: 0 },
    ...{ status: undefined, waitsFrom: undefined },
    ...{ steps: [], turns: [], suspensions: [], marks: [] },
  };
  /** By the id or request that the end names. */
  readonly #segments = new Map<string, Segment>();
  readonly #segmentOf = new Map<Try, Segment>();
  readonly #children = new Map<string, Step>();
  readonly #locks = new Map<string, Lock>();
  readonly #retries = new Retries();
  /** Steps that are under way, other than timers. */
  readonly #works = new Set<Step>();
  readonly #timers = new Set<Step>();
  /** Since when nothing but timers was outstanding, as of the last turn that ended. */
  #idleFrom: number | undefined;
  /** What this turn learnt the end of, and what it began. */
  #learnt: Step[] = [];
  #begun: Step[] = [];
  #at = 0;
  #isStarted = false;

  /** Another object after each batch of events, so that what was drawn from the last one is seen to be old. */
  get story(): Story {
    return { ...this.#story, waitsFrom: this.#waitsFrom() };
  }

  #waitsFrom(): number | undefined {
    const { endAt, turns, suspensions } = this.#story;
    const isSuspended = suspensions.some(({ to }) => to === undefined);
    const isIdle = this.#works.size === 0 && this.#timers.size === 0;
    return isIdle && endAt === undefined && !isSuspended ? turns.at(-1)?.endAt : undefined;
  }

  take(event: EventJson): void {
    if (event.at !== undefined) this.#at = Date.parse(event.at);
    this.#story.lastAt = Math.max(this.#story.lastAt, this.#at);
    const { turns } = this.#story;
    if (event.kind === 'orchestratorStarted') {
      this.#endTurn();
      turns.push({ at: this.#at, endAt: this.#at });
      return;
    }
    const turn = turns.at(-1);
    if (turn) turn.endAt = Math.max(turn.endAt, this.#at);
    TAKES[event.kind]?.(this, event);
  }

  #endTurn(): void {
    this.#joinTimers();
    this.#retries.endTurn();
    this.#learnt = [];
    this.#begun = [];
    this.#idleFrom = this.#works.size === 0 ? this.#story.turns.at(-1)?.endAt : undefined;
  }

  /** Workers split long timers: one that fires only to begin the next is one wait. */
  #joinTimers(): void {
    const [before, ...others] = this.#learnt;
    const [next, ...more] = this.#begun;
    if (before?.kind !== 'timer' || next?.kind !== 'timer') return;
    const part = next.tries[0];
    if (others.length + more.length > 0 || before === next || !part) return;
    before.tries.push(part);
    this.#drop(next);
    this.#timers.delete(next);
    this.#timers.add(before);
    this.#belongsTo(part, before);
  }

  #belongsTo(each: Try, step: Step): void {
    const segment = this.#segmentOf.get(each);
    if (segment) segment.step = step;
  }

  #drop(step: Step): void {
    const { steps } = this.#story;
    const at = steps.lastIndexOf(step);
    if (at >= 0) steps.splice(at, 1);
  }

  started(event: EventJson): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#story.name = event.name ?? '';
    this.#story.startAt = this.#at;
    this.#story.dueAt = event.fireAt === undefined ? undefined : Date.parse(event.fireAt);
  }

  ended(event: EventJson): void {
    this.#story.endAt = this.#at;
    this.#story.status = event.status;
    for (const step of [...this.#works, ...this.#timers]) {
      const last = step.tries.at(-1);
      if (last?.state !== 'Running') continue;
      last.state = step.kind === 'timer' ? 'cancelled' : 'unused';
      last.endAt = this.#at;
    }
    for (const { step } of this.#locks.values()) this.#letGo(step);
    this.#works.clear();
    this.#timers.clear();
    this.#locks.clear();
  }

  open(event: EventJson, kind: StepKind, id: string): Step {
    const known = this.#retried(event, kind) ?? this.#resumedSegment(event, kind, id);
    const step = known ?? newStep(event, kind);
    if (!known) this.#story.steps.push(step);
    const each = this.#tryOf(event, kind);
    step.tries.push(each);
    const segment = { step, each };
    this.#segments.set(`${kind} ${id}`, segment);
    this.#segmentOf.set(each, segment);
    this.#begun.push(step);
    if (kind === 'child') this.#children.set(step.target ?? '', step);
    if (kind === 'activity') this.#retries.remember(step, event);
    (kind === 'timer' ? this.#timers : this.#works).add(step);
    if (kind === 'timer') this.#retries.pauseMade(id);
    return step;
  }

  #tryOf(event: EventJson, kind: StepKind): Try {
    return {
      startAt: this.#at,
      turn: Math.max(0, this.#story.turns.length - 1),
      ...{ endAt: undefined, endTurn: undefined, state: 'Running' },
      startRef: event.ref,
      startPosition: event.position,
      ...{ endRef: undefined, endPosition: undefined, failure: undefined },
      dueAt: event.fireAt === undefined ? undefined : Date.parse(event.fireAt),
      heldUntil: undefined,
      waitedFrom: kind === 'event' ? this.#idleFrom : undefined,
    };
  }

  /** The step that this one tries again: a child by its instance id, an activity by inference. */
  #retried(event: EventJson, kind: StepKind): Step | undefined {
    if (kind === 'child' && event.target !== undefined) {
      const child = this.#children.get(event.target);
      return child && child.tries.at(-1)?.state !== 'Running' ? child : undefined;
    }
    if (kind !== 'activity') return undefined;
    const claim = this.#retries.claim(event);
    if (claim?.wrong) this.#split(claim.wrong);
    if (!claim?.step) return undefined;
    claim.step.isInferred = true;
    claim.step.pauses.push({ from: claim.from, to: this.#at });
    if (claim.timer) this.#drop(claim.timer);
    return claim.step;
  }

  /** Two like steps after one failure: neither can be called its next try. */
  #split(step: Step): void {
    const last = step.tries.pop();
    if (!last) return;
    step.pauses.pop();
    step.isInferred = step.tries.length > 1;
    const key = `${step.kind} ${last.startPosition}`;
    const apart: Step = { ...step, key, tries: [last], pauses: [], isInferred: false };
    this.#story.steps.push(apart);
    this.#works.delete(step);
    this.#works.add(apart);
    this.#belongsTo(last, apart);
  }

  /** After a rewind the ids of what is done again are those of the first time. */
  #resumedSegment(event: EventJson, kind: StepKind, id: string): Step | undefined {
    if (!this.#story.marks.some((mark) => mark.kind === 'rewind')) return undefined;
    const segment = this.#segments.get(`${kind} ${id}`);
    const isOver = segment !== undefined && segment.each.state !== 'Running';
    return isOver && segment.step.name === (event.name ?? '') ? segment.step : undefined;
  }

  close(event: EventJson, kind: StepKind, state: StepState): void {
    const id = String(event.scheduledId ?? event.requestId ?? '');
    const segment = this.#segments.get(`${kind} ${id}`);
    if (segment?.each.state !== 'Running') return;
    const { step, each: last } = segment;
    last.state = state;
    last.endAt = this.#at;
    last.endTurn = Math.max(0, this.#story.turns.length - 1);
    last.endRef = event.ref;
    last.endPosition = event.position;
    last.failure = event.failure;
    this.#works.delete(step);
    this.#timers.delete(step);
    this.#learnt.push(step);
    if (state === 'Failed' && kind === 'activity') this.#retries.failed(step, this.#at);
    if (kind === 'timer') this.#retries.pauseOver(id, step);
  }

  granted(event: EventJson): void {
    this.close(event, 'lock', 'Completed');
    const step = this.#segments.get(`lock ${event.requestId ?? ''}`)?.step;
    if (!step) return;
    const left = step.target === undefined ? 1 : step.target.split(', ').length;
    this.#locks.set(event.requestId ?? '', { step, left });
  }

  unlocked(event: EventJson): void {
    const lock = this.#locks.get(event.requestId ?? '');
    if (!lock) return;
    lock.left -= 1;
    if (lock.left > 0) return;
    this.#letGo(lock.step);
    this.#locks.delete(event.requestId ?? '');
  }

  #letGo(step: Step): void {
    const last = step.tries.at(-1);
    if (last) last.heldUntil ??= this.#at;
  }

  /** Something that has no length of its own. */
  point(event: EventJson, kind: StepKind): void {
    const step = this.open(event, kind, `${event.position}`);
    this.#works.delete(step);
    const last = step.tries.at(-1);
    if (!last) return;
    last.state = 'Completed';
    last.endAt = this.#at;
    if (kind !== 'event') return;
    last.endTurn = last.turn;
    this.#begun.pop();
    this.#learnt.push(step);
  }

  mark(kind: 'rewind' | 'terminate', reason = ''): void {
    this.#story.marks.push({ at: this.#at, kind, label: reason });
    if (this.#story.endAt !== undefined) {
      this.#story.endAt = undefined;
      this.#story.status = undefined;
    }
  }

  suspended(): void {
    this.#story.suspensions.push({ from: this.#at, to: undefined });
  }

  resumed(): void {
    const open = this.#story.suspensions.at(-1);
    if (open) open.to ??= this.#at;
  }
}

function newStep(event: EventJson, kind: StepKind): Step {
  const { name = '', version = '', lockSet, payloads } = event;
  return {
    ...{ kind, name, version },
    target: lockSet?.join(', ') ?? event.target,
    key: `${kind} ${event.position}`,
    inputBytes: payloads?.['input']?.bytes ?? 0,
    ...{ tries: [], pauses: [], isInferred: false },
  };
}

type Take = (teller: StoryTeller, event: EventJson) => void;

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
  executionTerminated: (teller, event) => teller.mark('terminate', event.reason),
  executionRewound: (teller, event) => teller.mark('rewind', event.reason),
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
  entityLockGranted: (teller, event) => teller.granted(event),
  entityUnlockSent: (teller, event) => teller.unlocked(event),
};

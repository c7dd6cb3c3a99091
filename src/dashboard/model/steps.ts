/** Steps in words. */
import { duration } from './format.ts';
import { beganAt, stateOf, type Step, type StepKind } from './story.ts';

/** Outlines in a square of 14 px: no font has all of these signs. */
const ICONS: Readonly<Record<StepKind, string>> = {
  activity: 'M2 2h10v10H2zM5 7l1.5 1.8L9.5 5',
  child: 'M3 1v12M3 5h4a3 3 0 0 1 3 3v3M8 9l2 2 2-2',
  timer: 'M7 2.5a5 5 0 1 0 .01 0M7 4.5V8l2 1M5.5 1h3',
  event: 'M7 1l6 6-6 6-6-6z',
  call: 'M4 2h6l3 5-3 5H4L1 7zM7 5.5a1.5 1.5 0 1 0 .01 0',
  lock: 'M2.5 6.5h9V13h-9zM4.5 6.5V4a2.5 2.5 0 0 1 5 0v2.5',
  signal: 'M1 7h11M8 3l4 4-4 4',
  sent: 'M1 7h11M8 3l4 4-4 4',
};

export function stepIcon(kind: StepKind): string {
  return ICONS[kind];
}

const WORDS: Readonly<Record<StepKind, string>> = {
  activity: 'Activity',
  child: 'Sub-orchestration',
  timer: 'Timer',
  event: 'External event',
  call: 'Entity call',
  lock: 'Entity lock',
  signal: 'Entity signal',
  sent: 'Event sent',
};

export function stepWord(kind: StepKind): string {
  return WORDS[kind];
}

/** How long a timer was set for, in ms. */
export function delayOf(step: Step): number | undefined {
  const dueAt = step.tries.at(-1)?.dueAt;
  return dueAt === undefined ? undefined : Math.max(0, dueAt - beganAt(step));
}

/** What a step is called: the name, and what it is about. */
export function stepName(step: Step): string {
  const { kind, name, target } = step;
  if (kind === 'timer') {
    const delay = delayOf(step);
    // The turn that made it began a little before it is stored.
    return delay === undefined || delay === 0
      ? 'Timer'
      : `Timer ${duration(Math.ceil(delay / 100) * 100)}`;
  }
  if (kind === 'lock') return `lock ${target ?? ''}`.trim();
  return target === undefined || kind === 'activity' ? name : `${name} ${target}`;
}

export function stepLabel(step: Step): string {
  const count = step.tries.length;
  const parts = step.kind === 'timer' ? 'parts' : 'tries';
  return count > 1 ? `${stepName(step)} · ${count} ${parts}` : stepName(step);
}

const STATE_WORDS: Readonly<Record<string, string>> = {
  Running: 'running',
  Completed: 'completed',
  Failed: 'failed',
  cancelled: 'cancelled',
  unused: 'still outstanding when the orchestration ended',
};

/** What became of a step, in its own terms: a timer fires, a lock is held. */
export function stateWord(step: Step): string {
  const state = stateOf(step);
  const last = step.tries.at(-1);
  if (step.kind === 'timer' && state === 'Completed') return 'fired';
  if (step.kind === 'timer' && state === 'Running') return 'armed; may no longer be awaited';
  if (step.kind === 'event') return 'received';
  if (step.kind === 'signal' || step.kind === 'sent') return 'sent';
  if (step.kind === 'lock' && state === 'Running') return 'waiting to be granted';
  if (step.kind === 'lock' && state === 'Completed') {
    return last?.heldUntil === undefined ? 'held' : 'released';
  }
  return STATE_WORDS[state] ?? state;
}

/** How long a step took so far: for a lock, until it was let go. */
export function lasted(step: Step, now: number): number {
  const last = step.tries.at(-1);
  const isHeld = step.kind === 'lock' && stateOf(step) === 'Completed';
  return ((isHeld ? last?.heldUntil : last?.endAt) ?? now) - beganAt(step);
}

/** What follows the label for those who do not see the picture: `failed after 4.2 s, error CardDeclined`. */
export function stepOutcome(step: Step, now: number): string {
  const { kind, isInferred } = step;
  const failure = step.tries.at(-1)?.failure;
  const isPoint = kind === 'event' || kind === 'signal' || kind === 'sent';
  const took = isPoint ? '' : ` after ${duration(lasted(step, now))}`;
  const error = failure ? `, error ${failure.type}` : '';
  return `${stateWord(step)}${took}${error}${isInferred ? ', tries inferred' : ''}`;
}

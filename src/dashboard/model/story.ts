/** What pictures of a run are drawn from: steps with their tries, turns, and what else happened. */
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
  /** Until when locks that were granted were held; undefined while they are, and for everything else. */
  heldUntil: number | undefined;
  /** Since when an event was waited for, as far as history can tell. */
  readonly waitedFrom: number | undefined;
}

export interface Step {
  readonly key: string;
  readonly kind: StepKind;
  readonly name: string;
  readonly version: string;
  /** Instance or entity that it is about. */
  readonly target: string | undefined;
  /** Of its first try. */
  readonly inputBytes: number;
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

export interface Mark {
  readonly at: number;
  readonly kind: 'rewind' | 'terminate';
  readonly label: string;
}

export interface Story {
  name: string;
  startAt: number;
  /** When it was told to start, if that was later than it was created. */
  dueAt: number | undefined;
  endAt: number | undefined;
  /** Of the last event. */
  lastAt: number;
  status: string | undefined;
  /** Since when nothing at all is outstanding, so that only an event can wake it: inferred. */
  waitsFrom: number | undefined;
  readonly steps: Step[];
  readonly turns: Turn[];
  readonly suspensions: { readonly from: number; to: number | undefined }[];
  readonly marks: Mark[];
}

export function stateOf(step: Step): StepState {
  return step.tries.at(-1)?.state ?? 'Running';
}

/** When a step began. */
export function beganAt(step: Step): number {
  return step.tries[0]?.startAt ?? 0;
}

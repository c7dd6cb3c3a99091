/**
 * What a turn leads to: data only, so that it can be logged, compared and kept as a fixture. The store
 * commits a decision whole or not at all.
 */
import type { StoredEvent } from '../wire/events.ts';
import type { EntityMessage } from './entity-message.ts';
import type { RuntimeStatus } from './instance.ts';

/** An activity to run. `request` is the encoded `ActivityRequest` that its work item will carry. */
export interface ActivityToRun {
  readonly taskId: number;
  readonly name: string;
  readonly version: string;
  readonly request: Uint8Array;
}

export interface TimerToSet {
  readonly timerId: number;
  /** Epoch ms, rounded up: a timer never fires early. */
  readonly dueAt: number;
  /** `timerFired` without its time, which is that of its delivery. */
  readonly fired: StoredEvent;
}

/** A sub-orchestration to start; `started` is its `executionStarted` without a time. */
export interface ChildToStart {
  readonly taskId: number;
  readonly instanceId: string;
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly started: StoredEvent;
}

/** An event for another instance (or for the sender itself), without a time. */
export interface MessageToSend {
  readonly instanceId: string;
  readonly event: StoredEvent;
}

/** How an execution ended. */
export interface Completion {
  readonly status: RuntimeStatus;
  readonly errorType: string | undefined;
  readonly errorMessage: string | undefined;
  /** Tells the parent, if there is one and it still waits; without a time. */
  readonly parentEvent: StoredEvent | undefined;
  /** `executionTerminated` for every child, when a recursive terminate ended this execution. */
  readonly childEvent: StoredEvent | undefined;
}

/** The next generation after continue-as-new. */
export interface Continuation {
  readonly executionId: string;
  readonly name: string;
  readonly version: string;
  /** `executionStarted` and the carried-over events, in this order, without times where they had none. */
  readonly started: StoredEvent;
  readonly carryover: readonly StoredEvent[];
}

export interface Decision {
  readonly status: RuntimeStatus;
  readonly isSuspended: boolean;
  /** History to append: the turn's `orchestratorStarted`, what it consumed, what it scheduled, how it ended. */
  readonly history: readonly StoredEvent[];
  readonly activities: readonly ActivityToRun[];
  readonly timers: readonly TimerToSet[];
  readonly children: readonly ChildToStart[];
  readonly messages: readonly MessageToSend[];
  readonly entityMessages: readonly EntityMessage[];
  /** `undefined` clears it, `keep` leaves what is there (wire-protocol 5.10). */
  readonly customStatus: { readonly keep: true } | { readonly value: string | undefined };
  readonly completion: Completion | undefined;
  readonly continuation: Continuation | undefined;
}

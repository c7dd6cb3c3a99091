import type { EntityInstanceId } from '../core/entity-instance-id.ts';
import type { CriticalSection } from './critical-section.ts';
import type { RetrySpec } from './retry.ts';

/**
 * What a task's read-outs mean. Classic (durable-functions): `isCompleted` is success, `result` is the
 * value or the error. Core (durabletask-js): `isCompleted` is success or failure, `result` the value.
 */
export type TaskStyle = 'classic' | 'core';

/** What an atomic task asks for once it is scheduled. */
export type TaskWork =
  | ActivityWork
  | SubOrchestrationWork
  | ExternalEventWork
  | EntityCallWork
  | EntityLockWork
  | { readonly kind: 'timer' };

/** What a call came to: a value, or another call in whose place its task waits on. */
export type CallOutcome =
  { readonly value: unknown } | { readonly next: ActivityWork | SubOrchestrationWork };

/** Turns a call's result into its outcome, the same in every replay. `now` is epoch ms of the turn. */
export type SettleCall = (value: unknown, now: number) => CallOutcome;

export interface ActivityWork {
  readonly kind: 'activity';
  readonly name: string;
  readonly input: unknown;
  /** Default: the result is the value. */
  readonly settle?: SettleCall | undefined;
  readonly retry?: RetrySpec | undefined;
  readonly version?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface SubOrchestrationWork {
  readonly kind: 'subOrchestration';
  readonly name: string;
  readonly input: unknown;
  /** Default: the result is the value. */
  readonly settle?: SettleCall | undefined;
  /** Made from the execution id and the action id when not given. */
  readonly instanceId?: string | undefined;
  readonly retry?: RetrySpec | undefined;
  readonly version?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface ExternalEventWork {
  readonly kind: 'externalEvent';
  readonly name: string;
}

export interface EntityCallWork {
  readonly kind: 'entityCall';
  readonly entityId: EntityInstanceId;
  readonly operation: string;
  readonly input: unknown;
  /** Made when the task is scheduled, if not given. */
  readonly requestId?: string | undefined;
  /** The critical section that the call was made in. */
  readonly section: CriticalSection | undefined;
}

export interface EntityLockWork {
  readonly kind: 'entityLock';
  readonly section: CriticalSection;
  /** What the code gets once the locks are its own. */
  readonly handle: unknown;
}

type TaskState = 'pending' | 'succeeded' | 'failed';

/**
 * What orchestrators yield. Not a thenable: only the engine settles it, once. `owner` is the engine
 * that scheduled it; a task that was made and never yielded (lazy scheduling) has none.
 */
export abstract class Task {
  readonly style: TaskStyle;
  #state: TaskState = 'pending';
  #value: unknown;
  #owner: object | undefined;
  #parents: CompoundTask[] = [];

  constructor(style: TaskStyle) {
    this.style = style;
  }

  /** Succeeded or failed. */
  get isComplete(): boolean {
    return this.#state !== 'pending';
  }

  get isFailed(): boolean {
    return this.#state === 'failed';
  }

  /** Classic: succeeded. Core: succeeded or failed. */
  get isCompleted(): boolean {
    return this.style === 'classic' ? this.#state === 'succeeded' : this.isComplete;
  }

  get isFaulted(): boolean {
    return this.isFailed;
  }

  /** The value; of a failed task the error (classic) or nothing (core). */
  get result(): unknown {
    return this.style === 'core' && this.isFailed ? undefined : this.#value;
  }

  /** The value; throws the task's own error, or an error when it is not complete. */
  getResult(): unknown {
    if (!this.isComplete) throw new Error('Task is not complete');
    if (this.isFailed) throw this.#value as Error;
    return this.#value;
  }

  /** The error of a failed task; throws when it did not fail. */
  getException(): Error {
    if (!this.isFailed) throw new Error('Task did not fail');
    return this.#value as Error;
  }

  /** The engine that scheduled this task. For the engine. */
  get owner(): object | undefined {
    return this.#owner;
  }

  /** For the engine: marks the task as scheduled. */
  adopt(owner: object): void {
    this.#owner = owner;
  }

  /** For the engine. Later calls change nothing. */
  succeed(value: unknown): void {
    this.#settle('succeeded', value);
  }

  /** For the engine. Later calls change nothing. */
  fail(error: Error): void {
    this.#settle('failed', error);
  }

  /** For compound tasks: be told when this task completes. */
  addParent(parent: CompoundTask): void {
    // Loops over Task.any() make a new parent each time round: finished ones must not pile up.
    while (this.#parents.at(-1)?.isComplete === true) this.#parents.pop();
    this.#parents.push(parent);
  }

  #settle(state: TaskState, value: unknown): void {
    if (this.isComplete) return;
    this.#state = state;
    this.#value = value;
    const parents = this.#parents;
    this.#parents = [];
    for (const parent of parents) parent.onChildCompleted(this);
  }
}

/** One thing asked of the scheduler, or one external event waited for. */
export class AtomicTask extends Task {
  readonly work: TaskWork;

  constructor(style: TaskStyle, work: TaskWork) {
    super(style);
    this.work = work;
  }
}

/** A durable timer that its orchestrator can cancel. */
export class TimerTask extends AtomicTask {
  /** Epoch milliseconds. */
  readonly fireAt: number;
  #isCanceled = false;
  #onCancel: (() => void) | undefined;

  constructor(style: TaskStyle, fireAt: number) {
    super(style, { kind: 'timer' });
    this.fireAt = fireAt;
  }

  get isCanceled(): boolean {
    return this.#isCanceled;
  }

  /** Gives the timer up. Once it has fired: throws (classic) or does nothing (core). */
  cancel(): void {
    if (this.isComplete) {
      if (this.style === 'classic') throw new Error('Cannot cancel a completed task.');
      return;
    }
    this.#isCanceled = true;
    this.#onCancel?.();
  }

  /** For the engine: called when a scheduled timer is cancelled. */
  whenCanceled(forget: () => void): void {
    this.#onCancel = forget;
  }
}

/** A task made of others. */
export abstract class CompoundTask extends Task {
  readonly children: readonly Task[];

  constructor(style: TaskStyle, children: readonly Task[]) {
    super(style);
    this.children = children;
    for (const child of children) if (!child.isComplete) child.addParent(this);
  }

  abstract onChildCompleted(child: Task): void;

  /** Counts children that were complete before this task existed. For the engine and factories. */
  abstract evaluate(): void;
}

/** All values in input order; fails with the first failure, at once (classic). */
export class FailFastAllTask extends CompoundTask {
  #leftCount: number;

  constructor(style: TaskStyle, children: readonly Task[]) {
    super(style, children);
    this.#leftCount = children.filter((child) => !child.isComplete).length;
  }

  override onChildCompleted(child: Task): void {
    this.#leftCount -= 1;
    if (child.isFailed) this.fail(child.getException());
    else if (this.#leftCount === 0) this.evaluate();
  }

  override evaluate(): void {
    const failed = this.children.find((child) => child.isFailed);
    if (failed !== undefined) this.fail(failed.getException());
    else if (this.#leftCount === 0) this.succeed(this.children.map((child) => child.getResult()));
  }
}

/** All values in input order; waits for every child and fails with an `AggregateError` (core). */
export class WaitForAllTask extends CompoundTask {
  #leftCount: number;

  constructor(style: TaskStyle, children: readonly Task[]) {
    super(style, children);
    this.#leftCount = children.filter((child) => !child.isComplete).length;
    this.evaluate();
  }

  override onChildCompleted(): void {
    this.#leftCount -= 1;
    this.evaluate();
  }

  override evaluate(): void {
    if (this.#leftCount > 0) return;
    const errors = this.children
      .filter((child) => child.isFailed)
      .map((child) => child.getException());
    if (errors.length === 0) {
      this.succeed(this.children.map((child) => child.getResult()));
      return;
    }
    // Only the message survives the way to the parent, so it carries every child's.
    const messages = errors.map((error) => error.message).join('; ');
    const counts = `${String(errors.length)} of ${String(this.children.length)}`;
    this.fail(new AggregateError(errors, `${counts} tasks in the whenAll failed: ${messages}`));
  }
}

/** Succeeds with the first child that completes, whether it succeeded or failed. */
export class AnyTask extends CompoundTask {
  override onChildCompleted(child: Task): void {
    this.succeed(child);
  }

  override evaluate(): void {
    const winner = this.children.find((child) => child.isComplete);
    if (winner !== undefined) this.succeed(winner);
  }
}

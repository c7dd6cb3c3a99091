/**
 * What waits for an entity, as numbers: the operations stay where they are stored. Lock requests cut the queue into
 * segments, each with the count of operations that wait in it:
 *
 *   ahead ─ lock ─ ahead ─ lock ─ tail
 *
 * Free: the operations of the first segment may run; when there are none, the lock request behind them is granted.
 * Held: only operations of the owner may run, wherever they stand; they overtake all others (wire-protocol 7.5).
 * Invariant: `ahead` and `tail` are the operations that wait, each counted once.
 */

/** A critical section that asks for an entity, or holds it. */
export interface LockRequest {
  /** Place in the entity's queue, in one order with its operations. */
  readonly seq: number;
  /** The orchestration's number. */
  readonly owner: number;
  /** Its generation: a lock does not outlive it. */
  readonly ownerExec: number;
  /** `criticalSectionId`. */
  readonly section: string;
  /** All entities of the section in the order of locking, and which of them this one is. */
  readonly lockSet: readonly string[];
  readonly position: number;
}

/** An operation as the queue sees it; `sender` is the number of the calling orchestration, if there is one. */
export interface QueuedOperation {
  readonly seq: number;
  readonly sender: number | null;
}

interface Barrier {
  readonly request: LockRequest;
  ahead: number;
}

export interface QueueNumbers {
  readonly tail: number;
  /** Requests that wait, in order, with the operations directly ahead of each. */
  readonly waiting: readonly { readonly request: LockRequest; readonly ahead: number }[];
  readonly held: LockRequest | undefined;
  /** Waiting operations of the lock's owner. */
  readonly ownerOperations: number;
  /** Where the owner has unlocked: the lock ends with the last of its operations that wait before it. */
  readonly endingSeq: number | undefined;
}

export const EMPTY_QUEUE: QueueNumbers = {
  tail: 0,
  waiting: [],
  held: undefined,
  ownerOperations: 0,
  endingSeq: undefined,
};

export class EntityQueue {
  #tail: number;
  #waiting: Barrier[];
  #held: LockRequest | undefined;
  #ownerOperations: number;
  #endingSeq: number | undefined;

  constructor(numbers: QueueNumbers) {
    this.#tail = numbers.tail;
    this.#waiting = numbers.waiting.map((barrier) => ({ ...barrier }));
    this.#held = numbers.held;
    this.#ownerOperations = numbers.ownerOperations;
    this.#endingSeq = numbers.endingSeq;
  }

  get numbers(): QueueNumbers {
    return {
      tail: this.#tail,
      waiting: this.#waiting.map((barrier) => ({ ...barrier })),
      held: this.#held,
      ownerOperations: this.#ownerOperations,
      endingSeq: this.#endingSeq,
    };
  }

  get held(): LockRequest | undefined {
    return this.#held;
  }

  /** Operations that wait, whether they may run or not. */
  get operations(): number {
    return this.#waiting.reduce((sum, { ahead }) => sum + ahead, this.#tail);
  }

  /** Operations that may run now. */
  get runnable(): number {
    if (this.#held) return this.#ownerOperations;
    return this.#waiting[0]?.ahead ?? this.#tail;
  }

  /** Whether an orchestration holds the entity, or waits to. */
  involves(owner: number): boolean {
    return (
      this.#held?.owner === owner || this.#waiting.some(({ request }) => request.owner === owner)
    );
  }

  get isEmpty(): boolean {
    return this.#tail === 0 && this.#waiting.length === 0 && !this.#held;
  }

  /** An operation joins the end of the queue. */
  arrive(operation: QueuedOperation): void {
    this.#tail += 1;
    if (this.#isUnderLock(operation)) this.#ownerOperations += 1;
  }

  #isUnderLock({ seq, sender }: QueuedOperation): boolean {
    return this.#held?.owner === sender && seq < (this.#endingSeq ?? Infinity);
  }

  /** A lock request joins the end of the queue; `grantable` says whether it is its turn already. */
  request(request: LockRequest): void {
    this.#waiting.push({ request, ahead: this.#tail });
    this.#tail = 0;
  }

  /** Operations have run and leave the queue. */
  consume(operations: readonly QueuedOperation[]): void {
    for (const operation of operations) {
      const barrier = this.#waiting.find(({ request }) => request.seq > operation.seq);
      if (barrier) barrier.ahead -= 1;
      else this.#tail -= 1;
      if (this.#isUnderLock(operation)) this.#ownerOperations -= 1;
    }
    if (this.#endingSeq !== undefined && this.#ownerOperations === 0) this.#free();
  }

  /** The request whose turn it is. */
  get grantable(): LockRequest | undefined {
    const [first] = this.#waiting;
    return !this.#held && first?.ahead === 0 ? first.request : undefined;
  }

  /** The first request gets the lock; its owner has `ownerOperations` operations waiting here already. */
  grant(ownerOperations: number): void {
    this.#held = this.#waiting.shift()?.request;
    this.#ownerOperations = ownerOperations;
  }

  /**
   * The owner unlocks, at the place `seq` of the queue: at once, or after what it asked for before. Nothing happens
   * unless it holds the lock.
   */
  unlock(section: string, { owner, seq }: { readonly owner: number; readonly seq: number }): void {
    if (this.#held?.section !== section || this.#held.owner !== owner) return;
    if (this.#ownerOperations > 0) this.#endingSeq ??= seq;
    else this.#free();
  }

  /** Executions are over: their lock and their requests go; their operations stay. True if the lock went. */
  withdraw(isOver: (request: LockRequest) => boolean): boolean {
    this.#waiting = this.#waiting.filter((barrier, index) => {
      if (!isOver(barrier.request)) return true;
      const behind = this.#waiting[index + 1];
      if (behind) behind.ahead += barrier.ahead;
      else this.#tail += barrier.ahead;
      return false;
    });
    if (!this.#held || !isOver(this.#held)) return false;
    this.#free();
    return true;
  }

  /** All operations are gone; requests and the lock stay. */
  clear(): void {
    this.#tail = 0;
    for (const barrier of this.#waiting) barrier.ahead = 0;
    this.#ownerOperations = 0;
    if (this.#endingSeq !== undefined) this.#free();
  }

  #free(): void {
    this.#held = undefined;
    this.#ownerOperations = 0;
    this.#endingSeq = undefined;
  }
}

/** Which waiting operations may run: those before a place in the queue, of the lock's owner if there is a lock. */
export interface Runnable {
  readonly sender: number | undefined;
  readonly before: number;
}

export function runnableOf({ held, waiting, endingSeq }: QueueNumbers): Runnable {
  const place = held ? endingSeq : waiting[0]?.request.seq;
  return { sender: held?.owner, before: place ?? Number.MAX_SAFE_INTEGER };
}

/** Order of locking, the same for all: without it two critical sections could wait for each other. */
export function lockOrder(entityIds: readonly string[]): readonly string[] {
  return [...new Set(entityIds)].sort();
}

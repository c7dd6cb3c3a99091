import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  EMPTY_QUEUE,
  EntityQueue,
  lockOrder,
  runnableOf,
  type LockRequest,
} from '../../src/core/entity-queue.ts';

/** The queue as a plain list: what `EntityQueue` counts, this one looks at. */
class ListModel {
  items: (
    | { readonly seq: number; readonly sender: number | null }
    | { readonly seq: number; readonly lock: LockRequest }
  )[] = [];
  held: LockRequest | undefined;
  endingSeq: number | undefined;

  #operations(): { readonly seq: number; readonly sender: number | null }[] {
    return this.items.flatMap((item) => ('lock' in item ? [] : [item]));
  }

  ofOwner(): { readonly seq: number; readonly sender: number | null }[] {
    return this.#operations().filter(
      ({ seq, sender }) => sender === this.held?.owner && seq < (this.endingSeq ?? Infinity),
    );
  }

  runnable(): readonly { readonly seq: number; readonly sender: number | null }[] {
    if (this.held) return this.ofOwner();
    const first = this.items.find((item) => 'lock' in item);
    return this.#operations().filter(({ seq }) => seq < (first?.seq ?? Infinity));
  }

  settle(): void {
    if (this.held && this.endingSeq !== undefined && this.ofOwner().length === 0) this.free();
    const [first] = this.items;
    if (this.held || !first || !('lock' in first)) return;
    this.held = first.lock;
    this.items.shift();
  }

  free(): void {
    this.held = undefined;
    this.endingSeq = undefined;
  }
}

type Step =
  | { readonly kind: 'operation' | 'lock' | 'unlock' | 'withdraw'; readonly sender: number }
  | { readonly kind: 'signal' }
  | { readonly kind: 'run'; readonly count: number }
  | { readonly kind: 'clear' };

const sender = fc.integer({ min: 1, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('operation' as const, 'lock' as const, 'unlock' as const),
      sender,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), sender }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('signal' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('run' as const), count: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
);

/** The numbers and the list, taken through the same steps; the numbers also to the database and back. */
class Pair {
  readonly model = new ListModel();
  queue = new EntityQueue(EMPTY_QUEUE);
  #seq = 0;

  take(next: Step): void {
    this.#apply(next);
    const { grantable } = this.queue;
    this.model.settle();
    if (grantable) {
      this.queue.grant(this.model.ofOwner().length);
      assert.deepEqual(this.queue.held, grantable);
    }
    this.queue = new EntityQueue(structuredClone(this.queue.numbers));
    this.check();
  }

  #apply(next: Step): void {
    const { model, queue } = this;
    this.#seq += 1;
    const seq = this.#seq;
    switch (next.kind) {
      case 'signal':
      case 'operation': {
        const operation = { seq, sender: next.kind === 'signal' ? null : next.sender };
        model.items.push(operation);
        queue.arrive(operation);
        return;
      }
      case 'lock': {
        const lock = lockOf(seq, next.sender);
        model.items.push({ seq, lock });
        queue.request(lock);
        return;
      }
      case 'unlock':
        if (model.held?.owner === next.sender) model.endingSeq ??= seq;
        queue.unlock('section', { owner: next.sender, seq });
        return;
      case 'withdraw': {
        const held = model.held?.owner === next.sender;
        model.items = model.items.filter(
          (item) => !('lock' in item && item.lock.owner === next.sender),
        );
        if (held) model.free();
        assert.equal(
          queue.withdraw(({ owner }) => owner === next.sender),
          held,
        );
        assert.equal(queue.involves(next.sender), false);
        return;
      }
      case 'run': {
        const done = model.runnable().slice(0, next.count);
        model.items = model.items.filter((item) => 'lock' in item || !done.includes(item));
        queue.consume(done);
        return;
      }
      case 'clear':
        model.items = model.items.filter((item) => 'lock' in item);
        queue.clear();
        return;
    }
  }

  check(): void {
    const { model, queue } = this;
    assert.deepEqual(queue.held, model.held);
    assert.equal(queue.runnable, model.runnable().length);
    assert.equal(queue.operations, model.items.filter((item) => !('lock' in item)).length);
    assert.equal(queue.isEmpty, model.items.length === 0 && !model.held);
    const runnable = runnableOf(queue.numbers);
    const mayRun = model.items.filter((item) => {
      if ('lock' in item) return false;
      const isOurs = runnable.sender === undefined || item.sender === runnable.sender;
      return isOurs && item.seq < runnable.before;
    });
    assert.deepEqual(mayRun, model.runnable());
    for (const owner of [1, 2, 3]) {
      const asks = model.items.some((item) => 'lock' in item && item.lock.owner === owner);
      assert.equal(queue.involves(owner), asks || model.held?.owner === owner);
    }
  }
}

function lockOf(seq: number, owner: number): LockRequest {
  return { seq, owner, ownerExec: 1, section: 'section', lockSet: ['@a@1'], position: 0 };
}

describe('the queue of an entity', () => {
  it('counts what a list of the same messages holds, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pair = new Pair();
        for (const next of steps) pair.take(next);
      }),
      { numRuns: 500 },
    );
  });

  it('never grants a lock while an operation is ahead of it', () => {
    const queue = new EntityQueue(EMPTY_QUEUE);
    queue.arrive({ seq: 1, sender: null });
    queue.request(lockOf(2, 7));
    assert.equal(queue.grantable, undefined);
    queue.consume([{ seq: 1, sender: null }]);
    assert.notEqual(queue.grantable, undefined);
  });

  it('lets the owner of the lock overtake', () => {
    const queue = new EntityQueue(EMPTY_QUEUE);
    queue.request(lockOf(1, 7));
    queue.grant(0);
    queue.arrive({ seq: 2, sender: 8 });
    assert.equal(queue.runnable, 0);
    queue.arrive({ seq: 3, sender: 7 });
    assert.equal(queue.runnable, 1);
  });

  it('ignores an unlock of somebody else, or of another critical section', () => {
    const queue = new EntityQueue(EMPTY_QUEUE);
    queue.request(lockOf(1, 7));
    queue.grant(0);
    queue.unlock('section', { owner: 8, seq: 5 });
    queue.unlock('other', { owner: 7, seq: 5 });
    assert.equal(queue.isEmpty, false);
    queue.unlock('section', { owner: 7, seq: 5 });
    assert.equal(queue.isEmpty, true);
  });

  it('ends a lock after what its owner asked for before the unlock', () => {
    const queue = new EntityQueue(EMPTY_QUEUE);
    queue.request(lockOf(1, 7));
    queue.grant(0);
    queue.arrive({ seq: 2, sender: 7 });
    queue.unlock('section', { owner: 7, seq: 5 });
    assert.equal(queue.isEmpty, false);
    queue.consume([{ seq: 2, sender: 7 }]);
    assert.equal(queue.isEmpty, true);
  });

  it('joins what waited before and behind a request that is withdrawn', () => {
    const queue = new EntityQueue(EMPTY_QUEUE);
    queue.arrive({ seq: 1, sender: null });
    queue.request(lockOf(2, 7));
    queue.arrive({ seq: 3, sender: null });
    queue.request(lockOf(4, 8));
    assert.equal(
      queue.withdraw(({ owner }) => owner === 7),
      false,
    );
    assert.equal(queue.runnable, 2);
    queue.withdraw(({ owner }) => owner === 8);
    assert.deepEqual([queue.runnable, queue.operations], [2, 2]);
  });

  it('is free when it is cleared after its owner has unlocked', () => {
    const queue = new EntityQueue(EMPTY_QUEUE);
    queue.unlock('section', { owner: 7, seq: 5 });
    queue.request(lockOf(1, 7));
    queue.grant(0);
    queue.arrive({ seq: 2, sender: 7 });
    queue.request(lockOf(3, 8));
    queue.unlock('section', { owner: 7, seq: 5 });
    queue.clear();
    assert.equal(queue.grantable?.owner, 8);
    assert.equal(
      queue.withdraw(() => true),
      false,
    );
  });
});

describe('the order of locking', () => {
  it('is the same whatever order was given, each entity once', () => {
    assert.deepEqual(lockOrder(['@b@1', '@a@2', '@b@1', '@a@1']), ['@a@1', '@a@2', '@b@1']);
  });
});

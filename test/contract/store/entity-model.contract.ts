/**
 * Random orchestrations on a few entities, against a model. Whatever the order of signals, calls, locks, failures and
 * lost workers: every accepted request is in the state of its entity exactly once, those of one sender in the order
 * of sending, nobody runs between another's lock and unlock, every caller is told once, and in the end nothing is held.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { OrchestratorAction } from '../../../src/proto/orchestrator_service_pb.ts';
import type { Claimed, ClaimedEntity, ClaimedOrchestration } from '../../../src/storage/store.ts';
import { decodeEvent } from '../../../src/wire/events.ts';
import {
  callEntity,
  complete,
  fail,
  lockEntities,
  requestId,
  signalEntity,
  unlockEntity,
} from '../../support/actions.ts';
import { newEventsOf, raise, refusal, turn, type Bench, type UseBench } from './bench.ts';
import { batchDone, operationsOf, signal, stateOf } from './entity-bench.ts';

const ENTITIES = ['@a@1', '@b@1', '@c@1'] as const;
const OWNERS = 3;

type Step =
  | { readonly kind: 'signal'; readonly entity: number; readonly twice: boolean }
  | {
      readonly kind: 'act';
      readonly owner: number;
      readonly does: 'call' | 'signal' | 'lock' | 'unlock' | 'end' | 'fail';
      readonly entities: readonly number[];
    }
  | {
      readonly kind: 'work';
      readonly does: 'all' | 'some' | 'abandon' | 'lose' | 'breakDown' | 'hold' | 'forget' | 'late';
    };

const place = fc.nat(ENTITIES.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('signal' as const),
      entity: place,
      twice: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      owner: fc.nat(OWNERS - 1),
      does: fc.constantFrom(
        ...(['call', 'call', 'call', 'signal', 'lock', 'lock', 'unlock', 'unlock'] as const),
        ...(['end', 'fail'] as const),
      ),
      entities: fc.uniqueArray(place, { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('work' as const),
      does: fc.constantFrom(
        ...(['all', 'all', 'all', 'some', 'abandon', 'lose'] as const),
        ...(['breakDown', 'hold', 'forget', 'late', 'late'] as const),
      ),
    }),
  },
);

interface Owner {
  readonly id: string;
  readonly calls: Set<string>;
  section: { readonly id: string; readonly entities: readonly string[] } | undefined;
  isGranted: boolean;
}

class World {
  readonly #bench: Bench;
  readonly #run: number;
  readonly #owners: Owner[] = [];
  /** Accepted requests by entity and sender, in order of sending. */
  readonly #sent = new Map<string, Map<string, string[]>>();
  readonly #held: ClaimedEntity[] = [];
  /**
   * What two workers have in memory: every state that one ever came to, accepted or not, by the name that its batch
   * was given. They are believed to have them all, and are given no state that they have.
   */
  readonly #memories = [new Map<string, string>(), new Map<string, string>()] as const;
  #ids = 0;
  #rounds = 0;

  constructor(bench: Bench, run: number) {
    this.#bench = bench;
    this.#run = run;
  }

  /** Entities are of one run only. */
  entity(at: number): string {
    return `${ENTITIES[at] ?? ENTITIES[0]}-${this.#run}`;
  }

  async begin(): Promise<void> {
    for (let at = 0; at < OWNERS; at += 1) this.#owners.push(await this.#newOwner());
  }

  async #newOwner(): Promise<Owner> {
    this.#ids += 1;
    const id = `owner-${this.#run}-${this.#ids}`;
    await this.#bench.apply(this.#bench.start(id));
    return { id, calls: new Set(), section: undefined, isGranted: false };
  }

  #nextId(): number {
    this.#ids += 1;
    return this.#run * 10_000 + this.#ids;
  }

  #note(entity: string, sender: string, request: string): void {
    const senders = this.#sent.get(entity) ?? new Map<string, string[]>();
    senders.set(sender, [...(senders.get(sender) ?? []), request]);
    this.#sent.set(entity, senders);
  }

  async take(next: Step): Promise<void> {
    switch (next.kind) {
      case 'signal': {
        const entity = this.entity(next.entity);
        const request = requestId(this.#nextId());
        await this.#bench.apply(signal(entity, request));
        if (next.twice) await this.#bench.apply(signal(entity, request));
        this.#note(entity, 'client', request);
        return;
      }
      case 'act':
        await this.#act(next);
        return;
      case 'work':
        await this.#work(next.does);
        return;
    }
  }

  async #act({ owner: at, does, entities }: Step & { kind: 'act' }): Promise<void> {
    const owner = this.#owners[at];
    if (!owner) return;
    await this.#bench.apply(raise(owner.id, 'go'));
    for (const item of await this.#bench.take({ activities: 0 })) {
      assert.ok(item.kind === 'orchestration');
      const other = this.#owners.find(({ id }) => id === item.instanceId);
      if (other) this.#read(other, item);
      const isMine = item.instanceId === owner.id;
      const targets = entities.map((target) => this.entity(target));
      await this.#bench.apply(turn(item, isMine ? this.#actions(owner, does, targets) : []));
    }
    if (does === 'end' || does === 'fail') this.#owners[at] = await this.#newOwner();
  }

  /** What a turn was told: each answer once, and only answers to what was asked. */
  #read(owner: Owner, item: ClaimedOrchestration): void {
    for (const { eventType: type } of newEventsOf(item)) {
      if (type.case === 'entityLockGranted') {
        assert.equal(owner.section?.id, type.value.criticalSectionId);
        assert.equal(owner.isGranted, false, 'a lock is granted once');
        owner.isGranted = true;
      } else if (
        type.case === 'entityOperationCompleted' ||
        type.case === 'entityOperationFailed'
      ) {
        assert.ok(owner.calls.delete(type.value.requestId), 'a call is answered once');
      }
    }
  }

  #actions(
    owner: Owner,
    does: (Step & { kind: 'act' })['does'],
    targets: readonly string[],
  ): OrchestratorAction[] {
    const id = this.#nextId();
    const [target = ''] = targets;
    switch (does) {
      case 'call':
        owner.calls.add(requestId(id));
        this.#note(target, owner.id, requestId(id));
        return [callEntity(id, target, 'append')];
      case 'signal':
        // Nobody signals what he has locked (the SDKs forbid it): it would be overtaken by his own calls.
        if (owner.section?.entities.includes(target) === true) return [];
        this.#note(target, owner.id, requestId(id));
        return [signalEntity(id, target, 'append')];
      case 'lock':
        if (owner.section) return [];
        owner.section = { id: requestId(id), entities: targets };
        return [lockEntities(id, owner.section.id, [...targets])];
      case 'unlock': {
        const { section } = owner;
        if (!section || !owner.isGranted) return [];
        owner.section = undefined;
        owner.isGranted = false;
        return section.entities.map((entity) => unlockEntity(id, section.id, entity));
      }
      case 'end':
        return [complete()];
      case 'fail':
        return [fail('Broken', 'broken')];
    }
  }

  async #work(does: (Step & { kind: 'work' })['does']): Promise<void> {
    const claimed = await this.#takeBatches();
    for (const item of [...this.#held.splice(0), ...claimed]) {
      assert.ok(item.kind === 'entity');
      await this.#answer(item, does);
    }
    this.#bench.advance(100_000);
  }

  async #takeBatches(): Promise<readonly Claimed[]> {
    const room = { orchestrations: 0, activities: 0, entities: 10 };
    this.#rounds += 1;
    // One or the other, or both, so that work moves to and fro.
    const takers = this.#memories.flatMap((caches, id) =>
      this.#rounds % 3 === id ? [] : this.#bench.takers({ ...room, id, caches }),
    );
    return (await this.#bench.exchange([], takers)).claimed;
  }

  #memoryOf({ taker }: ClaimedEntity): Map<string, string> {
    return this.#memories[taker === 0 ? 0 : 1];
  }

  async #answer(item: ClaimedEntity, does: (Step & { kind: 'work' })['does']): Promise<void> {
    const { hub, token } = item;
    const bench = this.#bench;
    if (does === 'hold') this.#held.push(item);
    else if (does === 'abandon' || does === 'late') {
      await bench.apply({ kind: 'abandon', hub, work: 'entity', token });
      if (does === 'late') await this.#finish(item, item.operations.length);
    } else if (does === 'lose') {
      const loss = { parkAfter: 1000 };
      await bench.apply({ kind: 'release', hub, work: 'entity', token, readyAt: bench.now, loss });
    } else if (does === 'forget') {
      this.#memoryOf(item).clear();
      await this.#forget(item);
    } else if (does === 'breakDown') {
      const rest = { failureDetails: { errorType: 'Down', errorMessage: 'down' } };
      // One that is drawn five times in a row drops the batch, as it should; the model does not follow it there.
      if (this.#isLonely(item)) await bench.commit(batchDone(item, undefined, { count: 0, rest }));
      else await this.#finish(item, item.operations.length);
    } else {
      const { length } = item.operations;
      await this.#finish(item, does === 'some' ? Math.ceil(length / 2) : length);
    }
  }

  /** Nothing is run: it is handed out again with its state, unless somebody else has it by now. */
  async #forget(item: ClaimedEntity): Promise<void> {
    await this.#bench.commit(
      batchDone(item, undefined, { count: 0, rest: { requiresState: true } }),
    );
  }

  #broken = new Set<string>();

  /** Breaks down once for each entity. */
  #isLonely({ instanceId }: ClaimedEntity): boolean {
    if (this.#broken.has(instanceId)) return false;
    this.#broken.add(instanceId);
    return true;
  }

  async #finish(item: ClaimedEntity, count: number): Promise<void> {
    const { before: name = '', after } = item.memory;
    const known = item.isStateCached ? this.#memoryOf(item).get(name) : stateOf(item);
    if (item.isStateCached && known === undefined) {
      await this.#forget(item);
      return;
    }
    const before = JSON.parse(known ?? '[]') as string[];
    const done = operationsOf(item).slice(0, count);
    const state = JSON.stringify([...before, ...done]);
    this.#memoryOf(item).set(after, state);
    const outcome = await this.#bench.commit(batchDone(item, state, { count }));
    if (refusal(outcome) === 'OK') this.#assertAllowed(item, count);
  }

  /** Between a grant that its owner has seen and his unlock, only his own operations run. */
  #assertAllowed(item: ClaimedEntity, count: number): void {
    const owner = this.#owners.find(
      ({ section, isGranted }) => isGranted && section?.entities.includes(item.instanceId) === true,
    );
    if (!owner) return;
    for (const event of item.operations.slice(0, count)) {
      const { eventType: type } = decodeEvent(event);
      const caller = type.case === 'entityOperationCalled' ? type.value.parentInstanceId : 'nobody';
      assert.equal(caller, owner.id, 'only the owner of the lock runs');
    }
  }

  /** All owners end, everything is run, and the states are what was sent. */
  async settle(): Promise<void> {
    for (let at = 0; at < OWNERS; at += 1) {
      await this.#act({ kind: 'act', owner: at, does: 'end', entities: [0] });
    }
    for (let idle = 0; idle < 3;) {
      const ready = await this.#takeBatches();
      for (const item of [...this.#held.splice(0), ...ready]) {
        assert.ok(item.kind === 'entity');
        await this.#finish(item, item.operations.length);
      }
      this.#bench.advance(100_000);
      idle = ready.length === 0 ? idle + 1 : 0;
    }
    for (const [entity, senders] of this.#sent) await this.#check(entity, senders);
  }

  async #check(entity: string, senders: ReadonlyMap<string, readonly string[]>): Promise<void> {
    const record = await this.#bench.store.getEntity('default', entity, { state: true });
    const log = JSON.parse(record?.state ?? '[]') as string[];
    assert.deepEqual([record?.lockedBy, record?.backlog], [undefined, 0]);
    for (const [sender, requests] of senders) {
      const own = new Set(requests);
      assert.deepEqual(
        log.filter((request) => own.has(request)),
        requests,
        `requests of ${sender} at ${entity}`,
      );
    }
    assert.equal(log.length, [...senders.values()].flat().length, `requests at ${entity}`);
  }
}

export function entityModelContract(use: UseBench): void {
  let run = 0;
  it('entities: any interleaving of signals, calls, locks and failures gives the state of the model', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        run += 1;
        const world = new World(use(), run);
        await world.begin();
        for (const next of steps) await world.take(next);
        await world.settle();
      }),
      { numRuns: 40 },
    );
  });
}

/**
 * Random operations against a small model. What must hold whatever happens: an instance has at most one live
 * lease, an activity's result reaches the history at most once and is never lost, an event is delivered once and in
 * order, and nothing that waits is forgotten.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { ClaimedActivity, ClaimedOrchestration } from '../../../src/storage/store.ts';
import { createTimer, scheduleTask } from '../../support/actions.ts';
import {
  activityDone,
  decodeFramed,
  newEventsOf,
  raise,
  refusal,
  turn,
  turnClaimed,
} from './bench.ts';
import { HUB, START_AT, type Bench, type UseBench } from './bench.ts';

type Operation =
  | { readonly kind: 'start' | 'raise'; readonly id: number }
  | { readonly kind: 'take'; readonly room: number }
  | { readonly kind: 'turn'; readonly pick: number; readonly tasks: number; readonly some: boolean }
  | { readonly kind: 'activity' | 'abandon' | 'release' | 'stale'; readonly pick: number }
  | { readonly kind: 'advance'; readonly ms: number }
  | { readonly kind: 'reopen' };

const pick = fc.nat(20);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('start' as const), id: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('raise' as const), id: fc.nat(3) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const), room: fc.nat(4) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('turn' as const),
      pick,
      tasks: fc.nat(2),
      some: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('activity' as const), pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('abandon' as const, 'release' as const, 'stale' as const),
      pick,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat(40_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const) }) },
);

interface Expected {
  /** Names of raised events, in order of acceptance. */
  readonly raised: string[];
  readonly tasks: Set<number>;
  readonly timers: Set<number>;
  /** Result given to the accepted completion of each task. */
  readonly results: Map<number, string>;
  nextAction: number;
}

/** Plays workers and clients at random and keeps account of what the store has promised. */
class Player {
  readonly #bench: Bench;
  readonly #instances = new Map<string, Expected>();
  /** Items that a worker holds; a released or abandoned one may be held by nobody. */
  readonly #turns = new Map<string, ClaimedOrchestration>();
  readonly #activities = new Map<string, ClaimedActivity>();
  readonly #spent: (ClaimedOrchestration | ClaimedActivity)[] = [];
  /** Tokens given back: good until the item is claimed again. */
  readonly #released = new Set<string>();
  #counter = 0;

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  async play(step: Operation): Promise<void> {
    switch (step.kind) {
      case 'start':
        return this.#start(`i${step.id}`);
      case 'raise':
        return this.#raise(`i${step.id}`);
      case 'take':
        return this.take(step.room);
      case 'turn':
        return this.#turn(choose(this.#turns, step.pick), step);
      case 'activity':
        return this.#activity(choose(this.#activities, step.pick));
      case 'abandon':
      case 'release':
        return this.#giveBack(step.kind, step.pick);
      case 'stale':
        return this.#stale(step.pick);
      case 'advance':
        this.#bench.advance(step.ms);
        return;
      case 'reopen':
        return this.#reopen();
    }
  }

  async #start(id: string): Promise<void> {
    const outcome = await this.#bench.commit(this.#bench.start(id));
    const isTaken = this.#instances.has(id);
    assert.equal(refusal(outcome), isTaken ? 'INSTANCE_ALREADY_EXISTS' : 'OK');
    if (isTaken) return;
    const fresh = { tasks: new Set<number>(), timers: new Set<number>(), nextAction: 1 };
    this.#instances.set(id, { ...fresh, raised: [], results: new Map() });
  }

  async #raise(id: string): Promise<void> {
    this.#counter += 1;
    const name = `e${this.#counter}`;
    const outcome = await this.#bench.commit(raise(id, name));
    const expected = this.#instances.get(id);
    assert.equal(refusal(outcome), expected ? 'OK' : 'INSTANCE_NOT_FOUND');
    expected?.raised.push(name);
  }

  async take(room: number): Promise<void> {
    const claimed = await this.#bench.take({ orchestrations: room, activities: room });
    for (const item of claimed) {
      if (item.kind === 'activity') this.#heldActivity(item);
      else this.#heldTurn(turnClaimed(item));
    }
  }

  #heldTurn(item: ClaimedOrchestration): void {
    for (const [token, other] of this.#turns) {
      if (other.instanceId !== item.instanceId) continue;
      assert.ok(this.#released.has(token), `two live leases on ${item.instanceId}`);
      this.#turns.delete(token);
      this.#spent.push(other);
    }
    this.#turns.set(item.token, item);
  }

  #heldActivity(item: ClaimedActivity): void {
    for (const [token, other] of this.#activities) {
      if (rowOf(other.token) !== rowOf(item.token)) continue;
      assert.ok(this.#released.has(token), 'two live leases on one activity');
      this.#activities.delete(token);
      this.#spent.push(other);
    }
    this.#activities.set(item.token, item);
  }

  async #turn(
    item: ClaimedOrchestration | undefined,
    { tasks, some }: { readonly tasks: number; readonly some: boolean },
  ): Promise<void> {
    const expected = item && this.#instances.get(item.instanceId);
    if (!item || !expected) return;
    const actions = Array.from({ length: tasks }, (_, n) => {
      const id = expected.nextAction + n;
      return n === 0 ? scheduleTask(id) : createTimer(id, this.#bench.now + 1000 * n);
    });
    const eventsProcessed = some ? Math.max(2, item.newEvents.length - 1) : undefined;
    await this.#bench.apply(turn(item, actions, { eventsProcessed }));
    for (const { id, orchestratorActionType } of actions) {
      if (orchestratorActionType.case === 'scheduleTask') expected.tasks.add(id);
      else expected.timers.add(id);
    }
    expected.nextAction += tasks;
    this.#turns.delete(item.token);
    this.#spent.push(item);
  }

  async #activity(item: ClaimedActivity | undefined): Promise<void> {
    if (!item) return;
    this.#counter += 1;
    const result = `r${this.#counter}`;
    await this.#bench.apply(activityDone(item, result));
    this.#activities.delete(item.token);
    this.#spent.push(item);
    this.#done.push(result);
  }

  readonly #done: string[] = [];

  async #giveBack(kind: 'abandon' | 'release', at: number): Promise<void> {
    const held = at % 2 === 0 ? this.#turns : this.#activities;
    const item = choose<ClaimedOrchestration | ClaimedActivity>(held, at);
    if (!item) return;
    const { hub, token } = item;
    if (kind === 'release') {
      const readyAt = this.#bench.now + 500;
      await this.#bench.apply({ kind, hub, work: item.kind, token, readyAt, loss: undefined });
      this.#released.add(token);
      return;
    }
    await this.#bench.apply({ kind, hub, work: item.kind, token });
    held.delete(token);
    this.#spent.push(item);
  }

  /** Whoever comes with a token that is spent changes nothing. */
  async #stale(at: number): Promise<void> {
    const item = this.#spent[at % Math.max(1, this.#spent.length)];
    if (!item) return;
    const commit =
      item.kind === 'activity' ? activityDone(item, 'stale') : turn(item, [scheduleTask(999)]);
    assert.equal(refusal(await this.#bench.commit(commit)), 'LEASE_LOST');
  }

  async #reopen(): Promise<void> {
    await this.#bench.reopen();
    const graceMs = { orchestration: 500, activity: 500, entity: 500 };
    await this.#bench.store.releaseOrphans({ now: this.#bench.now, limit: 1000, graceMs });
    for (const token of [...this.#turns.keys(), ...this.#activities.keys()]) {
      this.#released.add(token);
    }
  }

  /** Works off everything, so that what was promised must show up. */
  async drain(): Promise<void> {
    for (let round = 0; round < 60; round += 1) {
      for (const item of [...this.#turns.values()]) {
        await this.#turn(item, { tasks: 0, some: false });
      }
      for (const item of [...this.#activities.values()]) await this.#activity(item);
      await this.take(50);
      const isIdle = this.#turns.size + this.#activities.size === 0;
      if (isIdle && this.#bench.last?.wakeAt === undefined) return;
      this.#bench.advance(60_000);
    }
    assert.fail('the store does not come to rest');
  }

  /** The history holds what was accepted, each once. */
  async check(): Promise<void> {
    const results: string[] = [];
    for (const [id, expected] of this.#instances) {
      const events = await this.#bench.history(id);
      const raised: string[] = [];
      const completed: number[] = [];
      const fired: number[] = [];
      for (const { eventType } of events) {
        if (eventType.case === 'eventRaised') raised.push(eventType.value.name);
        if (eventType.case === 'timerFired') fired.push(eventType.value.timerId);
        if (eventType.case !== 'taskCompleted') continue;
        completed.push(eventType.value.taskScheduledId);
        results.push(eventType.value.result ?? '');
      }
      assert.deepEqual(raised, expected.raised);
      assert.deepEqual(completed.sort(byNumber), [...expected.tasks].sort(byNumber));
      assert.deepEqual(fired.sort(byNumber), [...expected.timers].sort(byNumber));
    }
    assert.deepEqual(results.sort(), [...this.#done].sort());
  }
}

const byNumber = (a: number, b: number): number => a - b;

function rowOf(token: string): string {
  return token.split(':')[0] ?? '';
}

function choose<T>(items: ReadonlyMap<string, T>, at: number): T | undefined {
  const all = [...items.values()];
  return all[at % Math.max(1, all.length)];
}

export function modelContract(use: UseBench): void {
  describe('any sequence of operations', () => {
    it('keeps every promise to clients and workers', async () => {
      const bench = use();
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { minLength: 10, maxLength: 60 }), async (steps) => {
          bench.now = START_AT;
          await bench.apply({ kind: 'createHub', hub: HUB, recreate: true });
          const player = new Player(bench);
          for (const step of steps) await player.play(step);
          await player.drain();
          await player.check();
        }),
        { numRuns: 40 },
      );
    }).timeout(20_000);

    it('hands out past and new events that together are the history to be', async () => {
      const bench = use();
      let item = await bench.begin('a');
      for (let round = 0; round < 5; round += 1) {
        const handed = [...item.history.flatMap(decodeFramed), ...newEventsOf(item)];
        await bench.apply(turn(item));
        assert.deepEqual(await bench.history('a'), handed);
        await bench.apply(raise('a', String(round)));
        item = await bench.takeTurn();
      }
    });
  });
}

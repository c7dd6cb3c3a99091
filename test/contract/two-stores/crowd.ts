/**
 * Clients and workers of two stores who do what comes to their mind, all at once and with the same few instances, each
 * round in an order of its own. Seeded; only the interleaving is the database's.
 */
import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import {
  OrchestrationIdReusePolicySchema,
  OrchestrationStatus,
  type OrchestratorAction,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { Claimed, ClaimedOrchestration, Commit, Outcome } from '../../../src/storage/store.ts';
import type { Random } from '../../../src/testing/random.ts';
import {
  complete,
  continueAsNew,
  createChild,
  createTimer,
  fail,
  scheduleTask,
  sendEvent,
  terminateOther,
} from '../../support/actions.ts';
import {
  activityDone,
  deliver,
  HUB,
  raise,
  refusal,
  terminate,
  turn,
  turnClaimed,
} from '../store/bench.ts';
import type { Node } from './pair.ts';

/** These are started, called and sent to, and end when all is over: every event must reach them, once. */
export const CALM = ['calm-0', 'calm-1', 'calm-2', 'calm-3'];
/** Anything may happen to these. */
const WILD = ['wild-0', 'wild-1', 'wild-2', 'wild-3', 'wild-4', 'wild-5'];
const ALL = [...CALM, ...WILD];

const { COMPLETED, FAILED, TERMINATED } = OrchestrationStatus;
const REPLACES = create(OrchestrationIdReusePolicySchema, {
  replaceableStatus: [COMPLETED, FAILED, TERMINATED],
});

/** What may be said to somebody who acts on what others change at the same time. */
const EXPECTED = new Set([
  'OK',
  'LEASE_LOST',
  'INSTANCE_NOT_FOUND',
  'INSTANCE_ALREADY_EXISTS',
  'WRONG_STATE',
]);

export class Crowd {
  readonly #nodes: readonly Node[];
  readonly #random: Random;
  /** Handed out and not answered; several may answer the same. */
  #held: Claimed[] = [];
  #counter = 0;
  /** Names of the events that were accepted, by calm instance. */
  readonly raised = new Map(CALM.map((id) => [id, [] as string[]]));
  /** Accepted answers by token. */
  readonly answered = new Map<string, number>();
  /** What was asked for by accepted turns, by calm instance. */
  readonly asked = new Map(CALM.map((id) => [id, { tasks: 0, timers: 0, turns: 0 }]));

  constructor(nodes: readonly Node[], random: Random) {
    this.#nodes = nodes;
    this.#random = random;
  }

  /** `rounds` rounds by each of `players`. */
  async play(players: number, rounds: number): Promise<void> {
    const seats = Array.from({ length: players }, () => this.#random.fork());
    await Promise.all(
      seats.map(async (random) => {
        for (let round = 0; round < rounds; round += 1) await this.#round(random);
      }),
    );
  }

  async #round(random: Random): Promise<void> {
    const node = random.pick(this.#nodes);
    if (random.chance(0.1)) node.bench.advance(random.int(1, 300));
    const commits = Array.from({ length: random.int(1, 6) }, () => this.#commit(random));
    const takes = random.chance(0.7);
    await this.exchange(node, commits, takes);
  }

  async exchange({ bench }: Node, commits: readonly Commit[], takes: boolean): Promise<void> {
    const { outcomes, claimed } = await bench.exchange(commits, takes ? bench.takers() : []);
    for (const [at, outcome] of outcomes.entries()) this.#note(commits[at], outcome);
    this.#held.push(...claimed);
  }

  #note(commit: Commit | undefined, outcome: Outcome): void {
    assert.ok(EXPECTED.has(refusal(outcome)), `${commit?.kind ?? ''}: ${refusal(outcome)}`);
    if (!outcome.ok || !commit) return;
    if (commit.kind === 'turn' || commit.kind === 'activity') {
      this.answered.set(commit.token, (this.answered.get(commit.token) ?? 0) + 1);
    }
    if (commit.kind === 'turn') this.#noteTurn(commit);
    const name = this.#names.get(commit);
    if (commit.kind === 'deliver' && name !== undefined) {
      this.raised.get(commit.instanceId)?.push(name);
    }
  }

  readonly #names = new WeakMap<Commit, string>();
  readonly #owners = new Map<string, string>();

  #noteTurn({ token, actions }: Commit & { kind: 'turn' }): void {
    const asked = this.asked.get(this.#owners.get(token) ?? '');
    if (!asked) return;
    asked.turns += 1;
    for (const { orchestratorActionType: type } of actions) {
      if (type.case === 'scheduleTask') asked.tasks += 1;
      if (type.case === 'createTimer') asked.timers += 1;
    }
  }

  #commit(random: Random): Commit {
    const id = random.pick(ALL);
    const wild = random.pick(WILD);
    const { bench } = random.pick(this.#nodes);
    return random.weighted<() => Commit>([
      [3, () => bench.start(id, CALM.includes(id) ? {} : { policy: REPLACES })],
      [6, () => this.raise(id)],
      [12, () => this.#answer(random, random.chance(0.9) ? this.#take(random) : undefined)],
      [1, () => terminate(wild, '"stop"', random.chance(0.5))],
      [1, () => deliver(wild, { case: 'executionSuspended', value: {} })],
      [1, () => deliver(wild, { case: 'executionResumed', value: {} })],
      [1, () => ({ kind: 'purge', hub: HUB, instanceId: wild, onLive: 'skip' })],
      [1, () => ({ kind: 'rewind', hub: HUB, instanceId: wild, reason: undefined })],
    ])();
  }

  raise(id: string): Commit {
    this.#counter += 1;
    const name = `event-${this.#counter}`;
    const commit = raise(id, name);
    this.#names.set(commit, name);
    return commit;
  }

  /** Something that somebody holds; now and then it stays with him, and is answered twice. */
  #take(random: Random): Claimed | undefined {
    if (this.#held.length === 0) return undefined;
    const at = random.int(0, this.#held.length - 1);
    const item = this.#held[at];
    if (random.chance(0.9)) this.#held.splice(at, 1);
    return item;
  }

  #answer(random: Random, item: Claimed | undefined): Commit {
    if (!item) return this.raise(random.pick(ALL));
    const { hub, kind: work, token } = item;
    if (random.chance(0.05)) return { kind: 'abandon', hub, work, token };
    if (random.chance(0.05)) {
      const readyAt = this.#nodes[0]?.bench.now ?? 0;
      return { kind: 'release', hub, work, token, readyAt, loss: undefined };
    }
    if (item.kind === 'activity') return activityDone(item, '"done"');
    this.#owners.set(token, item.instanceId);
    const claimed = turnClaimed(item);
    return turn(claimed, this.#actions(random, claimed));
  }

  #actions(random: Random, { instanceId }: ClaimedOrchestration): readonly OrchestratorAction[] {
    const actions = Array.from({ length: random.int(0, 3) }, () => this.#action(random));
    if (CALM.includes(instanceId)) return actions;
    return random.weighted<readonly OrchestratorAction[]>([
      [6, actions],
      [1, [...actions, complete('"ok"')]],
      [1, [...actions, fail('Broken', 'broken')]],
      [1, [...actions, continueAsNew('"again"')]],
    ]);
  }

  #action(random: Random): OrchestratorAction {
    this.#counter += 1;
    const id = this.#counter;
    const now = this.#nodes[0]?.bench.now ?? 0;
    return random.weighted<() => OrchestratorAction>([
      [4, () => scheduleTask(id)],
      [2, () => createTimer(id, now + random.int(0, 500))],
      [2, () => createChild(id, random.chance(0.5) ? random.pick(WILD) : `child-${id}`)],
      [2, () => sendEvent(id, random.pick(WILD), `sent-${id}`)],
      [1, () => terminateOther(id, random.pick(WILD), random.chance(0.5))],
    ])();
  }

  /** Everybody finishes what he holds and ends what he is handed, until nobody lives. */
  async finish(live: () => Promise<readonly string[]>): Promise<void> {
    for (let round = 0; round < 100; round += 1) {
      const ids = await live();
      if (ids.length === 0) return;
      const held = this.#held;
      this.#held = [];
      const answers = held.map((item) => this.#last(item, round));
      const nudges = ids.flatMap((id) => [
        deliver(id, { case: 'executionResumed', value: {} }),
        this.raise(id),
      ]);
      for (const node of this.#nodes) node.bench.advance(1000);
      for (const [at, node] of this.#nodes.entries()) {
        await this.exchange(node, at === 0 ? [...answers, ...nudges] : [], true);
      }
    }
    assert.fail(`still alive: ${(await live()).join(', ')}`);
  }

  /** Calm instances live on until all that they have asked for has come. */
  #last(item: Claimed, round: number): Commit {
    if (item.kind === 'activity') return activityDone(item, '"done"');
    this.#owners.set(item.token, item.instanceId);
    const isOver = round > 5 || !CALM.includes(item.instanceId);
    return turn(item, isOver ? [complete('"over"')] : []);
  }
}

/**
 * Another node on the same database that never rests: orchestrations of its own in the hub of the test and in a hub
 * beside it. A store must behave as if it were not there.
 */
import assert from 'node:assert/strict';
import { nextLoop } from '../../../src/base/yield.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { systemIds } from '../../../src/base/ids.ts';
import { openStore } from '../../../src/storage/open-store.ts';
import type { Claimed, Commit, Store, Taker } from '../../../src/storage/store.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { continueAsNew, scheduleTask, sendEvent } from '../../support/actions.ts';
import {
  activityDone,
  Bench,
  casesOf,
  HUB,
  PLAIN_STREAM,
  raise,
  refusal,
  turn,
  turnClaimed,
} from '../store/bench.ts';

/** The hub that only the neighbour knows of. */
const OWN_HUB = 'neighbour';
const INSTANCES = ['neighbour-0', 'neighbour-1', 'neighbour-2'];
/** Far ahead of any clock of the tests: what the neighbour leases is never taken for forgotten. */
const NOW = Date.UTC(2036, 0, 1);
/** A test may delete its hub under the neighbour, and make it again. */
const REFUSALS = new Set(['TASK_HUB_NOT_FOUND', 'LEASE_LOST']);

export class Neighbour {
  readonly #store: Store;
  readonly #bench: Bench;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  /** Generations of its orchestrations that ran to their end, in all hubs. */
  generations = 0;

  private constructor(store: Store, bench: Bench) {
    this.#store = store;
    this.#bench = bench;
  }

  static async open(storage: string): Promise<Neighbour> {
    const store = await openStore({
      ...{ storage, logger: silentLogger, ids: systemIds },
      clock: {
        now: () => NOW,
        sleepUntil: (at, options) => systemClock.sleepUntil(systemClock.now() + at - NOW, options),
      },
    });
    const opened = { store, reopen: () => Promise.resolve(store), close: () => store.close() };
    const bench = await Bench.open(() => Promise.resolve(opened), [OWN_HUB]);
    bench.now = NOW;
    const neighbour = new Neighbour(store, bench);
    neighbour.#running = neighbour.#loop();
    // Told by `close`.
    neighbour.#running.catch(() => undefined);
    return neighbour;
  }

  /** `store` as its test may see it: without what is the neighbour's. */
  besides(store: Store): Store {
    const own: Partial<Store> = {
      taskHubs: async () => (await store.taskHubs()).filter((hub) => hub !== OWN_HUB),
      queryInstances: (query) =>
        store.queryInstances({ ...query, createdTo: query.createdTo ?? NOW }),
    };
    const inspection = new Proxy(store.inspection, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown =>
          Reflect.apply(value, target, args.map(withoutNeighbours));
      },
    });
    return new Proxy(store, {
      get: (target, key) => {
        const value: unknown = Reflect.get({ ...own, inspection }, key) ?? Reflect.get(target, key);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }

  /** Stops writing; throws if anything went wrong meanwhile. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#store.close();
  }

  async #loop(): Promise<void> {
    const answers = new Map<string, readonly Commit[]>();
    for (let round = 0; !this.#stop.signal.aborted; round += 1) {
      const hub = round % 2 === 0 ? HUB : OWN_HUB;
      const claimed = await this.#round(hub, answers.get(hub) ?? []);
      answers.set(
        hub,
        claimed.map((item) => this.#answer(item)),
      );
      await nextLoop();
    }
  }

  async #round(hub: string, answers: readonly Commit[]): Promise<readonly Claimed[]> {
    const starts = INSTANCES.map((id) => this.#bench.start(id, { hub, name: 'Neighbour' }));
    const raised = INSTANCES.map((id) => raise(id, 'news', '1', hub));
    const { outcomes, claimed } = await this.#bench.exchange(
      [...starts, ...answers, ...raised],
      takers(hub),
    );
    for (const result of outcomes.slice(starts.length).map(refusal)) {
      assert.ok(result === 'OK' || (hub === HUB && REFUSALS.has(result)), `${hub}: ${result}`);
    }
    return claimed;
  }

  #answer(claimed: Claimed): Commit {
    if (claimed.kind === 'activity') return activityDone(claimed, '"done"');
    const item = turnClaimed(claimed);
    const fresh = casesOf(item).fresh;
    if (fresh.includes('executionStarted')) {
      const at = INSTANCES.indexOf(item.instanceId);
      const other = INSTANCES[(at + 1) % INSTANCES.length] ?? '';
      return turn(item, [scheduleTask(1, 'NeighbourTask'), sendEvent(2, other, 'hello')]);
    }
    if (!fresh.includes('taskCompleted')) return turn(item);
    this.generations += 1;
    return turn(item, [continueAsNew()]);
  }
}

/** So much room that nothing of the neighbour's is ever left for others to take. */
function takers(hub: string): readonly Taker[] {
  const taker = { ...PLAIN_STREAM, id: 1, hub, credit: 1000 };
  const only = (name: string): Pick<Taker, 'filters'> => ({ filters: [{ name, versions: [] }] });
  return [
    { ...taker, kind: 'orchestration', ...only('Neighbour') },
    { ...taker, kind: 'activity', ...only('NeighbourTask') },
  ];
}

/** A filter or query that leaves out what was made later than any test can make it. */
function withoutNeighbours(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null || !('created' in argument))
    return argument;
  const created = argument.created as { readonly to: number | undefined };
  return { ...argument, created: { ...created, to: created.to ?? NOW } };
}

/** What clients do, and what must come of it: a scenario that ends without throwing was satisfied. */
import assert from 'node:assert/strict';
import { statusName } from '../../src/core/instance.ts';
import type { Random } from '../../src/testing/random.ts';
import { describe, ended, isUnknown, persist, start, type Caller } from '../simulation/actor.ts';
import type { Bank, Transfer } from '../simulation/bank-programs.ts';
import type { Books } from './books.ts';
import type { Booking } from './programs.ts';

export interface Actor extends Caller {
  readonly random: Random;
  readonly books: Books;
  /** The instance's start was acknowledged. */
  readonly onStarted: () => void;
}

export type Scenario = (actor: Actor) => Promise<void>;

async function run(actor: Actor, name: string, input: unknown): Promise<void> {
  await start(actor, name, input);
  actor.onStarted();
}

async function endsWith(actor: Actor, output: unknown): Promise<void> {
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'COMPLETED', describe(state));
  assert.deepEqual(JSON.parse(state.serializedOutput ?? 'null'), output, describe(state));
}

const chain: Scenario = async (actor) => {
  const count = actor.random.int(1, 6);
  await run(actor, 'chain', count);
  await endsWith(actor, count);
};

const fanOut: Scenario = async (actor) => {
  const count = actor.random.int(2, 20);
  await run(actor, 'fanOut', count);
  await endsWith(actor, (count * (count + 1)) / 2);
};

const timers: Scenario = async (actor) => {
  const delays = Array.from({ length: actor.random.int(1, 3) }, () => actor.random.int(0, 1500));
  await run(actor, 'timers', delays);
  await endsWith(
    actor,
    delays.map(() => true),
  );
};

const family: Scenario = async (actor) => {
  const counts = Array.from({ length: actor.random.int(1, 4) }, () => actor.random.int(1, 3));
  await run(actor, 'family', counts);
  await endsWith(actor, counts);
};

const countdown: Scenario = async (actor) => {
  const left = actor.random.int(1, 6);
  await run(actor, 'countdown', { left, sum: 0 });
  await endsWith(actor, ((left + 1) * (left + 2)) / 2);
};

/** What was acknowledged arrives once and in order; what got no answer at most once. */
const events: Scenario = async (actor) => {
  const { client, id, random, clock } = actor;
  await run(actor, 'collect', undefined);
  const acked: number[] = [];
  const count = random.int(1, 6);
  for (let item = 0; item < count; item += 1) {
    const isAcked = await attempt(() => client.raiseOrchestrationEvent(id, 'item', item));
    if (isAcked) acked.push(item);
    if (random.chance(0.4)) await clock.sleep(random.int(1, 500));
  }
  await persist(actor, () => actor.client.raiseOrchestrationEvent(id, 'item', 'stop'));
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'COMPLETED', describe(state));
  const items = JSON.parse(state.serializedOutput ?? '[]') as number[];
  assert.equal(new Set(items).size, items.length, `an event arrived twice: ${describe(state)}`);
  const ofAcked = items.filter((item) => acked.includes(item));
  assert.deepEqual(ofAcked, acked, `lost events, or out of order: ${describe(state)}`);
};

/** True once it is acknowledged, false when its answer is lost. */
async function attempt(call: () => Promise<void>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (!isUnknown(error)) throw error;
    return false;
  }
}

/** Operations of an orchestration on one entity, in order. */
const booking: Scenario = async (actor) => {
  const { id, random, books } = actor;
  const book = books.pick(random);
  const entries = Array.from({ length: random.int(1, 6) }, (_, n) => `${id}/${n}`);
  await run(actor, 'book', { book, entries } satisfies Booking);
  for (const entry of entries) books.acknowledged({ book, entry });
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'COMPLETED', describe(state));
  const pages = JSON.parse(state.serializedOutput ?? '[]') as number[];
  assert.ok(
    pages.every((page, n) => n === 0 || page > (pages[n - 1] ?? page)),
    describe(state),
  );
};

/** Signals of a client. */
const signals: Scenario = async (actor) => {
  const { id, random, books } = actor;
  const book = books.pick(random);
  actor.onStarted();
  const count = random.int(1, 4);
  for (let n = 0; n < count; n += 1) {
    const entry = `${id}/${n}`;
    const isAcked = await attempt(() => actor.client.signalEntity(book, 'write', entry));
    if (isAcked) books.acknowledged({ book, entry });
    else books.unanswered({ book, entry });
  }
};

const ACCOUNTS = 12;
const BALANCE = 100;
const BANK: Bank = { bank: 'bank', accounts: ACCOUNTS };

/** Before anything else. */
export const openBank: Scenario = async (actor) => {
  await run(actor, 'openBank', { ...BANK, balance: BALANCE });
  await endsWith(actor, ACCOUNTS * BALANCE);
};

/** Money moves between two accounts that are locked meanwhile. */
const transfer: Scenario = async (actor) => {
  const { random } = actor;
  const from = random.int(0, ACCOUNTS - 1);
  const to = (from + random.int(1, ACCOUNTS - 1)) % ACCOUNTS;
  const input: Transfer = {
    ...{ bank: BANK.bank, from, to, amount: random.int(1, 150) },
    stumbles: random.chance(0.2),
  };
  await run(actor, 'transfer', input);
  const state = await ended(actor);
  assert.match(state.serializedOutput ?? '', /^"(moved|refused)"$/, describe(state));
};

/** All accounts are locked at one moment, and all the money is there. */
export const audit: Scenario = async (actor) => {
  await run(actor, 'audit', BANK);
  await endsWith(actor, ACCOUNTS * BALANCE);
};

/** With their share of the load. */
export const SCENARIOS: readonly (readonly [number, string, Scenario])[] = [
  [4, 'chain', chain],
  [2, 'fan-out', fanOut],
  [2, 'timers', timers],
  [2, 'events', events],
  [2, 'family', family],
  [2, 'countdown', countdown],
  [3, 'booking', booking],
  [2, 'signals', signals],
  [2, 'transfer', transfer],
  [0.3, 'audit', audit],
];

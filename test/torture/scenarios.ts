/** What clients do, and what must come of it: a scenario that ends without throwing was satisfied. */
import assert from 'node:assert/strict';
import { statusName } from '../../src/core/instance.ts';
import type { Random } from '../../src/testing/random.ts';
import { describe, ended, start, type Caller } from '../simulation/actor.ts';

export interface Actor extends Caller {
  readonly random: Random;
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

/** With their share of the load. */
export const SCENARIOS: readonly (readonly [number, string, Scenario])[] = [
  [4, 'chain', chain],
  [2, 'fan-out', fanOut],
];

/** What clients do, and what must come of it. A scenario that ends without throwing was satisfied. */
import assert from 'node:assert/strict';
import { statusName } from '../../src/core/instance.ts';
import { terminateOptions } from '../../src/client/terminate-options.ts';
import { OrchestrationStatus as Status } from '../../src/proto/orchestrator_service_pb.ts';
import { describe, ended, isUnknown, persist, start, type Actor, type Scenario } from './actor.ts';

async function endsWith(actor: Actor, output: unknown): Promise<void> {
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'COMPLETED', describe(state));
  assert.deepEqual(JSON.parse(state.serializedOutput ?? 'null'), output, describe(state));
}

const pause = ({ clock, random }: Actor): Promise<void> => clock.sleep(random.int(1, 5000));

const chain: Scenario = async (actor) => {
  const count = actor.random.int(1, 6);
  await start(actor, 'chain', count);
  await endsWith(actor, count);
};

const fanOut: Scenario = async (actor) => {
  const count = actor.random.int(2, 12);
  await start(actor, 'fanOut', count);
  await endsWith(actor, (count * (count + 1)) / 2);
};

const timers: Scenario = async (actor) => {
  const delays = Array.from({ length: actor.random.int(1, 4) }, () => actor.random.int(0, 8));
  await start(actor, 'timers', delays);
  await endsWith(
    actor,
    delays.map(() => true),
  );
};

const scheduled: Scenario = async (actor) => {
  const startAt = new Date(actor.clock.now() + actor.random.int(1, 10) * 1000);
  await start(actor, 'chain', 1, startAt);
  await endsWith(actor, 1);
  assert.ok(actor.clock.now() >= startAt.getTime(), 'a scheduled start came too early');
};

/** Raises numbered items one after the other; what was acknowledged arrives once and in order. */
async function raiseItems(actor: Actor): Promise<{ acked: number[]; sent: number[] }> {
  const { client, id, random } = actor;
  const acked: number[] = [];
  const sent: number[] = [];
  for (let item = 0, count = random.int(1, 6); item < count; item += 1) {
    sent.push(item);
    try {
      await client.raiseOrchestrationEvent(id, 'item', item);
      acked.push(item);
    } catch (error) {
      if (!isUnknown(error)) throw error;
    }
    if (random.chance(0.4)) await pause(actor);
  }
  return { acked, sent };
}

const events: Scenario = async (actor) => {
  const isRelay = actor.random.chance(0.5);
  await start(actor, isRelay ? 'relay' : 'collect', []);
  const { acked, sent } = await raiseItems(actor);
  const stop = isRelay ? 'item' : 'stop';
  await persist(actor, () => actor.client.raiseOrchestrationEvent(actor.id, stop, 'stop'));
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'COMPLETED', describe(state));
  const items = JSON.parse(state.serializedOutput ?? '[]') as number[];
  assert.equal(new Set(items).size, items.length, `an event arrived twice: ${describe(state)}`);
  assert.ok(
    items.every((item) => sent.includes(item)),
    `an event from nowhere: ${describe(state)}`,
  );
  const missing = acked.filter((item) => !items.includes(item));
  assert.deepEqual(missing, [], `acknowledged events are lost: ${describe(state)}`);
  const ofAcked = items.filter((item) => acked.includes(item));
  assert.deepEqual(ofAcked, acked, `events changed their order: ${describe(state)}`);
};

const race: Scenario = async (actor) => {
  await start(actor, 'race', actor.random.int(1, 6));
  await pause(actor);
  await persist(actor, () => actor.client.raiseOrchestrationEvent(actor.id, 'go', 1));
  const state = await ended(actor);
  assert.ok(['["timer",2]', '["event",2]'].includes(state.serializedOutput ?? ''), describe(state));
};

const countdown: Scenario = async (actor) => {
  const left = actor.random.int(1, 6);
  await start(actor, 'countdown', { left, sum: 0 });
  await endsWith(actor, ((left + 1) * (left + 2)) / 2);
};

const children: Scenario = async (actor) => {
  const { id, random, outside } = actor;
  const keys = Array.from({ length: random.int(1, 3) }, (_, index) => `${id}-${index}`);
  for (const key of keys) outside.failuresLeft.set(key, random.int(0, 3));
  await start(actor, 'parent', { keys, isNamed: random.chance(0.5) });
  await endsWith(
    actor,
    keys.map((key) => `ok ${key}:${key.length + 1}`),
  );
};

const retries: Scenario = async (actor) => {
  actor.outside.failuresLeft.set(actor.id, actor.random.int(0, 4));
  await start(actor, 'retrying', actor.id);
  await endsWith(actor, `ok ${actor.id}`);
};

const balls: Scenario = async (actor) => {
  const rounds = actor.random.int(1, 4);
  const numbers = Array.from({ length: rounds }, (_, round) => round);
  await start(actor, 'ping', { partner: `${actor.id}-pong`, rounds });
  await endsWith(actor, [numbers, numbers]);
};

const paused: Scenario = async (actor) => {
  const { client, id, random } = actor;
  const count = random.int(2, 6);
  await start(actor, 'chain', count);
  for (let times = random.int(1, 2); times > 0; times -= 1) {
    await pause(actor);
    await persist(actor, () => client.suspendOrchestration(id));
    await pause(actor);
    await persist(actor, () => client.resumeOrchestration(id));
  }
  await endsWith(actor, count);
};

/** Leaves of a fragile tree. */
function leaves(key: string, depth: number, width: number): string[] {
  if (depth === 0) return [key];
  return Array.from({ length: width }, (_, index) =>
    leaves(`${key}.${index}`, depth - 1, width),
  ).flat();
}

function fragileOutput(key: string, depth: number, width: number): string {
  if (depth === 0) return `whole ${key}1`;
  const below = Array.from({ length: width }, (_, index) =>
    fragileOutput(`${key}.${index}`, depth - 1, width),
  );
  return `(${below.join(',')})${depth + 1}`;
}

async function failTree(
  actor: Actor,
  { isLasting }: { readonly isLasting: boolean },
): Promise<{ depth: number; width: number }> {
  const { id, random, outside } = actor;
  const depth = random.int(0, 2);
  const width = random.int(1, 2);
  const all = leaves(id, depth, width);
  const chosen = all.filter(() => random.chance(0.5));
  const broken = chosen.length === 0 ? all.slice(0, 1) : chosen;
  for (const key of broken) outside.broken.add(key);
  await start(actor, 'fragile', { key: id, depth, width, lasting: isLasting ? broken : [] });
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'FAILED', describe(state));
  for (const key of all) outside.broken.delete(key);
  return { depth, width };
}

const rewind: Scenario = async (actor) => {
  const { client, id } = actor;
  const { depth, width } = await failTree(actor, { isLasting: false });
  for (;;) {
    await persist(actor, () => client.rewindInstance(id, 'repaired'), { code: 'WRONG_STATE' });
    const state = await ended(actor);
    // A leaf that was already under way when it was repaired may fail once more.
    if (state.runtimeStatus === Status.FAILED) continue;
    assert.equal(state.serializedOutput, JSON.stringify(fragileOutput(id, depth, width)));
    return;
  }
};

const terminateRewound: Scenario = async (actor) => {
  const { client, id, random } = actor;
  const { depth, width } = await failTree(actor, { isLasting: true });
  await persist(actor, () => client.rewindInstance(id, 'repaired'), { code: 'WRONG_STATE' });
  if (random.chance(0.5)) await pause(actor);
  const options = terminateOptions({ output: 'enough', recursive: true });
  await persist(actor, () => client.terminateOrchestration(id, options));
  await ended(actor);
  for (const key of leaves(id, depth, width)) await endedOrMissing(actor, key);
};

async function endedOrMissing(actor: Actor, id: string): Promise<void> {
  const state = await persist(actor, () => actor.client.getOrchestrationState(id));
  if (state) await ended(actor, id);
}

const terminate: Scenario = async (actor) => {
  const { client, id, random } = actor;
  const count = random.int(0, 3);
  const recursive = random.chance(0.7);
  await start(actor, 'sleeper', { id, children: count });
  if (random.chance(0.8)) await pause(actor);
  const stop = (target: string) =>
    persist(actor, () =>
      client.terminateOrchestration(target, terminateOptions({ output: 'enough', recursive })),
    );
  await stop(id);
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'TERMINATED', describe(state));
  assert.equal(state.serializedOutput, '"enough"', describe(state));
  for (let index = 0; index < count; index += 1) {
    const childId = `${id}.${index}`;
    const found = await persist(actor, () => client.getOrchestrationState(childId));
    if (!found) continue;
    if (!recursive) await stop(childId);
    assert.equal(statusName((await ended(actor, childId)).runtimeStatus), 'TERMINATED');
  }
};

const forced: Scenario = async (actor) => {
  const { client, id, random } = actor;
  await start(
    actor,
    random.chance(0.5) ? 'chain' : 'sleeper',
    random.chance(0.5) ? 3 : { id, children: 0 },
  );
  await pause(actor);
  await persist(actor, () => client.forceTerminate([id], { reason: '"gone"' }));
  await ended(actor);
};

const again: Scenario = async (actor) => {
  const { client, id, random } = actor;
  await start(actor, 'chain', 2);
  await endsWith(actor, 2);
  if (random.chance(0.5)) {
    await persist(actor, () => client.restartOrchestration(id), { code: 'WRONG_STATE' });
    await endsWith(actor, 2);
    return;
  }
  await persist(actor, () => client.purgeOrchestration(id));
  assert.equal(await persist(actor, () => client.getOrchestrationState(id)), undefined);
  await start(actor, 'fanOut', 3);
  await endsWith(actor, 6);
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  chain,
  fanOut,
  timers,
  scheduled,
  events,
  race,
  countdown,
  children,
  retries,
  balls,
  paused,
  rewind,
  terminateRewound,
  terminate,
  forced,
  again,
};

/** Clients of a bank whose money must stay, whoever dies meanwhile. */
import assert from 'node:assert/strict';
import { statusName } from '../../src/core/instance.ts';
import { terminateOptions } from '../../src/client/terminate-options.ts';
import type { SimulationOptions } from './simulation.ts';
import { accountId, type Bank, type Grab, type Transfer } from './bank-programs.ts';
import { describe, ended, persist, start, type Actor, type Scenario } from './actor.ts';

const ACCOUNTS = 20;
const BALANCE = 100;

/** An instance of its own, for the same client. */
const as = (actor: Actor, id: string): Actor => ({ ...actor, id });

async function completes(actor: Actor): Promise<unknown> {
  const state = await ended(actor);
  assert.equal(statusName(state.runtimeStatus), 'COMPLETED', describe(state));
  return JSON.parse(state.serializedOutput ?? 'null');
}

function transferOf({ random }: Actor, bank: string): Transfer {
  const from = random.int(0, ACCOUNTS - 1);
  const to = (from + random.int(1, ACCOUNTS - 1)) % ACCOUNTS;
  return { bank, from, to, amount: random.int(1, 150), stumbles: random.chance(0.2) };
}

function grabOf({ random }: Actor, bank: string): Grab {
  const first = random.int(0, ACCOUNTS - 1);
  const accounts = [first, (first + 7) % ACCOUNTS, (first + 3) % ACCOUNTS];
  return { bank, accounts, how: random.pick(['fail', 'forget', 'sleep', 'continue'] as const) };
}

async function runGrab(actor: Actor, grab: Grab): Promise<void> {
  const { client, id } = actor;
  await start(actor, 'grab', grab);
  if (grab.how === 'sleep') {
    await actor.clock.sleep(actor.random.int(1, 20_000));
    const options = terminateOptions({ output: 'enough' });
    await persist(actor, () => client.terminateOrchestration(id, options));
  }
  await ended(actor);
}

/** Transfers, audits and orchestrations that keep their locks, all at the same time. */
function bank(transfers: number): Scenario {
  return async (actor) => {
    const { id, random } = actor;
    const options: Bank = { bank: id, accounts: ACCOUNTS };
    const total = ACCOUNTS * BALANCE;
    await start(actor, 'openBank', { ...options, balance: BALANCE });
    assert.equal(await completes(actor), total);
    const running: Promise<unknown>[] = [];
    for (let number = 0; number < transfers; number += 1) {
      const mover = as(actor, `${id}-transfer-${number}`);
      await start(mover, 'transfer', transferOf(actor, id));
      running.push(completes(mover));
      if (random.chance(0.2))
        running.push(runGrab(as(actor, `${id}-grab-${number}`), grabOf(actor, id)));
      if (random.chance(0.1))
        running.push(audited(as(actor, `${id}-audit-${number}`), options, total));
    }
    await Promise.all(running);
    await audited(as(actor, `${id}-audit-last`), options, total);
    let sum = 0;
    for (let number = 0; number < ACCOUNTS; number += 1) {
      const account = accountId(id, number);
      const found = await persist(actor, () => actor.client.getEntity<number>(account));
      sum += found?.state ?? 0;
      assert.equal(found?.lockedBy, undefined, `${account} is locked in the end`);
      assert.equal(found?.backlogQueueSize, 0, `something waits for ${account} in the end`);
    }
    assert.equal(sum, total, 'the money in all accounts');
  };
}

/** A life with nothing but a bank; longer troubles, so that they reach the transfers. */
export function bankOptions(seed: number, transfers: number): SimulationOptions {
  return { seed, scenarios: { bank: bank(transfers) }, chaosSteps: 600 + transfers * 20 };
}

async function audited(actor: Actor, options: Bank, total: number): Promise<void> {
  await start(actor, 'audit', options);
  assert.equal(await completes(actor), total, 'the money that an audit counts');
}

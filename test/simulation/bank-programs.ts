/** A bank: accounts are entities, a transfer locks two of them, an audit all. */
import type { CoreOrchestrationContext } from '../../src/replay/core-context.ts';
import { whenAll } from '../../src/replay/core-context.ts';
import type { LockHandle } from '../../src/replay/core-entities.ts';
import type { CoreOrchestrator, TaskHubWorker } from '../../src/worker/task-hub-worker.ts';
import type { ITaskEntity, TaskEntityOperation } from '../../src/worker/task-entity.ts';

type Ctx = CoreOrchestrationContext;
type Run = Generator<unknown, unknown, never>;

function* wait<T>(task: unknown): Generator<unknown, T, never> {
  return yield task;
}

/** `@account@3-of-bank`. */
export function accountId(bank: string, number: number): string {
  return `@account@${number}-of-${bank}`;
}

export interface Bank {
  readonly bank: string;
  readonly accounts: number;
}

function all({ bank, accounts }: Bank): string[] {
  return Array.from({ length: accounts }, (_, number) => accountId(bank, number));
}

function* open(ctx: Ctx, { balance, ...bank }: Bank & { readonly balance: number }): Run {
  const calls = all(bank).map((account) => ctx.entities.callEntity(account, 'add', balance));
  yield whenAll(calls);
  return balance * bank.accounts;
}

export interface Transfer {
  readonly bank: string;
  readonly from: number;
  readonly to: number;
  readonly amount: number;
  /** The account throws first, and the transfer goes on. */
  readonly stumbles: boolean;
}

/** Moves money if it is there; between the two steps nobody may see that some is missing. */
function* transfer(ctx: Ctx, { bank, from, to, amount, stumbles }: Transfer): Run {
  const { entities } = ctx;
  const [source, target] = [accountId(bank, from), accountId(bank, to)];
  const lock = yield* wait<LockHandle>(entities.lockEntities(source, target));
  try {
    const balance = yield* wait<number>(entities.callEntity(source, 'get'));
    if (stumbles) {
      try {
        yield entities.callEntity(target, 'stumble');
      } catch {
        // As asked for.
      }
    }
    if (balance < amount) return 'refused';
    yield entities.callEntity(source, 'add', -amount);
    yield ctx.createTimer(1);
    yield entities.callEntity(target, 'add', amount);
    return 'moved';
  } finally {
    lock.release();
  }
}

/** The sum of all accounts at one moment. */
function* audit(ctx: Ctx, bank: Bank): Run {
  const accounts = all(bank);
  const lock = yield* wait<LockHandle>(ctx.entities.lockEntities(...accounts));
  const calls = accounts.map((account) => ctx.entities.callEntity(account, 'get'));
  const balances = yield* wait<number[]>(whenAll(calls));
  lock.release();
  return balances.reduce((sum, balance) => sum + balance, 0);
}

export interface Grab {
  readonly bank: string;
  readonly accounts: readonly number[];
  readonly how: 'fail' | 'forget' | 'sleep' | 'continue';
}

/** Locks accounts, and ends without letting go. */
function* grab(ctx: Ctx, { bank, accounts, how }: Grab): Run {
  if (how === 'forget' && accounts.length === 0) return 'nothing to grab';
  yield ctx.entities.lockEntities(...accounts.map((number) => accountId(bank, number)));
  if (how === 'fail') throw new Error('grabbed');
  if (how === 'sleep') yield ctx.createTimer(1e6);
  if (how === 'continue') ctx.continueAsNew({ bank, accounts: [], how: 'forget' }, false);
  return 'forgot';
}

class Account implements ITaskEntity {
  run({ name, state, getInput }: TaskEntityOperation): unknown {
    const balance = state.getState(0) ?? 0;
    if (name === 'stumble') {
      state.setState(-1_000_000);
      throw new Error('stumbled');
    }
    if (name === 'add') state.setState(balance + (getInput<number>() ?? 0));
    return balance;
  }
}

export function registerBank(worker: TaskHubWorker): void {
  const orchestrators = { openBank: open, transfer, audit, grab };
  for (const [name, orchestrator] of Object.entries(orchestrators)) {
    worker.addNamedOrchestrator(name, orchestrator as CoreOrchestrator);
  }
  worker.addNamedEntity('account', () => new Account());
}

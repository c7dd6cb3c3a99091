import type { DurableLock, OrchestrationHandler } from 'durable-functions';
import * as df from 'durable-functions';

/** Input of `Transfer`. */
interface TransferInput {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

/**
 * Moves money. While the lock is held nobody else sees or changes either account; it is let go of at the
 * end of the block, however that ends. Locks are taken in one order, so transfers never wait in a circle.
 */
const transfer: OrchestrationHandler = function* (context) {
  const { from, to, amount } = context.df.getInput<TransferInput>();
  const source = new df.EntityId('Account', from);
  const target = new df.EntityId('Account', to);

  using _lock: DurableLock = yield context.df.lock(source, target);
  const balance: number = yield context.df.callEntity(source, 'balance');
  if (balance < amount) return { moved: 0, reason: `${from} has only ${balance}` };
  yield context.df.callEntity(source, 'withdraw', amount);
  yield context.df.callEntity(target, 'deposit', amount);
  return { moved: amount };
};
df.app.orchestration('Transfer', transfer);

/** Adds up accounts while none of them can change. */
const audit: OrchestrationHandler = function* (context) {
  const accounts = context.df.getInput<string[]>().map((key) => new df.EntityId('Account', key));

  using _lock: DurableLock = yield context.df.lock(accounts);
  const balances: number[] = yield context.df.Task.all(
    accounts.map((account) => context.df.callEntity(account, 'balance')),
  );
  return balances.reduce((sum, balance) => sum + balance, 0);
};
df.app.orchestration('Audit', audit);

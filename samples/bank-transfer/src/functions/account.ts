import type { EntityHandler } from 'durable-functions';
import * as df from 'durable-functions';

/** An account: its state is its balance. An operation that throws changes nothing. */
const account: EntityHandler<number> = (context) => {
  const { df: entity } = context;
  const balance = entity.getState(() => 0) ?? 0;
  const amount = entity.getInput<number>() ?? 0;
  switch (entity.operationName) {
    case 'balance':
      entity.return(balance);
      break;
    case 'deposit':
      entity.setState(balance + amount);
      entity.return(balance + amount);
      break;
    case 'withdraw':
      if (amount > balance) throw new Error(`${amount} is more than the balance of ${balance}`);
      entity.setState(balance - amount);
      entity.return(balance - amount);
      break;
    default:
      throw new Error(`an account has no operation '${entity.operationName}'`);
  }
};
df.app.entity('Account', account);

/**
 * A worker in a process of its own: `node bank-worker.ts <endpoint>`. It moves money between accounts inside
 * critical sections, by reading both balances and writing them back: without the locks, money would be lost.
 */
import { systemClock } from '../../../src/base/clock.ts';
import { createStreamLogger } from '../../../src/telemetry/logger.ts';
import type { CoreOrchestrationContext, LockHandle } from '../../../src/worker/index.ts';
import { TaskHubWorker } from '../../../src/worker/index.ts';

/** What an account keeps. */
export interface Account {
  readonly balance: number;
  /** Writes by `Move`, to see that each counts once. */
  readonly writes: number;
}

/** One step of the orchestration `Move`. */
export interface Move {
  readonly from: string;
  readonly to: string;
  readonly amount: number;
}

function* move({ entities }: CoreOrchestrationContext, moves: readonly Move[]) {
  for (const { from, to, amount } of moves) {
    const lock = (yield entities.lockEntities(from, to)) as LockHandle;
    const source = (yield entities.callEntity(from, 'read')) as Account;
    const target = (yield entities.callEntity(to, 'read')) as Account;
    yield entities.callEntity(from, 'write', source.balance - amount);
    yield entities.callEntity(to, 'write', target.balance + amount);
    lock.release();
  }
  return moves.length;
}

async function main(): Promise<void> {
  const [endpoint = ''] = process.argv.slice(2);
  const worker = new TaskHubWorker({
    ...{ endpoint, taskHub: 'default' },
    logger: createStreamLogger({
      level: 'debug',
      format: 'text',
      write: (line) => process.stderr.write(line),
      now: () => systemClock.now(),
    }),
  });
  worker.addNamedOrchestrator('Move', move);
  worker.addNamedEntity('Account', () => ({
    run: ({ name, state, getInput }) => {
      const account = state.getState<Account>({ balance: 0, writes: 0 }) as Account;
      const balance = getInput<number>() ?? 0;
      if (name === 'open') state.setState({ ...account, balance });
      if (name === 'write') state.setState({ balance, writes: account.writes + 1 });
      return name === 'read' ? account : undefined;
    },
  }));
  await worker.connected();
  process.stdout.write(`${JSON.stringify({ grpc: endpoint })}\n`);
}

void main();

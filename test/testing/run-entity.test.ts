import assert from 'node:assert/strict';
import type { EntityContext } from 'durable-functions';
import { EntityId } from '../../src/functions/value-classes.ts';
import { runEntity, runOrchestrator, TestHub } from '../../src/testing/index.ts';
import { TaskEntity } from '../../src/worker/index.ts';

function counter({ df }: EntityContext<number>): void {
  const value = df.getState(() => 0) ?? 0;
  switch (df.operationName) {
    case 'add':
      df.setState(value + (df.getInput() ?? 1));
      break;
    case 'get':
      df.return(value);
      break;
    case 'tell':
      df.signalEntity(new EntityId('Log', 'all'), 'write', { value });
      break;
    case 'delete':
      df.destructOnExit();
      break;
    default:
      throw new RangeError(`no operation ${String(df.operationName)}`);
  }
}

class Account extends TaskEntity<{ balance: number }> {
  deposit(amount: number): number {
    this.state.balance += amount;
    return this.state.balance;
  }

  override initializeState(): { balance: number } {
    return { balance: 100 };
  }
}

describe('runEntity', () => {
  it('runs operations one after the other on a state', async () => {
    const { state, results } = await runEntity(counter, {
      state: 5,
      operations: [{ name: 'add', input: 2 }, { name: 'add' }, { name: 'get' }],
    });

    assert.equal(state, 8);
    assert.deepEqual(results.at(-1), { isFailed: false, output: 8 });
  });

  it('says what failed, and keeps what the failure changed out of the state', async () => {
    const { state, results } = await runEntity(counter, {
      operations: [{ name: 'add' }, { name: 'fly' }],
    });

    assert.equal(state, 1);
    assert.deepEqual(results[1], {
      isFailed: true,
      errorType: 'RangeError',
      message: 'no operation fly',
    });
  });

  it('says what the entity signaled, and when it is gone', async () => {
    const { state, effects } = await runEntity(counter, {
      state: 3,
      operations: [{ name: 'tell' }, { name: 'delete' }],
    });

    assert.equal(state, undefined);
    assert.deepEqual(effects, [
      { kind: 'signal', entityId: '@log@all', operation: 'write', input: { value: 3 } },
    ]);
  });

  it('runs classes', async () => {
    const { state, results } = await runEntity(Account, {
      operations: [{ name: 'deposit', input: 20 }],
    });

    assert.deepEqual([state, results], [{ balance: 120 }, [{ isFailed: false, output: 120 }]]);
  });
});

describe('entities in a test hub', () => {
  it('are called, signaled and locked by orchestrators', async () => {
    const { output } = await runOrchestrator(
      function* (context) {
        const id = new EntityId('Counter', 'one');
        context.df.signalEntity(id, 'add', 2);
        const lock = (yield context.df.lock(id)) as { release(): void };
        yield context.df.callEntity(id, 'add', 3);
        lock.release();
        return (yield context.df.callEntity(id, 'get')) as unknown;
      },
      { entities: { Counter: counter } },
    );

    assert.equal(output, 5);
  });

  it('are signaled and read by clients', async () => {
    const hub = await TestHub.open({ entities: { Counter: counter } });
    try {
      const id = new EntityId('Counter', 'one');
      await hub.client.signalEntity(id, 'add', 4);
      await hub.idle();

      const entity = await hub.client.getEntity(id);

      assert.equal(entity?.state, 4);
    } finally {
      await hub.close();
    }
  });
});

import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import { create } from '@bufbuild/protobuf';
import { systemIds } from '../../src/base/ids.ts';
import { entityFactory } from '../../src/functions/entity-invocation.ts';
import type { EntityFunction, EntityHandler } from '../../src/functions/entity-invocation.ts';
import { DummyEntityContext, EntityId, TaskEntity } from '../../src/index.ts';
import { EntityBatchResultSchema } from '../../src/proto/orchestrator_service_pb.ts';
import { executeBatch } from '../../src/worker/entity-executor.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** Runs operations, each a name with an input, and gives the results and the state as JSON text. */
async function execute(
  entity: EntityFunction<never>,
  operations: readonly (readonly [name: string, input?: unknown])[],
  options: { readonly state?: string; readonly key?: string } = {},
) {
  const { state: entityState, key = 'a' } = options;
  const message = await executeBatch(
    entityFactory('Counter', entity, systemIds),
    {
      instanceId: `@counter@${key}`,
      entityState,
      operations: operations.map(([name, input]) => ({
        name,
        input: JSON.stringify(input),
        info: undefined,
      })),
    },
    { clock: new ManualClock(), ids: systemIds },
  );
  const { results, entityState: state, actions } = create(EntityBatchResultSchema, message);
  return {
    results: results.map(({ resultType }) =>
      resultType.case === 'success'
        ? resultType.value.result
        : resultType.value?.failureDetails?.errorMessage,
    ),
    state,
    actions: actions.map(({ operationActionType }) => operationActionType),
  };
}

/** The counter of Microsoft's samples. */
const counter: EntityHandler<number> = (context) => {
  const current = context.df.getState(() => 0) ?? 0;
  switch (context.df.operationName) {
    case 'add':
      context.df.setState(current + (context.df.getInput<number>() ?? 0));
      break;
    case 'reset':
      context.df.setState(0);
      break;
    case 'get':
      context.df.return(current);
      break;
    case 'end':
      context.df.destructOnExit();
      break;
    default:
      throw new Error(`no operation ${String(context.df.operationName)}`);
  }
};

describe('an entity function', () => {
  it('runs the counter of the samples', async () => {
    const { results, state } = await execute(counter, [
      ['add', 5],
      ['add', 2],
      ['get'],
      ['reset'],
      ['get'],
    ]);

    assert.deepEqual(results, [undefined, undefined, '7', undefined, '0']);
    assert.equal(state, '0');
  });

  it('deletes its state with destructOnExit', async () => {
    const { results, state } = await execute(counter, [['end'], ['get']], { state: '5' });

    assert.deepEqual([results, state], [[undefined, '0'], undefined]);
  });

  it('fails an operation that throws, and none of the others', async () => {
    const { results, state } = await execute(counter, [['add', 1], ['odd'], ['add', 1]]);

    assert.deepEqual([results, state], [[undefined, 'no operation odd', undefined], '2']);
  });

  it('shows who it is and what it is asked', async () => {
    const seen: unknown[] = [];
    await execute(
      ((context) => {
        const { df } = context;
        seen.push([
          context instanceof azureFunctions.InvocationContext,
          context.functionName,
          context.triggerMetadata?.['instanceId'],
          df.entityName,
          df.entityKey,
          df.entityId instanceof EntityId && df.entityId.toString(),
          df.operationName,
          df.isNewlyConstructed,
          df.getInput(),
        ]);
        df.setState(1);
      }) satisfies EntityHandler<unknown>,
      [['first', { a: 1 }], ['second']],
    );

    const shared = [true, 'Counter', '@counter@a', 'counter', 'a', '@counter@a'];
    assert.deepEqual(seen, [
      [...shared, 'first', true, { a: 1 }],
      [...shared, 'second', false, undefined],
    ]);
  });

  it('is one context for a batch, with a fresh df for each operation', async () => {
    const contexts = new Set<unknown>();
    const dfs = new Set<unknown>();
    await execute(
      ((context) => {
        contexts.add(context);
        dfs.add(context.df);
      }) satisfies EntityHandler<unknown>,
      [['a'], ['b']],
    );

    assert.deepEqual([contexts.size, dfs.size], [1, 2]);
  });

  it('keeps falsy states, which need no initial one', async () => {
    for (const state of ['0', 'false', '""']) {
      const { results } = await execute(
        ((context) => {
          context.df.return(
            context.df.getState(() => {
              throw new Error('not needed');
            }),
          );
        }) satisfies EntityHandler<unknown>,
        [['get']],
        { state },
      );

      assert.deepEqual(results, [state]);
    }
  });

  it('does not store what the initializer gives', async () => {
    const { state } = await execute(
      ((context) => {
        context.df.getState(() => 'initial');
      }) satisfies EntityHandler<string>,
      [['get']],
    );

    assert.equal(state, undefined);
  });

  it('gives what it returned, unless it said so with return', async () => {
    const { results } = await execute(
      ((context) => {
        if (context.df.operationName === 'explicit') context.df.return('explicit');
        return 'implicit';
      }) satisfies EntityHandler<unknown>,
      [['explicit'], ['implicit']],
    );

    assert.deepEqual(results, ['"explicit"', '"implicit"']);
  });

  it('ignores a returned value that cannot be written, as durable-functions ignores all', async () => {
    const { results } = await execute(() => ({ big: 1n }), [['any']]);

    assert.deepEqual(results, [undefined]);
  });

  it('fails on an explicit result that cannot be written', async () => {
    const { results } = await execute(
      ((context) => {
        context.df.return(1n);
      }) satisfies EntityHandler<unknown>,
      [['any']],
    );

    assert.match(String(results[0]), /The result of operation 'any' cannot be written as JSON/);
  });

  it('may be asynchronous', async () => {
    const { results } = await execute(
      (async (context) => {
        await Promise.resolve();
        context.df.return('later');
      }) satisfies EntityHandler<unknown>,
      [['any']],
    );

    assert.deepEqual(results, ['"later"']);
  });

  it('signals entities, with falsy inputs too, and starts orchestrations', async () => {
    const { actions } = await execute(
      ((context) => {
        context.df.signalEntity(new EntityId('Other', 'b'), 'set', 0);
        context.df.signalEntity(new EntityId('Other', 'b'), 'set', '', {
          signalTime: new Date(5_000),
        });
        context.df.return(context.df.scheduleNewOrchestration('Flow', 1, { instanceId: 'mine' }));
      }) satisfies EntityHandler<unknown>,
      [['any']],
    );

    assert.deepEqual(
      actions.map(({ case: kind, value }) => [kind, value?.instanceId, value?.name, value?.input]),
      [
        ['sendSignal', '@other@b', 'set', '0'],
        ['sendSignal', '@other@b', 'set', '""'],
        ['startNewOrchestration', 'mine', 'Flow', '1'],
      ],
    );
    assert.equal(actions[1]?.value?.scheduledTime?.seconds, 5n);
  });

  it('may have an empty key, which EntityId itself refuses', async () => {
    const { results } = await execute(
      ((context) => {
        const { entityId } = context.df;
        context.df.return([entityId instanceof EntityId, entityId.toString()]);
      }) satisfies EntityHandler<unknown>,
      [['any']],
      { key: '' },
    );

    assert.deepEqual(results, ['[true,"@counter@"]']);
  });

  it('can be tested with a dummy context', () => {
    const context = new DummyEntityContext<number>();
    const returned: unknown[] = [];
    context.df = {
      operationName: 'get',
      getState: () => 7,
      return: (value: unknown) => void returned.push(value),
    } as unknown as typeof context.df;

    counter(context);

    assert.deepEqual(returned, [7]);
  });
});

class Cart extends TaskEntity<string[]> {
  add(item: string): number {
    return this.state.push(item);
  }

  protected override initializeState(): string[] {
    return [];
  }
}

describe('an entity class', () => {
  it('is registered as such', async () => {
    const { results, state } = await execute(Cart, [
      ['add', 'tea'],
      ['Add', 'milk'],
    ]);

    assert.deepEqual([results, state], [['1', '2'], '["tea","milk"]']);
  });

  it('may come from a function that makes it, once for a batch', async () => {
    let made = 0;
    const { results } = await execute(() => {
      made += 1;
      return new Cart();
    }, [
      ['add', 'tea'],
      ['add', 'milk'],
    ]);

    assert.deepEqual([results, made], [['1', '2'], 1]);
  });
});

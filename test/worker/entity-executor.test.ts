import assert from 'node:assert/strict';
import { create, toJson } from '@bufbuild/protobuf';
import { systemIds } from '../../src/base/ids.ts';
import { EntityInstanceId } from '../../src/core/entity-instance-id.ts';
import { EntityBatchResultSchema } from '../../src/proto/orchestrator_service_pb.ts';
import { executeBatch } from '../../src/worker/entity-executor.ts';
import type { TaskEntityOperation } from '../../src/worker/task-entity.ts';
import { TaskEntity } from '../../src/worker/task-entity.ts';
import { ManualClock } from '../support/manual-clock.ts';

type Run = (operation: TaskEntityOperation) => unknown;

interface Outcome {
  /** JSON text of each result, or `type: message` of its failure. */
  readonly results: readonly (string | undefined)[];
  readonly state: string | undefined;
  /** Each as JSON, without ids and times of request. */
  readonly actions: readonly unknown[];
}

/** Runs operations, each a name with the JSON text of its input. */
async function execute(
  run: Run | (() => TaskEntity<never>),
  operations: readonly (readonly [name: string, input?: string])[],
  entityState?: string,
): Promise<Outcome> {
  const isFactory = run.length === 0;
  const message = await executeBatch(
    () => (isFactory ? (run as () => TaskEntity<never>)() : { run: run }),
    {
      instanceId: '@counter@a',
      entityState,
      operations: operations.map(([name, input]) => ({
        name,
        input,
        info: undefined,
      })),
    },
    { clock: new ManualClock(1_000), ids: { ...systemIds, uuid: () => 'made-up' } },
  );
  const { results, actions, entityState: state } = create(EntityBatchResultSchema, message);
  return {
    results: results.map(({ resultType }) => {
      if (resultType.case === 'success') return resultType.value.result;
      const { errorType, errorMessage } = resultType.value?.failureDetails ?? {};
      return `${String(errorType)}: ${String(errorMessage)}`;
    }),
    state,
    actions:
      (
        toJson(EntityBatchResultSchema, create(EntityBatchResultSchema, { actions })) as {
          actions?: unknown[];
        }
      ).actions ?? [],
  };
}

const counter: Run = ({ name, state, getInput, context }) => {
  const value = state.getState<number>(0) ?? 0;
  switch (name) {
    case 'add':
      state.setState(value + (getInput<number>() ?? 1));
      return undefined;
    case 'get':
      return value;
    case 'reset':
      state.setState(null);
      return null;
    case 'fail':
      state.setState(999);
      context.signalEntity('@other@b', 'never');
      throw new RangeError('no more');
    default:
      throw new Error(`unknown ${name}`);
  }
};

describe('a batch of entity operations', () => {
  it('runs its operations in order, each on what the one before has left', async () => {
    const outcome = await execute(counter, [['add', '5'], ['add'], ['get']], '1');

    assert.deepEqual(outcome, { results: [undefined, undefined, '7'], state: '7', actions: [] });
  });

  it('takes back state and actions of an operation that fails, and goes on', async () => {
    const outcome = await execute(counter, [['add', '5'], ['fail'], ['add', '1']]);

    assert.deepEqual(outcome, {
      results: [undefined, 'RangeError: no more', undefined],
      state: '6',
      actions: [],
    });
  });

  it('leaves the state out once it is null or undefined', async () => {
    assert.equal((await execute(counter, [['reset']], '7')).state, undefined);
    assert.equal(
      (
        await execute(
          ({ state }) => {
            state.setState(undefined);
          },
          [['x']],
          '7',
        )
      ).state,
      undefined,
    );
    assert.deepEqual((await execute(counter, [['reset'], ['get']], '7')).results, ['null', '0']);
  });

  it('keeps the original state when nothing is changed', async () => {
    const text = '{ "spaced" : 1 }';

    assert.equal((await execute(() => undefined as never, [], text)).state, text);
    assert.equal((await execute(({ name }) => name, [['x']], text)).state, text);
  });

  it('reads an empty state and an empty input as none', async () => {
    const seen: unknown[] = [];
    await execute(
      ({ state, hasInput, getInput }) => {
        seen.push(state.hasState, hasInput, getInput());
      },
      [['x', '']],
      '',
    );

    assert.deepEqual(seen, [false, false, undefined]);
  });

  it('fails an operation whose input, state or result is no JSON', async () => {
    const { results, state } = await execute(
      ({ name, state: own }) => {
        if (name === 'cycle') own.setState({ big: 1n });
        if (name === 'read') own.getState();
        return name === 'result' ? 1n : undefined;
      },
      [['any', '{'], ['cycle'], ['read'], ['result']],
      '{',
    );

    assert.equal(state, '{');
    assert.deepEqual(
      results.map((text) => text?.replace(/(JSON|serializable): .*/, '$1')),
      [
        "SyntaxError: The input of operation 'any' is not valid JSON.",
        'Error: Entity state is not JSON-serializable',
        'Error: Entity state contains invalid JSON',
        "TypeError: The result of operation 'result' cannot be written as JSON: Do not know how to serialize a BigInt",
      ].map((text) => text.replace(/(JSON|serializable): .*/, '$1')),
    );
  });

  it('keeps nothing of an operation whose result cannot be written', async () => {
    const { state } = await execute(
      ({ state: own }) => {
        own.setState(2);
        return 1n;
      },
      [['x']],
      '1',
    );

    assert.equal(state, '1');
  });

  it('gives an operation what the last one stored, not what was done to the value later', async () => {
    let kept: { n: number } | undefined;
    const { results } = await execute(
      ({ name, state }) => {
        if (name === 'get') return state.getState();
        kept = { n: 1 };
        state.setState(kept);
        kept.n = 2;
        return undefined;
      },
      [['set'], ['get']],
    );

    assert.deepEqual(results, [undefined, '{"n":1}']);
    assert.equal(kept?.n, 2);
  });

  it('shows an operation its own changes', async () => {
    const { results } = await execute(
      ({ state }) => {
        state.setState({ n: 1 });
        return [state.hasState, state.getState()];
      },
      [['x']],
    );

    assert.deepEqual(results, ['[true,{"n":1}]']);
  });

  it('says what a failure was, whatever was thrown', async () => {
    const { results } = await execute(
      ({ name }) => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what user code may do
        throw name === 'text' ? 'just text' : new TypeError('typed');
      },
      [['text'], ['error']],
    );

    assert.deepEqual(results, ['Error: just text', 'TypeError: typed']);
  });

  it('waits for asynchronous operations one by one', async () => {
    let running = 0;
    let most = 0;
    await execute(
      async (operation) => {
        running += 1;
        most = Math.max(most, running);
        await Promise.resolve(operation.name);
        running -= 1;
      },
      [['a'], ['b'], ['c']],
    );

    assert.equal(most, 1);
  });
});

describe('the context of an entity', () => {
  it('signals entities and starts orchestrations, in order', async () => {
    const at = new Date(5_000);
    const { actions, results } = await execute(
      ({ context }) => {
        context.signalEntity(new EntityInstanceId('B', 'k'), 'go', 0);
        context.signalEntity('@c@', 'later', undefined, { signalTime: at });
        return [
          context.id.toString(),
          context.scheduleNewOrchestration('Flow', { a: 1 }),
          context.scheduleNewOrchestration('Flow', undefined, {
            instanceId: 'mine',
            startAt: at,
            version: '2',
          }),
        ];
      },
      [['x']],
    );

    assert.deepEqual(results, ['["@counter@a","made-up","mine"]']);
    const requestTime = '1970-01-01T00:00:01Z';
    const scheduledTime = '1970-01-01T00:00:05Z';
    assert.deepEqual(actions, [
      { sendSignal: { instanceId: '@b@k', name: 'go', input: '0', requestTime } },
      { id: 1, sendSignal: { instanceId: '@c@', name: 'later', scheduledTime, requestTime } },
      {
        id: 2,
        startNewOrchestration: {
          instanceId: 'made-up',
          name: 'Flow',
          input: '{"a":1}',
          requestTime,
        },
      },
      {
        id: 3,
        startNewOrchestration: {
          instanceId: 'mine',
          name: 'Flow',
          version: '2',
          scheduledTime,
          requestTime,
        },
      },
    ]);
  });

  it('refuses what has no name or no target', async () => {
    const { results } = await execute(
      ({ name, context }) => {
        if (name === 'signal') context.signalEntity('@b@k', '');
        if (name === 'start') context.scheduleNewOrchestration('');
        if (name === 'id') context.signalEntity('b', 'go');
      },
      [['signal'], ['start'], ['id']],
    );

    assert.deepEqual(results, [
      "Error: signalEntity: 'operationName' is required and cannot be empty.",
      "Error: scheduleNewOrchestration: 'name' is required and cannot be empty.",
      "Error: Instance ID 'b' is not a valid entity ID. Must start with '@'.",
    ]);
  });
});

interface CounterState {
  n: number;
}

class Counter extends TaskEntity<CounterState> {
  static made = 0;
  readonly notAnOperation = 1;

  constructor() {
    super();
    Counter.made += 1;
  }

  add(by = 1): number {
    this.state.n += by;
    return this.state.n;
  }

  async laterAdd(by: number): Promise<number> {
    await Promise.resolve();
    return this.add(by);
  }

  whoAmI(): string | undefined {
    return this.context?.id.key;
  }

  break(): void {
    this.state.n = 0;
    throw new Error('broken');
  }

  protected override initializeState(): CounterState {
    return { n: 10 };
  }
}

class Resettable extends Counter {
  delete(): string {
    this.state = { n: 0 };
    return 'reset';
  }
}

describe('TaskEntity', () => {
  const make = (): TaskEntity<never> => new Counter() as never;

  it('runs the method that is named like the operation, in any case', async () => {
    const { results, state } = await execute(make, [['Add', '2'], ['LATERADD', '3'], ['whoami']]);

    assert.deepEqual(results, ['12', '15', '"a"']);
    assert.equal(state, '{"n":15}');
  });

  it('is made once for a batch, and begins where the state is', async () => {
    Counter.made = 0;
    const { results } = await execute(make, [['add'], ['add']], '{"n":1}');

    assert.deepEqual(results, ['2', '3']);
    assert.equal(Counter.made, 1);
  });

  it('finds inherited methods', async () => {
    const { results } = await execute(() => new Resettable() as never, [['add', '1'], ['delete']]);

    assert.deepEqual(results, ['11', '"reset"']);
  });

  it('deletes its state on delete when the class says nothing else', async () => {
    const { results, state } = await execute(make, [['Delete']], '{"n":1}');

    assert.deepEqual([results, state], [[undefined], undefined]);
  });

  it('takes back what a failing method did', async () => {
    const { results, state } = await execute(make, [['break'], ['add']], '{"n":1}');

    assert.deepEqual([results, state], [['Error: broken', '2'], '{"n":2}']);
  });

  it('has no other operations', async () => {
    const names = [
      'constructor',
      'run',
      'initializeState',
      'notAnOperation',
      'toString',
      'nothing',
    ];
    const { results } = await execute(
      make,
      names.map((name) => [name] as const),
    );

    assert.deepEqual(
      results,
      names.map((name) => `Error: No suitable method found for entity operation '${name}'.`),
    );
  });

  it('begins with an empty object unless it says otherwise', async () => {
    class Plain extends TaskEntity<object> {
      get(): object {
        return this.state;
      }
    }

    assert.deepEqual((await execute(() => new Plain() as never, [['get']])).results, ['{}']);
  });
});

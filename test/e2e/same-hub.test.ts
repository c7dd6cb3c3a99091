import assert from 'node:assert/strict';
import type { ITaskEntity } from '@microsoft/durabletask-js';
import { EntityInstanceId, TaskHubGrpcClient, TaskHubGrpcWorker } from '@microsoft/durabletask-js';
import { TaskHubClient } from '../../src/client/index.ts';
import { openScheduler, type RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { TaskHubWorker } from '../../src/worker/index.ts';

type Steps = AsyncGenerator<unknown, unknown, string>;
const CITIES = ['Tokyo', 'Seattle', 'London', 'Lima', 'Accra'];

interface Context {
  callActivity(name: string, input: string): unknown;
}

async function* greetAll(context: Context): Steps {
  const greetings: string[] = [];
  for (const city of CITIES) greetings.push(yield context.callActivity('Greet', city));
  return greetings;
}

interface EntityContextOf {
  readonly entities: {
    callEntity(id: EntityInstanceId, name: string, input?: number): unknown;
    lockEntities(...ids: EntityInstanceId[]): unknown;
  };
}

/** Adds to a counter, reading and writing it inside critical sections. */
async function* addTogether({ entities }: EntityContextOf): Steps {
  const id = new EntityInstanceId('Counter', 'shared');
  for (let n = 0; n < 4; n += 1) {
    const lock = (yield entities.lockEntities(id)) as unknown as { release(): void };
    const value = Number(yield entities.callEntity(id, 'get'));
    yield entities.callEntity(id, 'set', value + 1);
    lock.release();
  }
  return 'added';
}

const counter = (): ITaskEntity => ({
  run: (operation) => {
    if (operation.name === 'get') return operation.state.getState(0);
    operation.state.setState(operation.getInput());
    return undefined;
  },
});

describe('our worker and the published one in one hub', () => {
  const ranOn = { ours: 0, theirs: 0 };
  let scheduler: RunningScheduler;
  let ours: { readonly client: TaskHubClient; readonly worker: TaskHubWorker };
  let theirs: { readonly client: TaskHubGrpcClient; readonly worker: TaskHubGrpcWorker };

  before(async () => {
    const ports = { grpcPort: 0, httpPort: 0 };
    scheduler = await openScheduler({ storage: 'memory', logger: silentLogger, ...ports });
    const address = { endpoint: scheduler.grpcEndpoint, taskHub: 'default' };
    const options = { hostAddress: new URL(scheduler.grpcEndpoint).host, logger: silentLogger };
    ours = { client: TaskHubClient.open(address), worker: new TaskHubWorker(address) };
    theirs = { client: new TaskHubGrpcClient(options), worker: new TaskHubGrpcWorker(options) };
    const greet = (who: keyof typeof ranOn) => (_context: unknown, city: string) => {
      ranOn[who] += 1;
      return `Hello ${city}!`;
    };
    ours.worker.addNamedOrchestrator('GreetAll', greetAll);
    ours.worker.addNamedOrchestrator('AddTogether', addTogether);
    theirs.worker.addNamedOrchestrator('AddTogether', addTogether as never);
    ours.worker.addNamedEntity('Counter', counter);
    theirs.worker.addNamedEntity('Counter', counter);
    ours.worker.addNamedActivity('Greet', greet('ours'));
    theirs.worker.addNamedOrchestrator('GreetAll', greetAll);
    theirs.worker.addNamedActivity('Greet', greet('theirs'));
    await ours.worker.start();
    await theirs.worker.start();
  });

  after(async () => {
    await ours.worker.stop();
    await ours.client.close();
    await theirs.worker.stop();
    await theirs.client.stop();
    await scheduler.close();
  });

  it('share the turns of the same orchestrations and get every one right', async () => {
    const starts = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0
        ? ours.client.scheduleNewOrchestration('GreetAll')
        : theirs.client.scheduleNewOrchestration('GreetAll'),
    );
    const ids = await Promise.all(starts);
    const outputs = await Promise.all(
      ids.map(async (id) => {
        const state = await theirs.client.waitForOrchestrationCompletion(id, true, 20);
        return state?.serializedOutput;
      }),
    );
    const expected = JSON.stringify(CITIES.map((city) => `Hello ${city}!`));
    assert.deepEqual(new Set(outputs), new Set([expected]));
    assert.ok(ranOn.ours > 0 && ranOn.theirs > 0, JSON.stringify(ranOn));
  });

  it('share critical sections: orchestrations move between them and lose no update', async () => {
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => ours.client.scheduleNewOrchestration('AddTogether')),
    );
    const states = await Promise.all(
      ids.map((id) => theirs.client.waitForOrchestrationCompletion(id, true, 20)),
    );

    assert.deepEqual(
      states.map((state) => state?.serializedOutput),
      ids.map(() => '"added"'),
    );
    const entity = await ours.client.getEntity('@counter@shared');
    assert.deepEqual([entity?.state, entity?.lockedBy], [32, undefined]);
  });
});

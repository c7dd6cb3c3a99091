/** Orchestrations that wait for all kinds of things while their store moves, and the worker that goes on with them. */
import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/clock.ts';
import { EntityInstanceId, OrchestrationStatus, TaskHubClient } from '../../../src/client/index.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import {
  TaskEntity,
  TaskHubWorker,
  type CoreOrchestrationContext,
} from '../../../src/worker/index.ts';

const COUNTER = new EntityInstanceId('Counter', 'moved');
const GUARD = new EntityInstanceId('Counter', 'guarded');

class Counter extends TaskEntity<number> {
  add(amount: number): number {
    this.state += amount;
    return this.state;
  }
  protected override initializeState(): number {
    return 0;
  }
}

/** Done one step, waits for an event in a critical section, sleeps on a timer, calls a child. */
async function* approval(
  context: CoreOrchestrationContext,
  name: string,
): AsyncGenerator<unknown, string, never> {
  const hello: string = yield context.callActivity('greet', name);
  const lock: { release(): void } = yield context.entities.lockEntities(GUARD);
  yield context.waitForExternalEvent('approved');
  const count: number = yield context.entities.callEntity(GUARD, 'add', 1);
  lock.release();
  yield context.createTimer(0.01);
  const child: string = yield context.callSubOrchestrator('Child', name);
  return `${hello}, ${count}, ${child}`;
}

async function* nap(context: CoreOrchestrationContext): AsyncGenerator<unknown, string, never> {
  yield context.createTimer(2);
  return 'slept';
}

async function* child(
  context: CoreOrchestrationContext,
  name: string,
): AsyncGenerator<unknown, string, never> {
  const hello: string = yield context.callActivity('greet', `${name}'s child`);
  return hello;
}

export class WorksInProgress {
  readonly #client: TaskHubClient;
  readonly #endpoint: string;
  #worker: TaskHubWorker | undefined;
  readonly ran: string[] = [];

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
    this.#client = TaskHubClient.open({ endpoint, taskHub: 'works' });
  }

  async work(): Promise<void> {
    const worker = new TaskHubWorker({
      ...{ endpoint: this.#endpoint, taskHub: 'works', logger: silentLogger },
    });
    worker.addNamedOrchestrator('Approval', approval);
    worker.addNamedOrchestrator('Nap', nap);
    worker.addNamedOrchestrator('Child', child);
    worker.addNamedActivity('greet', (_, name: string) => {
      this.ran.push(name);
      return `Hello ${name}`;
    });
    worker.addNamedEntity('Counter', () => new Counter());
    await worker.connected();
    this.#worker = worker;
  }

  /** Returns once each waits for what it will wait for during the move. */
  async begin(): Promise<void> {
    const client = this.#client;
    await client.scheduleNewOrchestration('Nap', undefined, { instanceId: 'nap' });
    await client.scheduleNewOrchestration('Approval', 'Ada', { instanceId: 'approval' });
    await client.signalEntity(COUNTER, 'add', 40);
    for (;;) {
      const counter = await client.getEntity<number>(COUNTER);
      const guard = await client.getEntity(GUARD);
      if (counter?.state === 40 && guard?.lockedBy === 'approval') break;
    }
  }

  /** Pending until tomorrow, with so many bytes of input each. */
  async pile(count: number, bytes: number): Promise<void> {
    const input = 'x'.repeat(bytes);
    const startAt = new Date(systemClock.now() + 86_400_000);
    for (let index = 0; index < count; index += 1) {
      await this.#client.scheduleNewOrchestration('Child', input, {
        instanceId: `pending-${index}`,
        startAt,
      });
    }
  }

  /** All that was begun ends as if nothing had happened. */
  async end(): Promise<void> {
    const client = this.#client;
    await client.raiseOrchestrationEvent('approval', 'approved');
    await client.signalEntity(COUNTER, 'add', 2);
    const approved = await client.waitForOrchestrationCompletion('approval');
    const slept = await client.waitForOrchestrationCompletion('nap');
    assert.equal(approved?.serializedOutput, `"Hello Ada, 1, Hello Ada's child"`);
    assert.equal(slept?.serializedOutput, '"slept"');
    assert.deepEqual(this.ran, ['Ada', "Ada's child"]);
    await this.assertEnded();
  }

  /** What can be seen of it ever after. */
  async assertEnded(): Promise<void> {
    for (;;) {
      const counter = await this.#client.getEntity<number>(COUNTER);
      if (counter?.state === 42) break;
    }
    const state = await this.#client.getOrchestrationState('approval');
    assert.equal(state?.runtimeStatus, OrchestrationStatus.COMPLETED);
    assert.equal((await this.#client.getEntity(GUARD))?.lockedBy, undefined);
  }

  async pending(): Promise<number> {
    const query = { statuses: [OrchestrationStatus.PENDING] };
    const found = await Array.fromAsync(this.#client.getAllInstances(query));
    return found.length;
  }

  async rest(): Promise<void> {
    await this.#worker?.stop();
    this.#worker = undefined;
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#client.close();
  }
}

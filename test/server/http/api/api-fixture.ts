/** A whole scheduler with a worker, and its JSON API called over the socket. */
import assert from 'node:assert/strict';
import type { z } from 'zod';
import { systemClock, type Clock } from '../../../../src/base/clock.ts';
import { openScheduler, type RunningScheduler } from '../../../../src/server/index.ts';
import { silentLogger } from '../../../../src/telemetry/logger.ts';
import {
  TaskHubWorker,
  type CoreOrchestrationContext,
  type LockHandle,
  type TaskEntityOperation,
} from '../../../../src/worker/index.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

export class ApiFixture {
  readonly scheduler: RunningScheduler;
  readonly worker: TaskHubWorker | undefined;

  private constructor(scheduler: RunningScheduler, worker: TaskHubWorker | undefined) {
    this.scheduler = scheduler;
    this.worker = worker;
  }

  static async open(
    register?: (worker: TaskHubWorker) => void,
    { clock = systemClock }: { readonly clock?: Clock } = {},
  ): Promise<ApiFixture> {
    const scheduler = await openScheduler({
      ...{ storage: 'memory', grpcPort: 0, httpPort: 0, logger: silentLogger },
      taskHubs: ['default', 'other'],
      clock,
    });
    if (!register) return new ApiFixture(scheduler, undefined);
    const endpoint = scheduler.grpcEndpoint;
    const worker = new TaskHubWorker({ endpoint, taskHub: 'default', logger: silentLogger });
    register(worker);
    await worker.connected();
    return new ApiFixture(scheduler, worker);
  }

  async call(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await fetch(`${this.scheduler.httpEndpoint}/api/v1${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const isJson = /[/+]json\b/.test(answer.headers.get('content-type') ?? '');
    const { status, headers } = answer;
    return { status, headers, text, json: isJson ? (JSON.parse(text) as unknown) : undefined };
  }

  /** A GET whose answer is what the contract says, no more and no less. */
  async get<S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> {
    const { status, text, json } = await this.call('GET', path);
    assert.equal(status, 200, text);
    const parsed = schema.safeParse(json);
    assert.ok(parsed.success, `${path}: ${String(parsed.error)}\n${text}`);
    return parsed.data;
  }

  async start(body: Record<string, unknown>): Promise<string> {
    const { status, text, json } = await this.call('POST', '/hubs/default/orchestrations', body);
    assert.equal(status, 201, text);
    return (json as { id: string }).id;
  }

  /** Asks again until the condition holds. */
  async until<T>(ask: () => Promise<T>, condition: (value: T) => boolean): Promise<T> {
    const lateAt = systemClock.now() + 8000;
    for (;;) {
      const value = await ask();
      if (condition(value)) return value;
      assert.ok(systemClock.now() < lateAt, `never came true; last seen ${JSON.stringify(value)}`);
      const { signal } = new AbortController();
      await systemClock.sleepUntil(systemClock.now() + 10, { signal });
    }
  }

  async close(): Promise<void> {
    await this.worker?.stop();
    await this.scheduler.close();
  }
}

export function registerShop(worker: TaskHubWorker): void {
  worker.addNamedOrchestrator(
    'Order',
    function* (context: CoreOrchestrationContext, input: { readonly amount: number }): Generator {
      return yield context.callActivity('Charge', input.amount);
    },
  );
  worker.addNamedOrchestrator('Approval', function* (context: CoreOrchestrationContext): Generator {
    return yield context.waitForExternalEvent('Approved');
  });
  worker.addNamedOrchestrator('Parent', function* (context: CoreOrchestrationContext): Generator {
    return yield context.callSubOrchestrator('Order', { amount: 3 });
  });
  worker.addNamedEntity('Counter', () => ({
    run: ({ name, state, getInput }: TaskEntityOperation) => {
      if (name === 'delete') state.setState(undefined);
      else state.setState((state.getState<number>() ?? 0) + (getInput<number>() ?? 1));
    },
  }));
  worker.addNamedOrchestrator('Locker', function* (context: CoreOrchestrationContext): Generator {
    const lock = (yield context.entities.lockEntities('@counter@locked')) as LockHandle;
    yield context.waitForExternalEvent('Release');
    lock.release();
  });
  worker.addNamedActivity('Charge', (_, amount: number) => {
    if (amount < 0) throw new RangeError(`cannot charge ${amount}`);
    return `charged ${amount}`;
  });
}

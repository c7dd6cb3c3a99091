/** The client and worker of `@microsoft/durabletask-js`, unmodified, against our scheduler. */
import assert from 'node:assert/strict';
import { Metadata } from '@grpc/grpc-js';
import {
  NoOpLogger,
  TaskHubGrpcClient,
  TaskHubGrpcWorker,
  type ActivityContext,
  type HistoryEvent,
  type OrchestrationContext,
  type OrchestrationState,
  type StartOrchestrationOptions,
  type Task,
  type TaskHubGrpcWorkerOptions,
} from '@microsoft/durabletask-js';
import { SchedulerUnderTest } from './scheduler-under-test.ts';

export type Steps = AsyncGenerator<Task<unknown>, unknown, unknown>;
type Orchestrator<I> = (context: OrchestrationContext, input: I) => Steps;
type Activity<I> = (context: ActivityContext, input: I) => unknown;
type Registration = (worker: TaskHubGrpcWorker) => void;

const WAIT_MAX_S = 12;

export class PublishedSdk {
  readonly #registrations: Registration[] = [];
  #host: SchedulerUnderTest | undefined;
  #client: TaskHubGrpcClient | undefined;

  get host(): SchedulerUnderTest {
    assert.ok(this.#host, 'the scheduler opens before the first test');
    return this.#host;
  }

  get client(): TaskHubGrpcClient {
    assert.ok(this.#client, 'the client opens before the first test');
    return this.#client;
  }

  /** Registers before the worker starts: call it in the body of `describe`. Returns the name. */
  orchestrator<I>(name: string, steps: Orchestrator<I>): string {
    this.#registrations.push((worker) => worker.addNamedOrchestrator(name, steps));
    return name;
  }

  activity<I>(name: string, run: Activity<I>): string {
    this.#registrations.push((worker) => worker.addNamedActivity(name, run as Activity<unknown>));
    return name;
  }

  /** A worker with everything registered so far, not started. */
  makeWorker(options: TaskHubGrpcWorkerOptions = {}): TaskHubGrpcWorker {
    const logger = new NoOpLogger();
    const worker = new TaskHubGrpcWorker({ hostAddress: this.host.address, logger, ...options });
    for (const register of this.#registrations) register(worker);
    return worker;
  }

  async open(): Promise<void> {
    this.#host = await SchedulerUnderTest.open();
    const logger = new NoOpLogger();
    this.#client = new TaskHubGrpcClient({ hostAddress: this.#host.address, logger });
  }

  async close(): Promise<void> {
    await this.#client?.stop();
    await this.#host?.close();
  }

  start(name: string, input?: unknown, options: StartOrchestrationOptions = {}): Promise<string> {
    return this.client.scheduleNewOrchestration(name, input, options);
  }

  async ended(instanceId: string): Promise<OrchestrationState> {
    const state = await this.client.waitForOrchestrationCompletion(instanceId, true, WAIT_MAX_S);
    assert.ok(state, `instance ${instanceId} is gone`);
    return state;
  }

  async run(
    name: string,
    input?: unknown,
    options?: StartOrchestrationOptions,
  ): Promise<OrchestrationState> {
    return this.ended(await this.start(name, input, options));
  }

  /** The output of an orchestration that completes. */
  async output(
    name: string,
    input?: unknown,
    options?: StartOrchestrationOptions,
  ): Promise<unknown> {
    return outputOf(await this.run(name, input, options));
  }

  /** Starts and waits for the first committed turn. */
  async running(
    name: string,
    input?: unknown,
    options?: StartOrchestrationOptions,
  ): Promise<string> {
    const id = await this.start(name, input, options);
    await this.client.waitForOrchestrationStart(id, false, WAIT_MAX_S);
    return id;
  }

  async state(instanceId: string): Promise<OrchestrationState> {
    const state = await this.client.getOrchestrationState(instanceId, true);
    assert.ok(state, `instance ${instanceId} is missing`);
    return state;
  }

  /** Asks for the state until it is as wanted. */
  async reaches(
    instanceId: string,
    wanted: (state: OrchestrationState) => boolean,
  ): Promise<OrchestrationState> {
    const deadlineAt = Date.now() + WAIT_MAX_S * 1000;
    for (;;) {
      const state = await this.state(instanceId);
      if (wanted(state)) return state;
      if (Date.now() > deadlineAt) assert.fail(`${instanceId} stayed ${state.runtimeStatus}`);
    }
  }

  history(instanceId: string): Promise<HistoryEvent[]> {
    return this.client.getOrchestrationHistory(instanceId);
  }
}

/** What Microsoft's Azure-managed package adds to each call of its worker. */
export const azureManaged: TaskHubGrpcWorkerOptions = {
  metadataGenerator: () => {
    const metadata = new Metadata();
    metadata.set('taskhub', 'default');
    metadata.set('workerid', 'host,1,0b9d9bd8-3d59-4a3b-a4d5-2ad0f1ff9f2f');
    metadata.set('x-user-agent', 'durabletask-js/0.4.0 (DurableTaskWorker)');
    return Promise.resolve(metadata);
  },
};

/** One scheduler, client and worker for all tests of a `describe`. */
export function publishedSdk(options: TaskHubGrpcWorkerOptions = {}): PublishedSdk {
  const sdk = new PublishedSdk();
  let worker: TaskHubGrpcWorker | undefined;
  before(async () => {
    await sdk.open();
    worker = sdk.makeWorker(options);
    await worker.start();
  });
  after(async () => {
    // Each stop takes the SDK a second; they may take the same one.
    await Promise.all([worker?.stop(), sdk.client.stop()]);
    await sdk.host.close();
  });
  return sdk;
}

export function outputOf(state: OrchestrationState): unknown {
  assert.equal(state.failureDetails, undefined, `failed: ${state.failureDetails?.message ?? ''}`);
  return state.serializedOutput === undefined ? undefined : JSON.parse(state.serializedOutput);
}

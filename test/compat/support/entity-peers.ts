/** Client and worker of `@microsoft/durabletask-js`, and our own, behind what they have in common. */
import assert from 'node:assert/strict';
import {
  NoOpLogger,
  TaskEntity as PublishedTaskEntity,
  TaskHubGrpcClient,
  TaskHubGrpcWorker,
} from '@microsoft/durabletask-js';
import type { ITaskEntity, OrchestrationContext, Task } from '@microsoft/durabletask-js';
import { TaskHubClient } from '../../../src/client/index.ts';
import { TaskEntity, TaskHubWorker } from '../../../src/worker/index.ts';
import { SchedulerUnderTest } from './scheduler-under-test.ts';

export type Steps = AsyncGenerator<Task<unknown>, unknown, unknown>;
type Orchestrator = (context: OrchestrationContext, input: never) => Steps;
type Registration = (
  worker: Pick<TaskHubGrpcWorker, 'addNamedOrchestrator' | 'addNamedEntity'>,
) => void;
/** A worker of either make. */
export interface EntityWorker {
  start(): Promise<void>;
  stop(): Promise<void>;
}

const WAIT_MAX_S = 15;

/** Who talks to the scheduler. */
export interface PeerKind {
  readonly name: string;
  readonly TaskEntity: typeof PublishedTaskEntity;
  readonly openClient: (address: string) => TaskHubGrpcClient;
  readonly makeWorker: (address: string) => TaskHubGrpcWorker;
}

const PUBLISHED: PeerKind = {
  name: 'the published SDK',
  TaskEntity: PublishedTaskEntity,
  openClient: (hostAddress) => new TaskHubGrpcClient({ hostAddress, logger: new NoOpLogger() }),
  makeWorker: (hostAddress) => new TaskHubGrpcWorker({ hostAddress, logger: new NoOpLogger() }),
};

// Ours have the same names: the tests see them through the types of the published package.
const OURS: PeerKind = {
  name: 'our client and worker',
  TaskEntity: TaskEntity as unknown as typeof PublishedTaskEntity,
  openClient: (address) =>
    TaskHubClient.open({ endpoint: `http://${address}`, taskHub: 'default' }) as never,
  makeWorker: (address) =>
    new TaskHubWorker({ endpoint: `http://${address}`, taskHub: 'default' }) as never,
};

/** Both makes, in the order in which their tests run. */
export const PEERS: readonly PeerKind[] = [PUBLISHED, OURS];

/** One scheduler, and a client and a worker of one make. */
export class EntityPeer {
  readonly kind: PeerKind;
  readonly #registrations: Registration[] = [];
  #host: SchedulerUnderTest | undefined;
  #client: TaskHubGrpcClient | undefined;
  #worker: EntityWorker | undefined;

  constructor(kind: PeerKind) {
    this.kind = kind;
  }

  get host(): SchedulerUnderTest {
    assert.ok(this.#host, 'the scheduler opens before the first test');
    return this.#host;
  }

  get client(): TaskHubGrpcClient {
    assert.ok(this.#client, 'the client opens before the first test');
    return this.#client;
  }

  /** Registers before the worker starts: call it in the body of `describe`. */
  orchestrator(name: string, steps: Orchestrator): void {
    this.#registrations.push((worker) => worker.addNamedOrchestrator(name, steps as never));
  }

  entity(name: string, run: ITaskEntity['run']): void {
    this.entityMaker(name, () => ({ run }));
  }

  entityMaker(name: string, make: () => ITaskEntity): void {
    this.#registrations.push((worker) => void worker.addNamedEntity(name, make));
  }

  async open(): Promise<void> {
    this.#host = await SchedulerUnderTest.open();
    this.#client = this.kind.openClient(this.#host.address);
    const worker = this.kind.makeWorker(this.#host.address);
    for (const register of this.#registrations) register(worker);
    this.#worker = worker;
    await worker.start();
  }

  async close(): Promise<void> {
    await this.#worker?.stop();
    await this.#client?.stop();
    await this.#host?.close();
  }

  /** Starts an orchestration and gives its output. */
  async output(name: string, input?: unknown): Promise<unknown> {
    return this.outputOf(await this.start(name, input));
  }

  start(name: string, input?: unknown): Promise<string> {
    return this.client.scheduleNewOrchestration(name, input);
  }

  async outputOf(instanceId: string): Promise<unknown> {
    const state = await this.client.waitForOrchestrationCompletion(instanceId, true, WAIT_MAX_S);
    assert.equal(state?.failureDetails, undefined);
    return JSON.parse(state?.serializedOutput ?? 'null') as unknown;
  }

  /** The message that an orchestration fails with. */
  async failureOf(instanceId: string): Promise<string | undefined> {
    const state = await this.client.waitForOrchestrationCompletion(instanceId, true, WAIT_MAX_S);
    return state?.failureDetails?.message;
  }

  /** The state of an entity as soon as it is as wanted. */
  async stateIs(id: EntityName, wanted: unknown): Promise<void> {
    let last: unknown;
    await eventually(async () => {
      last = await this.state(id);
      assert.deepEqual(last, wanted);
    });
  }

  /** `undefined` when the entity does not exist or has no state. */
  async state(id: EntityName): Promise<unknown> {
    const entity = await this.client.getEntity(id);
    return entity?.includesState === true ? entity.state : undefined;
  }

  /** Resolves when the entity is locked by that orchestration, or by nobody. */
  async lockedBy(id: EntityName, owner: string | undefined): Promise<void> {
    await eventually(async () => {
      assert.equal((await this.client.getEntity(id))?.lockedBy, owner);
    });
  }
}

/** Asks until the assertions hold; fails as they do once the time is over. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  const deadlineAt = Date.now() + WAIT_MAX_S * 1000;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadlineAt) throw error;
    }
  }
}

type EntityName = Parameters<TaskHubGrpcClient['getEntity']>[0];

/** Makes a peer for all tests of a `describe`. */
export function entityPeer(kind: PeerKind): EntityPeer {
  const peer = new EntityPeer(kind);
  before(() => peer.open());
  after(() => peer.close());
  return peer;
}

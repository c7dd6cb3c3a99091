/** A worker whose every answer a test writes by hand: shows what no SDK shows. */
import assert from 'node:assert/strict';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  TaskHubSidecarService,
  type ActivityRequest,
  type ActivityResponseSchema,
  type EntityBatchResultSchema,
  type EntityRequest,
  type GetWorkItemsRequestSchema,
  type HistoryEvent,
  type OperationResultSchema,
  type OrchestratorAction,
  type OrchestratorRequest,
  type OrchestratorResponseSchema,
  type WorkItem,
  type WorkItemSchema,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { RawClient, RawStream } from '../../server/support/raw-client.ts';

const rpc = TaskHubSidecarService.method;

/** Longest wait for an item that must come. */
const ITEM_MAX_MS = 8_000;

export interface HandWorkerOptions {
  readonly request?: MessageInitShape<typeof GetWorkItemsRequestSchema>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Turn {
  readonly token: string;
  readonly request: OrchestratorRequest;
}

export interface Task {
  readonly token: string;
  readonly request: ActivityRequest;
}

export interface Batch {
  readonly token: string;
  readonly request: EntityRequest;
}

/** The parts of a batch's answer beside its results. */
type BatchRest = Omit<
  MessageInitShape<typeof EntityBatchResultSchema>,
  '$typeName' | '$unknown' | 'results' | 'completionToken'
>;

/** The parts of a completion beside its actions. */
type Rest = Omit<
  MessageInitShape<typeof OrchestratorResponseSchema>,
  '$typeName' | '$unknown' | 'actions' | 'completionToken'
>;

export class HandWorker {
  readonly client: RawClient;
  readonly stream: RawStream<typeof WorkItemSchema>;
  /** What came and was not asked for yet, oldest first. */
  readonly items: WorkItem[] = [];
  readonly #headers: Readonly<Record<string, string>>;
  /** Taken and not yet answered. */
  readonly #batches = new Map<string, Batch>();
  #arrived = Promise.withResolvers<undefined>();
  #isOver = false;

  private constructor(
    client: RawClient,
    stream: RawStream<typeof WorkItemSchema>,
    headers: Readonly<Record<string, string>>,
  ) {
    this.client = client;
    this.stream = stream;
    this.#headers = headers;
  }

  static async open(client: RawClient, options: HandWorkerOptions = {}): Promise<HandWorker> {
    const { request = {}, headers = {} } = options;
    const stream = client.stream(rpc.getWorkItems, request, { headers });
    const first = await stream.next();
    assert.equal(first?.request.case, 'healthPing');
    const worker = new HandWorker(client, stream, headers);
    void worker.#pump();
    return worker;
  }

  async #pump(): Promise<void> {
    try {
      for (let item = await this.stream.next(); item; item = await this.stream.next()) {
        if (item.request.case !== 'healthPing') this.items.push(item);
        this.#wake();
      }
    } catch {
      // A cut stream is seen through `stream.ended`.
    }
    this.#isOver = true;
    this.#wake();
  }

  #wake(): void {
    this.#arrived.resolve(undefined);
    this.#arrived = Promise.withResolvers();
  }

  /** Resolves when something has come, or the stream is over. */
  get arrival(): Promise<undefined> {
    return this.#isOver ? Promise.resolve(undefined) : this.#arrived.promise;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The oldest item that `wanted` accepts, if it is here; others stay. */
  take(wanted: (item: WorkItem) => boolean): WorkItem | undefined {
    const index = this.items.findIndex(wanted);
    return index < 0 ? undefined : this.items.splice(index, 1)[0];
  }

  /** The next item that `wanted` accepts; items before it stay for others. */
  async next(wanted: (item: WorkItem) => boolean, what: string): Promise<WorkItem> {
    return (await nextOfAny([this], wanted, what)).item;
  }

  /** The next turn, of this instance if one is named. */
  async turn(instanceId?: string): Promise<Turn> {
    return (await turnOfAny([this], instanceId)).turn;
  }

  /** The next activity, of this instance if one is named. */
  async task(instanceId?: string): Promise<Task> {
    const item = await this.next(
      ({ request }) =>
        request.case === 'activityRequest' &&
        (instanceId === undefined ||
          request.value.orchestrationInstance?.instanceId === instanceId),
      `activity of ${instanceId ?? 'any instance'}`,
    );
    assert.ok(item.request.case === 'activityRequest');
    return { token: item.completionToken, request: item.request.value };
  }

  async answer(turn: Turn, actions: OrchestratorAction[], rest: Rest = {}): Promise<void> {
    await this.client.call(
      rpc.completeOrchestratorTask,
      {
        instanceId: turn.request.instanceId,
        completionToken: turn.token,
        actions,
        ...rest,
      },
      { headers: this.#headers },
    );
  }

  /** The next batch of operations, of this entity if one is named. */
  async batch(entityId?: string): Promise<Batch> {
    const item = await this.next(
      ({ request }) =>
        request.case === 'entityRequestV2' &&
        (entityId === undefined || request.value.instanceId === entityId),
      `batch of ${entityId ?? 'any entity'}`,
    );
    assert.ok(item.request.case === 'entityRequestV2');
    const batch = { token: item.completionToken, request: item.request.value };
    this.#batches.set(batch.token, batch);
    return batch;
  }

  async abandonBatch({ token }: Batch): Promise<void> {
    this.#batches.delete(token);
    await this.client.call(
      rpc.abandonTaskEntityWorkItem,
      { completionToken: token },
      { headers: this.#headers },
    );
  }

  /** Finishes what is left, so that nobody is taken for lost with it, and goes. */
  async leave(): Promise<void> {
    for (const batch of [...this.#batches.values()]) {
      await this.settle(
        batch,
        batch.request.operationRequests.map(() => '1'),
      );
    }
    this.cut();
  }

  /** Answers a batch; `results` are texts for successes. */
  async settle(
    batch: Pick<Batch, 'token'>,
    results: readonly (string | OperationFailure)[],
    rest: BatchRest = {},
  ): Promise<void> {
    this.#batches.delete(batch.token);
    await this.client.call(
      rpc.completeEntityTask,
      { completionToken: batch.token, results: results.map(operationResult), ...rest },
      { headers: this.#headers },
    );
  }

  /** Takes the next turn of the instance, answers it with these actions and hands it back. */
  async run(
    instanceId: string,
    actions: OrchestratorAction[] = [],
    rest: Rest = {},
  ): Promise<Turn> {
    const turn = await this.turn(instanceId);
    await this.answer(turn, actions, rest);
    return turn;
  }

  async finish(
    task: Task,
    rest: Omit<MessageInitShape<typeof ActivityResponseSchema>, '$typeName' | '$unknown'> = {},
  ): Promise<void> {
    await this.client.call(
      rpc.completeActivityTask,
      {
        instanceId: task.request.orchestrationInstance?.instanceId ?? '',
        taskId: task.request.taskId,
        completionToken: task.token,
        ...rest,
      },
      { headers: this.#headers },
    );
  }

  async abandonTurn(turn: Turn): Promise<void> {
    await this.client.call(
      rpc.abandonTaskOrchestratorWorkItem,
      { completionToken: turn.token },
      { headers: this.#headers },
    );
  }

  async abandonTask(task: Task): Promise<void> {
    await this.client.call(
      rpc.abandonTaskActivityWorkItem,
      { completionToken: task.token },
      { headers: this.#headers },
    );
  }

  /** The worker is gone, as after a crash; its client may still call. */
  cut(): void {
    this.#batches.clear();
    this.stream.call.cancel();
  }
}

/** How an operation went wrong. */
export interface OperationFailure {
  readonly errorType: string;
  readonly errorMessage: string;
}

type OperationResult = MessageInitShape<typeof OperationResultSchema>;

function operationResult(result: string | OperationFailure): OperationResult {
  if (typeof result === 'string') {
    return { resultType: { case: 'success', value: { result } } };
  }
  return { resultType: { case: 'failure', value: { failureDetails: result } } };
}

/** `['orchestratorStarted', 'executionStarted']`. */
export function types(events: readonly HistoryEvent[]): readonly (string | undefined)[] {
  return events.map(({ eventType }) => eventType.case);
}

async function nextOfAny(
  workers: readonly HandWorker[],
  wanted: (item: WorkItem) => boolean,
  what: string,
): Promise<{ readonly worker: HandWorker; readonly item: WorkItem }> {
  const timedOut = Promise.withResolvers<undefined>();
  timedOut.promise.catch(() => undefined); // only seen while somebody waits
  AbortSignal.timeout(ITEM_MAX_MS).addEventListener('abort', () => {
    timedOut.reject(new Error(`no ${what} within ${ITEM_MAX_MS} ms`));
  });
  for (;;) {
    for (const worker of workers) {
      const item = worker.take(wanted);
      if (item) return { worker, item };
    }
    if (workers.every(({ isOver }) => isOver)) throw new Error(`the stream ended before ${what}`);
    await Promise.race([...workers.map(({ arrival }) => arrival), timedOut.promise]);
  }
}

/** The next turn that reaches one of several workers, of this instance if one is named. */
export async function turnOfAny(
  workers: readonly HandWorker[],
  instanceId?: string,
): Promise<{ readonly worker: HandWorker; readonly turn: Turn }> {
  const { worker, item } = await nextOfAny(
    workers,
    ({ request }) =>
      request.case === 'orchestratorRequest' &&
      (instanceId === undefined || request.value.instanceId === instanceId),
    `turn of ${instanceId ?? 'any instance'}`,
  );
  assert.ok(item.request.case === 'orchestratorRequest');
  return { worker, turn: { token: item.completionToken, request: item.request.value } };
}

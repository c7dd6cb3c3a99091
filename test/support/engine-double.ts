/** A small engine with no store behind it: enough to see what the doors of the server do. */
import { systemClock } from '../../src/base/clock.ts';
import { TaskHubError } from '../../src/core/errors.ts';
import { Retention } from '../../src/scheduler/retention.ts';
import type { Store } from '../../src/storage/store.ts';
import { Metrics } from '../../src/scheduler/metrics.ts';
import { Inspector } from '../../src/scheduler/inspector.ts';
import type { Inspection } from '../../src/storage/inspection.ts';
import type { Engine, OpenWorkerStreamOptions, WorkerStream } from '../../src/server/engine.ts';

export interface OpenedStream extends OpenWorkerStreamOptions {
  readonly hub: string;
  /** How often the server has said that the stream is over. */
  closedCount: number;
}

/** Methods that a test does not give reject, so that nothing passes by accident. */
export class EngineDouble implements Engine {
  readonly hubs = new Set(['default']);
  readonly calls: (readonly [string, ...unknown[]])[] = [];
  readonly streams: OpenedStream[] = [];
  #onStream: (() => void) | undefined;

  constructor(methods: Partial<Engine> = {}) {
    Object.assign(this, methods);
  }

  taskHubs(): readonly string[] {
    return [...this.hubs];
  }

  /** Of every hub. */
  doorRefusal: string | undefined;

  refusalAtDoor(): string | undefined {
    return this.doorRefusal;
  }

  assertTaskHub(hub: string): void {
    if (!this.hubs.has(hub)) {
      throw new TaskHubError('TASK_HUB_NOT_FOUND', `Task hub not found: ${hub}`);
    }
  }

  async createTaskHub(hub: string, options: { readonly recreate: boolean }): Promise<void> {
    this.calls.push(['createTaskHub', hub, options]);
    this.hubs.add(hub);
  }

  async deleteTaskHub(hub: string): Promise<void> {
    this.calls.push(['deleteTaskHub', hub]);
    this.hubs.delete(hub);
  }

  workers: Engine['workers'] = () => [];
  readonly inspector = new Inspector({
    store: { inspection: {} as Inspection },
    clock: systemClock,
    hubs: () => this.taskHubs(),
    workers: () => [],
    rounds: { rounds: 0, failed: 0, commits: 0 },
  });
  readonly metrics = new Metrics({
    ...{ clock: systemClock, inspector: this.inspector, taskHubs: () => [] },
    totals: () => ({ delivered: 0, completed: 0 }),
  });
  readonly retention = new Retention({
    store: { retention: async () => [], setRetention: async () => undefined } as unknown as Store,
    clock: systemClock,
    settings: { retentionMs: 1 },
    taskHubs: () => [],
    submit: async () => ({ ok: true }),
  });
  startInstance: Engine['startInstance'] = (hub, request) =>
    this.#record('startInstance', hub, request).then(() => request.instanceId);
  getInstance: Engine['getInstance'] = async () => undefined;
  waitForInstance: Engine['waitForInstance'] = (_hub, _id, { signal }) =>
    new Promise((_resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
    });
  queryInstances: Engine['queryInstances'] = (...call) =>
    this.#record('queryInstances', ...call).then(() => ({
      states: [],
      continuationToken: undefined,
    }));
  listInstanceIds: Engine['listInstanceIds'] = (...call) =>
    this.#record('listInstanceIds', ...call).then(() => ({ ids: [], lastKey: undefined }));
  purgeInstances: Engine['purgeInstances'] = (...call) =>
    this.#record('purgeInstances', ...call).then(() => ({ deleted: 0, isComplete: true }));
  restartInstance: Engine['restartInstance'] = (hub, request) =>
    this.#record('restartInstance', hub, request).then(() => request.instanceId);
  rewindInstance: Engine['rewindInstance'] = (...call) => this.#record('rewindInstance', ...call);
  parkedItems: Engine['parkedItems'] = (...call) =>
    this.#record('parkedItems', ...call).then(() => []);
  retryParked: Engine['retryParked'] = (...call) =>
    this.#record('retryParked', ...call).then(() => 0);
  forceEnd: Engine['forceEnd'] = (...call) => this.#record('forceEnd', ...call).then(() => []);
  raiseEvent: Engine['raiseEvent'] = (...call) => this.#record('raiseEvent', ...call);
  terminate: Engine['terminate'] = (...call) => this.#record('terminate', ...call);
  suspend: Engine['suspend'] = (...call) => this.#record('suspend', ...call);
  resume: Engine['resume'] = (...call) => this.#record('resume', ...call);
  completeOrchestration: Engine['completeOrchestration'] = (...call) =>
    this.#record('completeOrchestration', ...call);
  completeActivity: Engine['completeActivity'] = (...call) =>
    this.#record('completeActivity', ...call);
  completeEntity: Engine['completeEntity'] = (...call) => this.#record('completeEntity', ...call);
  entities = {
    signal: (...call: unknown[]) => this.#record('entities.signal', ...call),
    get: (...call: unknown[]) => this.#record('entities.get', ...call).then(() => undefined),
    query: (...call: unknown[]) =>
      this.#record('entities.query', ...call).then(() => ({
        entities: [],
        continuationToken: undefined,
      })),
    clean: (...call: unknown[]) =>
      this.#record('entities.clean', ...call).then(() => ({
        locksReleased: 0,
        continuationToken: undefined,
      })),
  };
  abandon: Engine['abandon'] = (...call) => this.#record('abandon', ...call);
  streamHistory: Engine['streamHistory'] = async function* () {
    // No events: an instance that does not exist.
  };

  openWorkerStream(hub: string, options: OpenWorkerStreamOptions): WorkerStream {
    const stream: OpenedStream = { ...options, hub, closedCount: 0 };
    this.streams.push(stream);
    this.#onStream?.();
    return {
      expire: () => {
        stream.closedCount += 1;
      },
      close: () => {
        stream.closedCount += 1;
      },
    };
  }

  drainWorker: Engine['drainWorker'] = (options) => {
    this.calls.push(['drainWorker', options]);
    return this.streams.filter(({ hub }) => hub === options.hub).length;
  };

  /** Resolves with the next worker stream, or the one there is already. */
  async firstStream(): Promise<OpenedStream> {
    for (;;) {
      const [stream] = this.streams;
      if (stream) return stream;
      await new Promise<void>((resolve) => {
        this.#onStream = resolve;
      });
    }
  }

  async close(): Promise<void> {
    for (const { sink } of this.streams) sink.end();
  }

  #record(name: string, ...call: unknown[]): Promise<void> {
    this.calls.push([name, ...call]);
    return Promise.resolve();
  }
}

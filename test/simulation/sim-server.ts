import type { Buffer } from 'node:buffer';
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
} from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import type { IdSource } from '../../src/base/ids.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { TaskHubSidecarService } from '../../src/proto/orchestrator_service_pb.ts';
import { Scheduler } from '../../src/scheduler/scheduler.ts';
import type { SchedulerSettings } from '../../src/scheduler/settings.ts';
import type { StreamHandler, UnaryHandler } from '../../src/server/grpc/adapters.ts';
import type { CallContext } from '../../src/server/grpc/call-context.ts';
import { CallSink, type WritableCall } from '../../src/server/grpc/call-sink.ts';
import { toGrpcStatus } from '../../src/server/grpc/status.ts';
import { createTaskHubHandlers } from '../../src/server/grpc/task-hub-service.ts';
import { SqlStore } from '../../src/storage/sql-store.ts';
import type { Store } from '../../src/storage/store.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import type { SimCall } from './sim-call.ts';
import { ProcessClock, type SimClock } from './sim-clock.ts';
import type { SimDatabase, SimSession } from './sim-database.ts';

export const HUB = 'default';

/** A call as it arrives at the scheduler. */
export interface Request {
  readonly method: string;
  readonly bytes: Uint8Array;
  readonly metadata: Readonly<Record<string, string>>;
  readonly connection: string;
}

export interface SimServerOptions {
  readonly disk: SimDatabase;
  readonly clock: SimClock;
  readonly ids: IdSource;
  readonly logger: Logger;
  readonly settings: SchedulerSettings;
  /** Puts somebody between the scheduler and its store who watches. */
  readonly watch: (store: Store) => Store;
  readonly onCrash: (server: SimServer) => void;
}

type Handlers = ReturnType<typeof createTaskHubHandlers>;
const METHODS = new Map<string, DescMethod>(
  Object.values(TaskHubSidecarService.method).map((method) => [method.name, method]),
);

/** One scheduler process: the real engine, store and handlers; memory only, the disk is elsewhere. */
export class SimServer {
  readonly clock: ProcessClock;
  readonly #options: SimServerOptions;
  readonly #session: SimSession;
  #store: Store | undefined;
  #scheduler: Scheduler | undefined;
  #handlers: Handlers | undefined;
  state: 'starting' | 'up' | 'closing' | 'dead' = 'starting';

  constructor(options: SimServerOptions) {
    this.#options = options;
    this.clock = new ProcessClock(options.clock);
    this.#session = options.disk.connect(this.clock, () => {
      this.crash();
    });
  }

  get scheduler(): Scheduler {
    if (!this.#scheduler) throw new Error('the scheduler is not up');
    return this.#scheduler;
  }

  /** Resolves when the scheduler serves, or could not start. */
  async start(): Promise<void> {
    const { clock } = this;
    const { ids, logger, settings, watch } = this.#options;
    try {
      this.#store = await SqlStore.open({
        database: this.#session,
        ids,
        logger,
        limits: DEFAULT_PAYLOAD_LIMITS,
        now: clock.now(),
      });
      const store = watch(this.#store);
      this.#scheduler = await Scheduler.open({ store, clock, ids, logger, settings });
      this.#handlers = createTaskHubHandlers({
        guard: undefined,
        engine: this.#scheduler,
        clock,
        allowHubRecreate: false,
      });
      this.state = 'up';
    } catch {
      // The store could not be opened: whoever supervises the process starts it again.
      this.crash();
    }
  }

  /** Drops everything that is not on disk. */
  crash(): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.#session.kill();
    this.clock.kill();
    this.#options.onCrash(this);
  }

  /** Ends as on SIGTERM. */
  async close(): Promise<void> {
    this.state = 'closing';
    await this.#scheduler?.close();
    await this.#store?.close();
    this.crash();
  }

  /** A request has arrived. */
  serve(call: SimCall, request: Request): void {
    call.server = this;
    const method = METHODS.get(request.method);
    const handlers = this.#handlers as Readonly<Record<string, unknown>> | undefined;
    if (!method || !handlers || this.state === 'starting' || this.state === 'dead') {
      call.reset(false);
      return;
    }
    const handler = handlers[method.localName];
    const message = fromBinary(method.input, request.bytes);
    const context = contextOf(call, request);
    const answer =
      method.methodKind === 'unary'
        ? this.#unary(call, method.output, () =>
            (handler as UnaryHandler<DescMessage, DescMessage>)(message, context),
          )
        : this.#stream(call, (sink) =>
            (handler as StreamHandler<DescMessage>)(message, context, sink),
          );
    answer.catch((error: unknown) => {
      if (this.state === 'dead') return;
      const { code, details, isUnexpected } = toGrpcStatus(error);
      if (isUnexpected && !call.isCancelled) {
        this.#options.logger.error('a call failed unexpectedly', { method: request.method, error });
      }
      call.finish({ code, details });
    });
  }

  async #unary(
    call: SimCall,
    output: DescMessage,
    handle: () => Promise<Record<string, unknown>>,
  ): Promise<void> {
    const reply = await handle();
    if (this.state === 'dead') return;
    call.reply(toBinary(output, create(output, reply)));
    call.finish({ code: status.OK, details: '' });
  }

  async #stream(call: SimCall, handle: (sink: CallSink) => Promise<void>): Promise<void> {
    const sink = new CallSink(writableOf(call, this), this.clock);
    await handle(sink);
    sink.end();
  }
}

function writableOf(call: SimCall, server: SimServer): WritableCall {
  return {
    cancelled: call.isCancelled,
    write: (message: Buffer, onSent: () => void) => {
      if (server.state !== 'dead') call.reply(Uint8Array.from(message), onSent);
    },
    end: () => {
      if (server.state !== 'dead') call.finish({ code: status.OK, details: '' });
    },
    once: (_event: 'cancelled', listener: () => void) => {
      call.onCancelled(listener);
    },
  };
}

function contextOf(call: SimCall, { metadata, connection }: Request): CallContext {
  const controller = new AbortController();
  call.onCancelled(() => controller.abort(new Error('the caller went away')));
  return {
    taskHub: HUB,
    workerId: connection,
    userAgent: undefined,
    takesEntityBatches: false,
    isSticky: metadata['x-durabletask-sticky'] === '1',
    authorization: undefined,
    traceParent: undefined,
    caller: undefined,
    signal: controller.signal,
  };
}

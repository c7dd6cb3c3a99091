import type { Buffer } from 'node:buffer';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { untilAborted } from '../base/abort.ts';
import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import type {
  CallOptions,
  Connection,
  ServerStreamMethod,
  UnaryMethod,
} from '../client/connection.ts';
import { TimeoutError } from '../client/connection.ts';
import { TaskHubError } from '../core/errors.ts';
import type { StreamHandler, UnaryHandler } from '../server/grpc/adapters.ts';
import type { CallContext } from '../server/grpc/call-context.ts';
import type { WritableCall } from '../server/grpc/call-sink.ts';
import { CallSink } from '../server/grpc/call-sink.ts';
import type { TaskHubHandlers } from '../server/grpc/task-hub-service.ts';
import { MessageQueue } from './message-queue.ts';

export interface InProcessConnectionOptions {
  readonly handlers: TaskHubHandlers;
  readonly taskHub: string;
  /** The scheduler's clock. The caller's own deadlines are in real time. */
  readonly clock: Clock;
}

const ATTEMPTS_MAX = 10;
/** Failures that stand for a bug: nobody knows what was done, so that they are not tried again. */
const unexpected = new WeakSet<TaskHubError>();

/**
 * The way to a scheduler in the same process: the handlers of the gRPC server, called without sockets.
 * Messages are encoded and decoded as on the wire, so that no side ever sees an object of the other.
 */
export class InProcessConnection implements Connection {
  readonly #options: InProcessConnectionOptions;
  readonly #handlers: Readonly<Record<string, unknown>>;
  readonly #closing = new AbortController();

  constructor(options: InProcessConnectionOptions) {
    this.#options = options;
    this.#handlers = options.handlers;
  }

  /** As over gRPC, a call that the scheduler refused with UNAVAILABLE is made again: nothing was done. */
  async unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#call(method, request, options);
      } catch (error) {
        const isRefused = isUnavailable(error) && !unexpected.has(error);
        const isOver = this.#closing.signal.aborted || options.signal?.aborted === true;
        if (!isRefused || isOver || attempt === ATTEMPTS_MAX) throw error;
      }
    }
  }

  async #call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions,
  ): Promise<MessageShape<O>> {
    const over = new AbortController();
    const { signal } = over;
    const stop = this.#abortWhenGone(over, options.signal);
    const deadline = startDeadline(method.name, options.timeoutMs, over);
    try {
      signal.throwIfAborted();
      const handler = this.#handlerOf(method) as UnaryHandler<I, O>;
      const context = this.#context(options, signal);
      const reply = handler(copy(method.input, create(method.input, request)), context);
      // The handler hears of the end too, and may then reject with a reason of its own.
      await untilAborted(reply.then(ignore, ignore), signal);
      signal.throwIfAborted();
      return copy(method.output, create(method.output, await reply));
    } catch (error) {
      throw asCallerSees(error, method.name, signal);
    } finally {
      stop();
      over.abort();
      await deadline;
    }
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: ServerStreamMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): AsyncIterable<MessageShape<O>> {
    const over = new AbortController();
    const stop = this.#abortWhenGone(over, options.signal);
    const queue = new MessageQueue();
    const sink = new CallSink(writableInto(queue, over.signal), this.#options.clock);
    const handler = this.#handlerOf(method) as StreamHandler<I>;
    const message = copy(method.input, create(method.input, request));
    const served = handler(message, this.#context(options, over.signal), sink).then(
      () => queue.end(),
      (error: unknown) => queue.fail(error),
    );
    over.signal.addEventListener('abort', () => queue.fail(over.signal.reason), { once: true });
    try {
      over.signal.throwIfAborted();
      for await (const bytes of queue) yield fromBinary(method.output, bytes);
    } catch (error) {
      throw asCallerSees(error, method.name, over.signal);
    } finally {
      stop();
      over.abort(new TaskHubError('UNAVAILABLE', `${method.name} was cancelled`));
      await served;
    }
  }

  /** There is no transport that could be dead. */
  renew(): void {
    // Nothing to drop.
  }

  close(): Promise<void> {
    this.#closing.abort(new TaskHubError('UNAVAILABLE', 'The connection was closed'));
    return Promise.resolve();
  }

  #handlerOf({ name }: { readonly name: string }): unknown {
    return this.#handlers[name.charAt(0).toLowerCase() + name.slice(1)];
  }

  #context({ metadata = {} }: CallOptions, signal: AbortSignal): CallContext {
    return {
      taskHub: this.#options.taskHub,
      workerId: 'in-process',
      userAgent: undefined,
      authorization: undefined,
      traceParent: undefined,
      caller: undefined,
      takesEntityBatches: false,
      isSticky: metadata['x-durabletask-sticky'] === '1',
      signal,
    };
  }

  /** Ends the call when its caller gives up or the connection is closed; undone by the result. */
  #abortWhenGone(over: AbortController, signal: AbortSignal | undefined): () => void {
    const gone = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    const onAbort = (): void => {
      over.abort(gone.find(({ aborted }) => aborted)?.reason);
    };
    if (gone.some(({ aborted }) => aborted)) onAbort();
    for (const one of gone) one.addEventListener('abort', onAbort, { once: true });
    return () => {
      for (const one of gone) one.removeEventListener('abort', onAbort);
    };
  }
}

/** Resolves once the call is over or the deadline has ended it. */
async function startDeadline(
  name: string,
  timeoutMs: number | undefined,
  over: AbortController,
): Promise<void> {
  if (timeoutMs === undefined) return;
  const { signal } = over;
  await systemClock.sleepUntil(systemClock.now() + timeoutMs, { signal }).then(() => {
    over.abort(new TimeoutError(`${name} timed out`));
  }, ignore);
}

function writableInto(queue: MessageQueue, signal: AbortSignal): WritableCall {
  return {
    cancelled: signal.aborted,
    write: (message: Buffer, onSent: () => void) => {
      queue.push(Uint8Array.from(message), onSent);
    },
    end: () => {
      queue.end();
    },
    once: (_event: 'cancelled', listener: () => void) => {
      signal.addEventListener('abort', listener, { once: true });
    },
  };
}

/** Expected failures as they are; the rest as a scheduler's answer, with the reason beside it. */
function asCallerSees(error: unknown, name: string, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof TaskHubError) return error;
  const text = `${name} failed in the scheduler`;
  const failure = new TaskHubError('UNAVAILABLE', text, { cause: error });
  unexpected.add(failure);
  return failure;
}

function isUnavailable(error: unknown): error is TaskHubError {
  return error instanceof TaskHubError && error.code === 'UNAVAILABLE';
}

function copy<T extends DescMessage>(schema: T, message: MessageShape<T>): MessageShape<T> {
  return fromBinary(schema, toBinary(schema, message));
}

function ignore(): void {
  // The outcome is looked at elsewhere.
}

import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import {
  TimeoutError,
  type CallOptions,
  type Connection,
  type ServerStreamMethod,
  type UnaryMethod,
} from '../../src/client/connection.ts';
import type { Network } from './network.ts';
import { SimCall, type CallEnd } from './sim-call.ts';
import type { ProcessClock } from './sim-clock.ts';
import type { Request } from './sim-server.ts';

export interface SimConnectionOptions {
  readonly name: string;
  readonly network: Network;
  readonly clock: ProcessClock;
  /** Called when a request has reached the other side. */
  readonly serve: (call: SimCall, request: Request) => void;
}

/** A client's or worker's way to the scheduler, over the simulated network. */
export class SimConnection implements Connection {
  readonly #options: SimConnectionOptions;
  readonly #calls = new Set<SimCall>();

  constructor(options: SimConnectionOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  /** Calls whose client still waits. */
  get calls(): readonly SimCall[] {
    for (const call of this.#calls) if (call.isOver) this.#calls.delete(call);
    return [...this.#calls];
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    return new Promise((resolve, reject) => {
      let reply: Uint8Array | undefined;
      let callOff: (() => void) | undefined;
      const finish = (settle: () => void): void => {
        callOff?.();
        settle();
      };
      const call = this.#open(method, request, options, {
        onMessage: (bytes) => {
          reply = bytes;
        },
        onEnd: () => finish(() => resolve(fromBinary(method.output, reply ?? new Uint8Array()))),
        onError: (error) => finish(() => reject(error)),
      });
      if (options.timeoutMs !== undefined) callOff = this.#limit(call, options.timeoutMs);
    });
  }

  #limit(call: SimCall, timeoutMs: number): () => void {
    const { clock } = this.#options;
    return clock.alarm(clock.now() + timeoutMs, () => {
      call.giveUp(new TimeoutError(`${call.method} timed out`));
    });
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: ServerStreamMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): AsyncIterable<MessageShape<O>> {
    const arrived: Uint8Array[] = [];
    let end: { readonly error: unknown } | 'ok' | undefined;
    let news = Promise.withResolvers<undefined>();
    const call = this.#open(method, request, options, {
      onMessage: (bytes) => {
        arrived.push(bytes);
        news.resolve(undefined);
      },
      onEnd: () => {
        end = 'ok';
        news.resolve(undefined);
      },
      onError: (error) => {
        end = { error };
        news.resolve(undefined);
      },
    });
    try {
      for (;;) {
        for (let bytes = arrived.shift(); bytes; bytes = arrived.shift()) {
          yield fromBinary(method.output, bytes);
        }
        if (end === 'ok') return;
        if (end !== undefined) throw end.error;
        await news.promise;
        news = Promise.withResolvers<undefined>();
      }
    } finally {
      if (!call.isOver) call.cancel();
    }
  }

  #open(
    method: { readonly name: string; readonly input: DescMessage },
    message: Record<string, unknown>,
    { signal, metadata = {} }: CallOptions,
    end: CallEnd,
  ): SimCall {
    const { network, name, serve } = this.#options;
    const call = new SimCall({ network, connection: name, method: method.name }, end);
    this.#calls.add(call);
    const bytes = toBinary(method.input, create(method.input, message));
    const request = { method: method.name, bytes, metadata, connection: name };
    if (signal?.aborted === true) {
      call.isOver = true;
      end.onError(signal.reason as Error);
      return call;
    }
    signal?.addEventListener('abort', () => call.giveUp(signal.reason as Error), { once: true });
    network.send(call.up, {
      label: `${call.label} ->`,
      deliver: () => serve(call, request),
      repeat: () =>
        serve(new SimCall({ network, connection: name, method: method.name }, DEAF), request),
      lose: (isNoticed) => {
        if (isNoticed) call.break();
      },
    });
    return call;
  }

  /** The transport breaks: calls fail, the scheduler hears of it later. */
  renew(): void {
    for (const call of this.calls) call.break();
  }

  close(): Promise<void> {
    this.renew();
    return Promise.resolve();
  }

  /** The process is gone: it hears nothing more, and the scheduler learns of it later. */
  kill(): void {
    for (const call of this.calls) call.cancel();
  }
}

const DEAF: CallEnd = {
  onMessage: () => undefined,
  onEnd: () => undefined,
  onError: () => undefined,
};

import type { DescMessage, DescMethod, MessageInitShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type {
  MethodDefinition,
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import {
  HistoryChunkSchema,
  TaskHubSidecarService,
  WorkItemSchema,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { onLeakCheck } from '../../support/hooks.ts';

type Rpc = typeof TaskHubSidecarService.method;
type RpcName = keyof Rpc;
type Answer<N extends RpcName> = MessageInitShape<Rpc[N]['output']>;
type Request<N extends RpcName> = Rpc[N]['input'] extends DescMessage
  ? ReturnType<typeof fromBinary<Rpc[N]['input']>>
  : never;

/** A call that arrived, with the headers it came with. */
export interface ReceivedCall {
  readonly name: string;
  readonly request: unknown;
  readonly headers: Readonly<Record<string, string>>;
  /** Address and port of the caller. */
  readonly peer: string;
}

/** Throw it from a handler to answer with a gRPC status. */
export class StatusError extends Error {
  readonly code: status;

  constructor(code: status, details: string) {
    super(details);
    this.code = code;
  }
}

type Handler = (request: never, call: ReceivedCall) => unknown;

/** A stream of work items that a worker opened. */
export interface OpenStream {
  readonly headers: Readonly<Record<string, string>>;
  readonly request: Request<'getWorkItems'>;
  readonly isCancelled: () => boolean;
  send(item: MessageInitShape<typeof WorkItemSchema>): void;
  end(): void;
  fail(code: status, details: string): void;
}

let openCount = 0;
onLeakCheck(() => (openCount === 0 ? undefined : `${openCount} scripted schedulers`));

/**
 * A peer on a real socket that does what the test tells it: unary calls are answered by handlers
 * (by default with an empty reply), work item streams are handed to the test.
 */
export class ScriptedScheduler {
  readonly calls: ReceivedCall[] = [];
  readonly streams: OpenStream[] = [];
  readonly #handlers = new Map<string, Handler>();
  readonly #waiting = new Set<() => void>();
  #server = new Server();
  #port = 0;

  static async open(): Promise<ScriptedScheduler> {
    const scheduler = new ScriptedScheduler();
    await scheduler.listen();
    openCount += 1;
    return scheduler;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Answers a unary call, or gives the events of a history stream, from now on. */
  on<N extends RpcName>(
    name: N,
    handler: (request: Request<N>, call: ReceivedCall) => Answer<N> | Promise<Answer<N>>,
  ): void {
    this.#handlers.set(name, handler);
  }

  /** The requests of one method, in order of arrival. */
  requests<N extends RpcName>(name: N): Request<N>[] {
    return this.calls
      .filter((call) => call.name === name)
      .map(({ request }) => request as Request<N>);
  }

  /** Resolves when the condition holds; it is looked at whenever something arrives. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const changed = Promise.withResolvers<undefined>();
      const wake = (): void => {
        changed.resolve(undefined);
      };
      this.#waiting.add(wake);
      await changed.promise;
      this.#waiting.delete(wake);
    }
  }

  /** The stream number `index`, as soon as a worker has opened it. */
  async stream(index = 0): Promise<OpenStream> {
    await this.until(() => this.streams.length > index);
    return this.streams[index]!;
  }

  /** Drops every connection as a crash does; `listen` brings it back on the same port. */
  crash(): void {
    this.#server.forceShutdown();
    this.#server = new Server();
  }

  async listen(): Promise<void> {
    for (const [name, method] of Object.entries(TaskHubSidecarService.method)) {
      this.#server.addService({ [name]: definition(method) }, this.#implementation(name, method));
    }
    const bound = Promise.withResolvers<number>();
    this.#server.bindAsync(
      `127.0.0.1:${this.#port}`,
      ServerCredentials.createInsecure(),
      (error, port) => {
        if (error === null) bound.resolve(port);
        else bound.reject(error);
      },
    );
    this.#port = await bound.promise;
  }

  close(): void {
    openCount -= 1;
    this.#server.forceShutdown();
  }

  #implementation(name: string, method: DescMethod): UntypedServiceImplementation {
    if (name === 'getWorkItems') return { [name]: this.#onGetWorkItems.bind(this) };
    if (name === 'streamInstanceHistory') return { [name]: this.#onHistory.bind(this) };
    return {
      [name]: (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) => {
        void this.#answer(name, method, call).then(
          (reply) => callback(null, reply),
          (error: unknown) => callback(toStatus(error)),
        );
      },
    };
  }

  async #answer(
    name: string,
    method: DescMethod,
    call: ServerUnaryCall<Buffer, Buffer>,
  ): Promise<Buffer> {
    const received = this.#receive(name, method, call);
    const handler = this.#handlers.get(name);
    const reply = (await handler?.(received.request as never, received)) as object | undefined;
    return Buffer.from(toBinary(method.output, create(method.output, { ...reply })));
  }

  #onGetWorkItems(call: ServerWritableStream<Buffer, Buffer>): void {
    const method = TaskHubSidecarService.method.getWorkItems;
    const { request, headers } = this.#receive('getWorkItems', method, call);
    this.streams.push({
      headers,
      request: request as Request<'getWorkItems'>,
      isCancelled: () => call.cancelled,
      send: (item) => {
        call.write(Buffer.from(toBinary(WorkItemSchema, create(WorkItemSchema, item))));
      },
      end: () => call.end(),
      fail: (code, details) => call.emit('error', { code, details }),
    });
    call.on('cancelled', () => this.#wake());
    this.#wake();
  }

  #onHistory(call: ServerWritableStream<Buffer, Buffer>): void {
    const method = TaskHubSidecarService.method.streamInstanceHistory;
    const received = this.#receive('streamInstanceHistory', method, call);
    const handler = this.#handlers.get('streamInstanceHistory');
    try {
      const chunk = create(
        HistoryChunkSchema,
        handler?.(received.request as never, received) ?? {},
      );
      for (const event of chunk.events) {
        call.write(
          Buffer.from(
            toBinary(HistoryChunkSchema, create(HistoryChunkSchema, { events: [event] })),
          ),
        );
      }
      call.end();
    } catch (error) {
      call.emit('error', toStatus(error));
    }
  }

  #receive(
    name: string,
    method: DescMethod,
    from: ServerUnaryCall<Buffer, Buffer> | ServerWritableStream<Buffer, Buffer>,
  ): ReceivedCall {
    const headers = Object.fromEntries(
      Object.entries(from.metadata.getMap()).map(([key, value]) => [key, String(value)]),
    );
    const request = fromBinary(method.input, from.request);
    const call = { name, request, headers, peer: from.getPeer() };
    this.calls.push(call);
    this.#wake();
    return call;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

function definition(method: DescMethod): MethodDefinition<Buffer, Buffer> {
  const raw = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === 'server_streaming',
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: raw,
    responseDeserialize: raw,
  };
}

function toStatus(error: unknown): { code: status; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  if (error instanceof StatusError) return { code: error.code, details: error.message, metadata };
  return { code: status.UNKNOWN, details: String(error), metadata };
}

import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type {
  ChannelCredentials,
  ChannelOptions,
  ClientReadableStream,
  ServiceError,
} from '@grpc/grpc-js';
import { Client, Metadata, status } from '@grpc/grpc-js';
import type { BackoffOptions } from '../base/backoff.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { TaskHubError } from '../core/errors.ts';
import { recordCall } from '../telemetry/recorded-metrics.ts';
import { activeSpan } from '../telemetry/spans.ts';
import { writeTraceParent } from '../telemetry/trace-context.ts';
import { channelCredentials, tlsProblem, type ChannelSecurity } from './channel-credentials.ts';
import type { CallOptions, Connection, ServerStreamMethod, UnaryMethod } from './connection.ts';
import { fromGrpcError, hasDoneNothing, isServiceError } from './grpc-errors.ts';
import type { TokenProvider } from './token-provider.ts';

export interface GrpcConnectionOptions extends Omit<ChannelSecurity, 'isTls'> {
  /** Scheme, host and port; `https` means TLS. */
  readonly endpoint: string;
  readonly taskHub: string;
  /** Value of `x-user-agent`. */
  readonly userAgent: string;
  /** Value of `workerid`; workers only. */
  readonly workerId?: string | undefined;
  readonly tokenProvider?: TokenProvider | undefined;
  readonly clock: Clock;
  readonly ids: IdSource;
}

/** Attempts of a unary call that was not taken, or whose answer was lost and that may be sent again. */
const UNARY_ATTEMPTS_MAX = 10;
const UNARY_BACKOFF: BackoffOptions = { firstMs: 50, maxMs: 250, factor: 2 };

const CHANNEL_OPTIONS: ChannelOptions = {
  'grpc.max_receive_message_length': -1,
  'grpc.max_send_message_length': -1,
  // Finds a peer that vanished without a word while calls wait for it.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
  // A work item of some MB need not wait for a round trip every 64 KB.
  'grpc-node.flow_control_window': 1024 * 1024,
  // We retry ourselves: grpc-js stops after five attempts and buffers every call for it.
  'grpc.enable_retries': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5_000,
  // A renewed connection must be a new socket, not the shared one that it replaces.
  'grpc.use_local_subchannel_pool': 1,
};

/** A connection over gRPC. Nothing is sent before the first call. */
export function openGrpcConnection(options: GrpcConnectionOptions): Connection {
  return new GrpcConnection(options);
}

class GrpcConnection implements Connection {
  readonly #options: GrpcConnectionOptions;
  readonly #address: string;
  readonly #credentials: ChannelCredentials;
  readonly #metadata: Metadata;
  readonly #closing = new AbortController();
  /** Calls under way: closing ends them. */
  readonly #calls = new Set<{ cancel(): void }>();
  #client: Client;

  constructor(options: GrpcConnectionOptions) {
    const url = new URL(options.endpoint);
    this.#options = options;
    const isTls = url.protocol === 'https:';
    this.#credentials = channelCredentials({ ...options, isTls });
    this.#address = url.port === '' ? `${url.hostname}:${isTls ? '443' : '80'}` : url.host;
    this.#metadata = staticMetadata(options);
    this.#client = this.#connect();
  }

  async unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    const bytes = encode(method.input, request);
    const { clock, ids } = this.#options;
    const endAt = options.timeoutMs === undefined ? Infinity : clock.now() + options.timeoutMs;
    for (let attempt = 1; ; attempt++) {
      try {
        const reply = await this.#call(method, bytes, endAt, options);
        return fromBinary(method.output, reply);
      } catch (error) {
        if (options.signal?.aborted === true) throw options.signal.reason;
        this.#closing.signal.throwIfAborted();
        if (!this.#isWorthRetry(error, options) || attempt >= UNARY_ATTEMPTS_MAX) {
          throw this.#failure(error, method.name);
        }
      }
      const retryAt = clock.now() + backoffMs(attempt, UNARY_BACKOFF, () => ids.random());
      await clock.sleepUntil(retryAt, { signal: options.signal ?? this.#closing.signal });
    }
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: ServerStreamMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): AsyncGenerator<MessageShape<O>> {
    const metadata = await this.#callMetadata(options).catch((error: unknown) => {
      throw this.#failure(error, method.name);
    });
    options.signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const call: ClientReadableStream<Buffer> = this.#client.makeServerStreamRequest(
      pathOf(method),
      identity,
      identity,
      encode(method.input, request),
      metadata,
      this.#deadline(options.timeoutMs),
    );
    const cancel = (): void => {
      call.cancel();
    };
    this.#calls.add(call);
    options.signal?.addEventListener('abort', cancel, { once: true });
    // Cancelling makes the call emit an error even when nobody reads it any more.
    call.on('error', () => undefined);
    try {
      for await (const bytes of call as AsyncIterable<Buffer>) {
        yield fromBinary(method.output, bytes);
      }
    } catch (error) {
      if (options.signal?.aborted === true) throw options.signal.reason;
      this.#closing.signal.throwIfAborted();
      throw this.#failure(error, method.name);
    } finally {
      this.#calls.delete(call);
      options.signal?.removeEventListener('abort', cancel);
      call.cancel();
    }
  }

  renew(): void {
    if (this.#closing.signal.aborted) return;
    const old = this.#client;
    this.#client = this.#connect();
    old.close();
  }

  close(): Promise<void> {
    this.#closing.abort(new TaskHubError('UNAVAILABLE', 'The connection was closed'));
    for (const call of this.#calls) call.cancel();
    this.#client.close();
    return Promise.resolve();
  }

  #connect(): Client {
    return new Client(this.#address, this.#credentials, CHANNEL_OPTIONS);
  }

  async #call<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    bytes: Buffer,
    endAt: number,
    given: CallOptions,
  ): Promise<Buffer> {
    const { signal } = given;
    const metadata = await this.#callMetadata(given);
    signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
    const { clock } = this.#options;
    const startedAt = clock.now();
    const onReply = (error: ServiceError | null, reply?: Buffer): void => {
      this.#calls.delete(call);
      signal?.removeEventListener('abort', cancel);
      recordCall('clientCallDuration', {
        ...{ service: method.parent.typeName, method: method.name, code: error?.code ?? status.OK },
        durationMs: clock.now() - startedAt,
      });
      if (error !== null) reject(error);
      else resolve(reply ?? Buffer.alloc(0));
    };
    const options = endAt === Infinity ? {} : { deadline: endAt };
    const path = pathOf(method);
    const call = this.#client.makeUnaryRequest(
      path,
      identity,
      identity,
      bytes,
      metadata,
      options,
      onReply,
    );
    const cancel = (): void => {
      call.cancel();
    };
    this.#calls.add(call);
    signal?.addEventListener('abort', cancel, { once: true });
    return promise;
  }

  async #callMetadata({ signal, metadata: own }: CallOptions): Promise<Metadata> {
    const { tokenProvider } = this.#options;
    const span = activeSpan();
    if ((tokenProvider ?? own ?? span) === undefined) return this.#metadata;
    const metadata = this.#metadata.clone();
    for (const [name, value] of Object.entries(own ?? {})) metadata.set(name, value);
    if (span !== undefined) metadata.set('traceparent', writeTraceParent(span));
    if (tokenProvider !== undefined) {
      metadata.set('authorization', `Bearer ${await tokenProvider.getToken({ signal })}`);
    }
    return metadata;
  }

  /** UNAVAILABLE, and a call that the peer broke off (we did not): both end with the connection. */
  #isWorthRetry(error: unknown, { isRepeatable = true }: CallOptions): boolean {
    if (!isServiceError(error) || !(isRepeatable || hasDoneNothing(error))) return false;
    if (error.code === status.CANCELLED) return true;
    return error.code === status.UNAVAILABLE && this.#tlsProblem(error) === undefined;
  }

  #failure(error: unknown, method: string): Error {
    const problem = isServiceError(error) ? this.#tlsProblem(error) : undefined;
    if (problem === undefined) return fromGrpcError(error, method);
    return new TaskHubError('UNAVAILABLE', problem, { cause: error });
  }

  #tlsProblem({ code, details }: ServiceError): string | undefined {
    const { endpoint } = this.#options;
    if (code !== status.UNAVAILABLE || !endpoint.startsWith('https:')) return undefined;
    return tlsProblem(details, endpoint);
  }

  #deadline(timeoutMs: number | undefined): { deadline?: number } {
    return timeoutMs === undefined ? {} : { deadline: this.#options.clock.now() + timeoutMs };
  }
}

function staticMetadata(options: GrpcConnectionOptions): Metadata {
  const metadata = new Metadata();
  metadata.set('taskhub', options.taskHub);
  metadata.set('x-user-agent', options.userAgent);
  if (options.workerId !== undefined) metadata.set('workerid', options.workerId);
  return metadata;
}

function pathOf(method: {
  readonly name: string;
  readonly parent: { readonly typeName: string };
}): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function encode<I extends DescMessage>(schema: I, message: MessageInitShape<I>): Buffer {
  const bytes = toBinary(schema, create(schema, message));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function identity(bytes: Buffer): Buffer {
  return bytes;
}

/** A client of the service that shows what is on the wire: status codes, texts, single messages. */
import {
  Client,
  credentials,
  Metadata,
  type CallOptions,
  type ClientReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  create,
  fromBinary,
  toBinary,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescMessage,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';

export interface RawCallOptions extends CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

type Bytes = Buffer;
const asIs = (bytes: Bytes): Bytes => bytes;

export class RawClient {
  readonly #client: Client;

  /** `library`: how its gRPC library calls itself, first. */
  constructor(port: number, { library }: { readonly library?: string } = {}) {
    // One connection per client, so that a test that cuts one does not disturb the next.
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': -1,
      ...(library !== undefined && { 'grpc.primary_user_agent': library }),
    });
  }

  async call<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
    options: RawCallOptions = {},
  ): Promise<MessageShape<O>> {
    const bytes = toBinary(method.input, create(method.input, request));
    const path = `/${method.parent.typeName}/${method.name}`;
    return fromBinary(method.output, await this.#callPath(path, Buffer.from(bytes), options));
  }

  callBytes(name: string, bytes: Bytes, options: RawCallOptions = {}): Promise<Bytes> {
    return this.#callPath(`/TaskHubSidecarService/${name}`, bytes, options);
  }

  #callPath(path: string, bytes: Bytes, options: RawCallOptions): Promise<Bytes> {
    const { headers, ...rest } = options;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        path,
        asIs,
        asIs,
        bytes,
        metadataOf(headers),
        rest,
        (error: ServiceError | null, reply?: Bytes) => {
          if (error) reject(error);
          else resolve(reply ?? Buffer.alloc(0));
        },
      );
    });
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodServerStreaming<I, O>,
    request: MessageInitShape<I>,
    options: RawCallOptions = {},
  ): RawStream<O> {
    const { headers, ...rest } = options;
    const call = this.#client.makeServerStreamRequest(
      `/${method.parent.typeName}/${method.name}`,
      asIs,
      asIs,
      Buffer.from(toBinary(method.input, create(method.input, request))),
      metadataOf(headers),
      rest,
    );
    return new RawStream(call, method.output);
  }

  close(): void {
    this.#client.close();
  }
}

export class RawStream<O extends DescMessage> {
  readonly call: ClientReadableStream<Bytes>;
  /** Code and text of the end, whatever it was. */
  readonly ended: Promise<{ readonly code: number; readonly details: string }>;
  readonly #messages: AsyncIterator<Bytes>;
  readonly #schema: O;

  constructor(call: ClientReadableStream<Bytes>, schema: O) {
    this.call = call;
    this.#schema = schema;
    this.ended = new Promise((resolve) => {
      call.once('status', resolve);
    });
    call.on('error', () => undefined); // seen through `ended`
    this.#messages = call[Symbol.asyncIterator]() as AsyncIterator<Bytes>;
  }

  /** The next message, or `undefined` at an end with OK. */
  async next(): Promise<MessageShape<O> | undefined> {
    const result = await this.#messages.next();
    return result.done === true ? undefined : fromBinary(this.#schema, result.value);
  }
}

function metadataOf(headers: Readonly<Record<string, string>> = {}): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

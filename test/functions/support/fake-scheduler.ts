import { create } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import type {
  CallOptions,
  Connection,
  ServerStreamMethod,
  UnaryMethod,
} from '../../../src/client/connection.ts';

export interface Call {
  readonly method: string;
  readonly request: Record<string, unknown>;
  readonly timeoutMs: number | undefined;
}

type Reply = (request: Record<string, unknown>) => object;

/** A scheduler that answers each method from a table, and remembers what it was asked. */
export class FakeScheduler implements Connection {
  readonly calls: Call[] = [];
  readonly #replies: Readonly<Record<string, Reply>>;

  constructor(replies: Readonly<Record<string, Reply>>) {
    this.#replies = replies;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options: CallOptions = {},
  ): Promise<MessageShape<O>> {
    return new Promise((resolve) => {
      const asked = request as Record<string, unknown>;
      this.calls.push({ method: method.name, request: asked, timeoutMs: options.timeoutMs });
      const reply = this.#replies[method.name]?.(asked) ?? {};
      resolve(create(method.output, reply as MessageInitShape<O>));
    });
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: ServerStreamMethod<I, O>,
    request: MessageInitShape<I>,
  ): AsyncIterable<MessageShape<O>> {
    const reply = await this.unary({ ...method, methodKind: 'unary' }, request);
    yield reply;
  }

  renew(): void {
    // Nothing to drop.
  }

  async close(): Promise<void> {
    // Nothing to end.
  }

  /** The requests that one method was sent. */
  requestsTo(method: string): Record<string, unknown>[] {
    return this.calls.filter((call) => call.method === method).map((call) => call.request);
  }
}

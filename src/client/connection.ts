import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';

/** One unary method of a generated service descriptor. */
export interface UnaryMethod<I extends DescMessage, O extends DescMessage> {
  readonly methodKind: 'unary';
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

/** One method of a generated service descriptor that answers with a stream. */
export interface ServerStreamMethod<I extends DescMessage, O extends DescMessage> {
  readonly methodKind: 'server_streaming';
  readonly name: string;
  readonly parent: { readonly typeName: string };
  readonly input: I;
  readonly output: O;
}

export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** After this time the call rejects with `TimeoutError`. */
  readonly timeoutMs?: number | undefined;
  /**
   * False for what must not happen twice: when the answer is lost the call rejects with UNAVAILABLE instead of being
   * sent again. Default true.
   */
  readonly isRepeatable?: boolean | undefined;
  /** What this call says besides what the connection says with every call; lower-case names. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * How clients and workers reach a scheduler: over gRPC, or within the process.
 *
 * Both calls reject with `TaskHubError` (code by the scheduler's answer, its own text, the
 * transport's error as `cause`), with `TimeoutError`, or with the reason of the signal. The hub,
 * the caller's identity and the like belong to the connection and are sent by it.
 */
export interface Connection {
  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<MessageShape<O>>;

  /** Messages in order, ending when the scheduler ends the stream. Leaving the loop cancels it. */
  serverStream<I extends DescMessage, O extends DescMessage>(
    method: ServerStreamMethod<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): AsyncIterable<MessageShape<O>>;

  /**
   * Drops the transport, which may be dead without knowing; the next call opens a new one. Calls
   * that are under way go on or fail as the old one lets them.
   */
  renew(): void;

  /** Ends the connection; calls under way fail. Closing twice is fine. */
  close(): Promise<void>;
}

/** A wait that took longer than its caller allowed. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
}

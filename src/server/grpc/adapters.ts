import { Buffer } from 'node:buffer';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  ServerWritableStream,
} from '@grpc/grpc-js';
import {
  create,
  fromBinary,
  toBinary,
  type DescMessage,
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from '@bufbuild/protobuf';
import type { Clock } from '../../base/clock.ts';
import { TaskHubError } from '../../core/errors.ts';
import { logEvent } from '../../telemetry/log-events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { recordCall } from '../../telemetry/recorded-metrics.ts';
import { CallCancelled, createCallContext, type CallContext } from './call-context.ts';
import { withCallSpan } from './call-span.ts';
import { CallSink } from './call-sink.ts';
import { toGrpcStatus } from './status.ts';

/** Answers one unary call; a rejection becomes its status. */
export type UnaryHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  call: CallContext,
) => Promise<MessageInitShape<O>>;

/** Feeds one server stream with encoded messages: resolves to end it with OK, rejects to end it with a status. */
export type StreamHandler<I extends DescMessage> = (
  request: MessageShape<I>,
  call: CallContext,
  sink: CallSink,
) => Promise<void>;

export interface AdapterDeps {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Refuses a call before its handler sees it, by throwing: draining, no token, permission, unknown hub. */
  readonly admit: (method: string, call: CallContext) => Promise<void> | undefined;
  /** Told of each stream as it opens; `sink.closed` says when it is over. */
  readonly onStream: (sink: CallSink) => void;
}

const OK = 0;

/** Path of a method, and serialisers that leave bytes alone. */
export function rawMethod({
  parent,
  name,
  methodKind,
}: Pick<DescMethod, 'parent' | 'name' | 'methodKind'>): MethodDefinition<Buffer, Buffer> {
  const asIs = (bytes: Buffer): Buffer => bytes;
  return {
    path: `/${parent.typeName}/${name}`,
    requestStream: false,
    responseStream: methodKind === 'server_streaming',
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

/** A grpc-js handler for raw bytes. Nothing that `handler` does can throw out of it. */
export function unary<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  handler: UnaryHandler<I, O>,
  deps: AdapterDeps,
): handleUnaryCall<Buffer, Buffer> {
  const answer = async (bytes: Buffer, call: CallContext): Promise<Buffer> => {
    await deps.admit(method.localName, call);
    const reply = await handler(decodeRequest(method.input, bytes), call);
    return asBuffer(toBinary(method.output, create(method.output, reply)));
  };
  return (call, callback) => {
    const context = createCallContext(call);
    const reply = (): Promise<Buffer> => answer(call.request, context);
    const { traceParent } = context;
    const startedAt = deps.clock.now();
    const end = (code: number): void => {
      recordCall('serverCallDuration', {
        ...{ service: method.parent.typeName, method: method.name, code },
        durationMs: deps.clock.now() - startedAt,
      });
    };
    (traceParent === undefined ? reply() : withCallSpan(method, context, reply)).then(
      (bytes) => {
        callback(null, bytes);
        end(OK);
      },
      (error: unknown) => {
        const failed = failure(error, { method: method.name, call: context, deps });
        callback(failed, null);
        end(failed.code);
      },
    );
  };
}

/** As `unary`, for a stream of encoded messages. */
export function serverStream<I extends DescMessage, O extends DescMessage>(
  method: DescMethodServerStreaming<I, O>,
  handler: StreamHandler<I>,
  deps: AdapterDeps,
): handleServerStreamingCall<Buffer, Buffer> {
  const feed = async (call: ServerWritableStream<Buffer, Buffer>, context: CallContext) => {
    await deps.admit(method.localName, context);
    const request = decodeRequest(method.input, call.request);
    const sink = new CallSink(call, deps.clock);
    deps.onStream(sink);
    await handler(request, context, sink);
    sink.end();
  };
  return (call) => {
    const context = createCallContext(call);
    feed(call, context).catch((error: unknown) => {
      // grpc-js turns an 'error' event of the call into its final status.
      call.emit('error', failure(error, { method: method.name, call: context, deps }));
    });
  };
}

function decodeRequest<I extends DescMessage>(schema: I, bytes: Buffer): MessageShape<I> {
  try {
    return fromBinary(schema, bytes);
  } catch (cause) {
    throw new TaskHubError(
      'INVALID_ARGUMENT',
      `The request is not a valid ${schema.typeName} message; check the client's protocol version.`,
      { cause },
    );
  }
}

interface FailedCall {
  readonly method: string;
  readonly call: CallContext;
  readonly deps: AdapterDeps;
}

function failure(error: unknown, { method, call, deps }: FailedCall) {
  const { code, details, isUnexpected } = toGrpcStatus(error);
  // Nobody is left to read the status of a call that was cancelled, and it is no bug.
  if (isUnexpected && !(error instanceof CallCancelled)) {
    logEvent(deps.logger, 'callFailed', { method, taskHub: call.taskHub, error });
  }
  return { code, details };
}

/** The same memory as a Buffer, which is what grpc-js copies from. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

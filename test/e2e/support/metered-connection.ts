import { toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageInitShape, MessageShape } from '@bufbuild/protobuf';
import { systemClock } from '../../../src/base/clock.ts';
import { systemIds } from '../../../src/base/ids.ts';
import type {
  CallOptions,
  Connection,
  ServerStreamMethod,
  UnaryMethod,
} from '../../../src/client/connection.ts';
import { openGrpcConnection } from '../../../src/client/grpc-connection.ts';
import type { OrchestratorRequest } from '../../../src/proto/orchestrator_service_pb.ts';
import { HistoryChunkSchema, WorkItemSchema } from '../../../src/proto/orchestrator_service_pb.ts';

/** One orchestrator work item, as it came. */
export interface ReceivedTurn {
  readonly instanceId: string;
  readonly bytes: number;
  readonly pastEvents: number;
  readonly newEvents: number;
  readonly isStreamed: boolean;
}

/** One batch of operations for an entity, as it came. */
export interface ReceivedBatch {
  readonly instanceId: string;
  readonly bytes: number;
  readonly hasState: boolean;
}

export interface MeteredOptions {
  readonly endpoint: string;
  /** Decides what the scheduler believes that the peer accepts. */
  readonly userAgent?: string;
}

/** A gRPC connection to hub `default` that writes down what a worker receives. */
export class MeteredConnection implements Connection {
  readonly turns: ReceivedTurn[] = [];
  readonly batches: ReceivedBatch[] = [];
  /** Bytes of each message of fetched histories. */
  readonly historyChunks: number[] = [];
  /** Answers that asked for a history or a state. */
  forgotten = 0;
  readonly #inner: Connection;

  constructor({ endpoint, userAgent = 'durabletask-scheduler/0 (test)' }: MeteredOptions) {
    this.#inner = openGrpcConnection({
      ...{ endpoint, userAgent, taskHub: 'default', workerId: systemIds.uuid() },
      ...{ clock: systemClock, ids: systemIds },
    });
  }

  /** The turns of one instance, in order. */
  turnsOf(instanceId: string): ReceivedTurn[] {
    return this.turns.filter((turn) => turn.instanceId === instanceId);
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: UnaryMethod<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): Promise<MessageShape<O>> {
    const { requiresHistory, requiresState } = request as {
      readonly requiresHistory?: boolean;
      readonly requiresState?: boolean;
    };
    if (requiresHistory === true || requiresState === true) this.forgotten += 1;
    return this.#inner.unary(method, request, options);
  }

  async *serverStream<I extends DescMessage, O extends DescMessage>(
    method: ServerStreamMethod<I, O>,
    request: MessageInitShape<I>,
    options?: CallOptions,
  ): AsyncGenerator<MessageShape<O>> {
    for await (const message of this.#inner.serverStream(method, request, options)) {
      this.#write(method.output, message);
      yield message;
    }
  }

  renew(): void {
    this.#inner.renew();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #write(schema: DescMessage, message: MessageShape<DescMessage>): void {
    const bytes = toBinary(schema, message).byteLength;
    if (schema.typeName === HistoryChunkSchema.typeName) this.historyChunks.push(bytes);
    if (schema.typeName !== WorkItemSchema.typeName) return;
    const { request } = message as MessageShape<typeof WorkItemSchema>;
    if (request.case === 'orchestratorRequest') this.#turn(request.value, bytes);
    if (request.case === 'entityRequestV2') {
      const { instanceId, entityState } = request.value;
      this.batches.push({ instanceId, bytes, hasState: entityState !== undefined });
    }
  }

  #turn(request: OrchestratorRequest, bytes: number): void {
    this.turns.push({
      instanceId: request.instanceId,
      bytes,
      pastEvents: request.pastEvents.length,
      newEvents: request.newEvents.length,
      isStreamed: request.requiresHistoryStreaming,
    });
  }
}

import type { DescMessage, MessageInitShape } from '@bufbuild/protobuf';
import { create, toBinary } from '@bufbuild/protobuf';
import type { BackoffOptions } from '../base/backoff.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { Connection, UnaryMethod } from '../client/connection.ts';
import { TimeoutError } from '../client/connection.ts';
import type { ErrorCode } from '../core/errors.ts';
import { TaskHubError } from '../core/errors.ts';
import type { CompleteTaskResponseSchema } from '../proto/orchestrator_service_pb.ts';
import { TaskHubSidecarService } from '../proto/orchestrator_service_pb.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';

const rpc = TaskHubSidecarService.method;

/** A work item in this worker's hands. */
export interface LeasedWorkItem {
  readonly kind: 'orchestration' | 'activity' | 'entity';
  readonly completionToken: string;
  readonly instanceId: string;
}

/** How to complete a work item. */
export interface Completion<I extends DescMessage> {
  readonly method: UnaryMethod<I, typeof CompleteTaskResponseSchema>;
  readonly message: MessageInitShape<I>;
  /** What to say instead to a scheduler that does not take so large a message. */
  readonly smaller?: (() => MessageInitShape<I>) | undefined;
}

export interface WorkItemCompleterOptions {
  readonly connection: Connection;
  /** How long a completion without an answer is repeated. */
  readonly retryMs: number;
  /** Aborts when the worker stops waiting for what it has in hand. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly logger: Logger;
}

const CALL_TIMEOUT_MS = 30_000;
const ABANDON_TIMEOUT_MS = 5_000;
const RETRY_BACKOFF: BackoffOptions = { firstMs: 200, maxMs: 15_000, factor: 2 };
/** Below gRPC's usual limit of 4 MiB with room for the framing: every scheduler takes so much. */
export const MESSAGE_SAFE_BYTES = 3_900_000;
/** Somebody else finished the item, or there is nothing left to finish: a race lost as usual. */
const ENDED_ELSEWHERE: readonly ErrorCode[] = [
  'LEASE_LOST',
  'INSTANCE_NOT_FOUND',
  'TASK_HUB_NOT_FOUND',
];

/**
 * Hands results back to the scheduler. A lost reply is repeated with growing delays, on whatever
 * connection there is by then; a repeated completion that had been committed is refused as
 * `LEASE_LOST`, which is harmless.
 */
export class WorkItemCompleter {
  readonly #options: WorkItemCompleterOptions;

  constructor(options: WorkItemCompleterOptions) {
    this.#options = options;
  }

  /**
   * Sends until there is an answer; what the scheduler will not take is given back to it. True
   * when the message itself, not the smaller one, was accepted. Never rejects.
   */
  async complete<I extends DescMessage>(
    item: LeasedWorkItem,
    completion: Completion<I>,
  ): Promise<boolean> {
    const { signal, logger } = this.#options;
    const error = await this.#send(completion);
    if (error === undefined) return true;
    if (signal.aborted) return false;
    const fields = { ...fieldsOf(item), error };
    if (error instanceof TaskHubError && ENDED_ELSEWHERE.includes(error.code)) {
      logEvent(logger, 'completionTooLate', fields);
      return false;
    }
    logEvent(logger, 'completionRefused', fields);
    const { smaller } = completion;
    if (smaller !== undefined && isTooLarge(error, completion)) {
      await this.complete(item, { method: completion.method, message: smaller() });
    } else {
      await this.abandon(item);
    }
    return false;
  }

  /** Sends until there is an answer or no more time. Returns the error that it ended with. */
  async #send<I extends DescMessage>(completion: Completion<I>): Promise<unknown> {
    const { connection, clock, ids, signal, retryMs } = this.#options;
    const startedAt = clock.now();
    for (let attempt = 1; ; attempt++) {
      try {
        const options = { signal, timeoutMs: CALL_TIMEOUT_MS };
        await connection.unary(completion.method, completion.message, options);
        return undefined;
      } catch (error) {
        const isTimeOver = signal.aborted || clock.now() - startedAt > retryMs;
        if (isTimeOver || !isWorthRetry(error) || isTooLarge(error, completion)) return error;
      }
      const retryAt = clock.now() + backoffMs(attempt, RETRY_BACKOFF, () => ids.random());
      // Ends early only because of the signal; the next attempt then fails with its reason.
      await clock.sleepUntil(retryAt, { signal }).catch(() => undefined);
    }
  }

  /** Gives a work item back unprocessed. Never rejects: at worst the lease ends by itself. */
  async abandon(item: LeasedWorkItem): Promise<void> {
    const { connection, logger } = this.#options;
    const request = { completionToken: item.completionToken };
    const options = { timeoutMs: ABANDON_TIMEOUT_MS };
    try {
      switch (item.kind) {
        case 'orchestration':
          await connection.unary(rpc.abandonTaskOrchestratorWorkItem, request, options);
          return;
        case 'activity':
          await connection.unary(rpc.abandonTaskActivityWorkItem, request, options);
          return;
        case 'entity':
          await connection.unary(rpc.abandonTaskEntityWorkItem, request, options);
          return;
      }
    } catch (error) {
      logEvent(logger, 'giveBackFailed', { ...fieldsOf(item), error });
    }
  }
}

function isWorthRetry(error: unknown): boolean {
  if (error instanceof TimeoutError) return true;
  if (!(error instanceof TaskHubError)) return false;
  return error.code === 'UNAVAILABLE' || error.code === 'RESOURCE_EXHAUSTED';
}

/** The same code says "full for a moment" and "too large for ever"; the size tells which. */
function isTooLarge<I extends DescMessage>(error: unknown, completion: Completion<I>): boolean {
  if (!(error instanceof TaskHubError) || error.code !== 'RESOURCE_EXHAUSTED') return false;
  const { method, message } = completion;
  return toBinary(method.input, create(method.input, message)).byteLength > MESSAGE_SAFE_BYTES;
}

function fieldsOf(item: LeasedWorkItem): { kind: string; instanceId: string } {
  return { kind: item.kind, instanceId: item.instanceId };
}

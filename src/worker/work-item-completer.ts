import type { BackoffOptions } from '../base/backoff.ts';
import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import type { CallOptions, Connection } from '../client/connection.ts';
import { TimeoutError } from '../client/connection.ts';
import type { ErrorCode } from '../core/errors.ts';
import { TaskHubError } from '../core/errors.ts';
import { TaskHubSidecarService } from '../proto/orchestrator_service_pb.ts';
import type { Logger } from '../telemetry/logger.ts';

const rpc = TaskHubSidecarService.method;

/** A work item in this worker's hands. */
export interface LeasedWorkItem {
  readonly kind: 'orchestration' | 'activity' | 'entity';
  readonly completionToken: string;
  readonly instanceId: string;
}

/**
 * What became of a completion. `refused`: the scheduler said no for good. `lost`: no answer until
 * the worker gave up; it may or may not have been committed.
 */
export type CompletionOutcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly code: ErrorCode }
  | { readonly kind: 'lost' };

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
/** Either the scheduler is full for a moment, or the message is too large for ever. */
const EXHAUSTED_ATTEMPTS_MAX = 3;

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

  /** Sends until there is an answer. Never rejects. */
  async complete(
    item: LeasedWorkItem,
    send: (connection: Connection, options: CallOptions) => Promise<unknown>,
  ): Promise<CompletionOutcome> {
    const { connection, clock, ids, signal, retryMs } = this.#options;
    const startedAt = clock.now();
    for (let attempt = 1; ; attempt++) {
      try {
        await send(connection, { signal, timeoutMs: CALL_TIMEOUT_MS });
        return { kind: 'accepted' };
      } catch (error) {
        if (signal.aborted) return { kind: 'lost' };
        if (!isWorthRetry(error, attempt)) return this.#refused(item, error);
        if (clock.now() - startedAt > retryMs) return this.#lost(item, error);
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
      logger.debug('could not give a work item back', { ...fieldsOf(item), error });
    }
  }

  #refused(item: LeasedWorkItem, error: unknown): CompletionOutcome {
    const { logger } = this.#options;
    const code = error instanceof TaskHubError ? error.code : 'INVALID_ARGUMENT';
    const fields = { ...fieldsOf(item), code, error };
    // Somebody else finished it, or the instance is gone: the ordinary end of a lost race.
    const isOrdinary = code === 'LEASE_LOST' || code === 'INSTANCE_NOT_FOUND';
    if (isOrdinary) logger.debug('a completion came too late', fields);
    else logger.warn('the scheduler refused a completion', fields);
    return { kind: 'refused', code };
  }

  #lost(item: LeasedWorkItem, error: unknown): CompletionOutcome {
    this.#options.logger.warn('gave up a completion that got no answer', {
      ...fieldsOf(item),
      error,
    });
    return { kind: 'lost' };
  }
}

function isWorthRetry(error: unknown, attempt: number): boolean {
  if (error instanceof TimeoutError) return true;
  if (!(error instanceof TaskHubError)) return false;
  if (error.code === 'RESOURCE_EXHAUSTED') return attempt < EXHAUSTED_ATTEMPTS_MAX;
  return error.code === 'UNAVAILABLE';
}

function fieldsOf(item: LeasedWorkItem): { kind: string; instanceId: string } {
  return { kind: item.kind, instanceId: item.instanceId };
}

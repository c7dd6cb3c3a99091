import type { Clock } from '../base/clock.ts';
import { TaskHubError } from '../core/errors.ts';
import type { ErrorCode } from '../core/errors.ts';
import { INSTANCE_BATCH_MAX } from '../core/limits.ts';
import type { PurgeInstancesResponse } from '../proto/orchestrator_service_pb.ts';
import { TaskHubSidecarService } from '../proto/orchestrator_service_pb.ts';
import type { RequestOptions } from './client-options.ts';
import type { Connection } from './connection.ts';
import { encodeListRequest, encodeQuery } from './orchestration-query.ts';
import type { ListInstanceIdsOptions, OrchestrationQuery } from './orchestration-query.ts';
import { OrchestrationState } from './orchestration-state.ts';
import { createAsyncPageable, Page, tokenOf } from './page.ts';
import type { AsyncPageable } from './page.ts';
import { encodePurgeFilter, PurgeResult, readCriteria } from './purge.ts';
import type { PublishedPurgeCriteria, PurgeCriteria } from './purge.ts';
import { requireId } from './require-id.ts';

const rpc = TaskHubSidecarService.method;

export interface PurgeOptions extends RequestOptions {
  /** Takes sub-orchestrations of every depth along. Default false. */
  readonly recursive?: boolean | undefined;
}

export interface ForceTerminateOptions extends RequestOptions {
  readonly reason?: string | undefined;
}

export interface InstanceManagementOptions {
  readonly unary: Connection['unary'];
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
}

/** One call of a purge by criteria; several make up a long one, so that none outlasts its deadline. */
const PURGE_SLICE_MS = 10_000;

/** The calls of `TaskHubClient` that list, delete and revive instances. */
export class InstanceManagement {
  readonly #options: InstanceManagementOptions;

  constructor(options: InstanceManagementOptions) {
    this.#options = options;
  }

  getAllInstances(query: OrchestrationQuery): AsyncPageable<OrchestrationState> {
    const { signal } = query;
    return createAsyncPageable(async (token, pageSize) => {
      const asked = {
        ...query,
        pageSize: pageSize ?? query.pageSize,
        continuationToken: token ?? query.continuationToken,
      };
      const request = { query: encodeQuery(asked) };
      const reply = await this.#request(rpc.queryInstances, request, { signal });
      const states = reply.orchestrationState.map((state) => new OrchestrationState(state));
      return new Page(states, tokenOf(reply.continuationToken));
    });
  }

  async listInstanceIds(options: ListInstanceIdsOptions): Promise<Page<string>> {
    const { signal } = options;
    const reply = await this.#request(rpc.listInstanceIds, encodeListRequest(options), { signal });
    return new Page(reply.instanceIds, tokenOf(reply.lastInstanceKey));
  }

  async purge(
    target: string | PurgeCriteria | PublishedPurgeCriteria,
    { recursive = false, signal }: PurgeOptions,
  ): Promise<PurgeResult> {
    if (typeof target !== 'string') {
      return this.#purgeMatching(readCriteria(target), { recursive, signal });
    }
    const request = { case: 'instanceId', value: requireId(target) } as const;
    const reply = await this.#request(rpc.purgeInstances, { request, recursive }, { signal });
    return resultOf(reply);
  }

  async purgeInstances(
    instanceIds: readonly string[],
    { recursive = false, signal }: PurgeOptions,
  ): Promise<PurgeResult> {
    let deleted = 0;
    let isComplete = true;
    for (const batch of batchesOf(instanceIds)) {
      const request = { case: 'instanceBatch', value: { instanceIds: batch } } as const;
      const reply = await this.#request(rpc.purgeInstances, { request, recursive }, { signal });
      const result = resultOf(reply);
      deleted += result.deletedInstanceCount;
      isComplete &&= result.isComplete;
    }
    return new PurgeResult(deleted, isComplete);
  }

  async restart(
    instanceId: string,
    restartWithNewInstanceId: boolean,
    options: RequestOptions,
  ): Promise<string> {
    const request = { instanceId: requireId(instanceId), restartWithNewInstanceId };
    const call = { ...options, isRepeatable: false };
    const reply = await explained(this.#request(rpc.restartInstance, request, call), {
      INSTANCE_NOT_FOUND: notFoundText(instanceId),
      WRONG_STATE: `An orchestration with the instanceId '${instanceId}' cannot be restarted.`,
    });
    return reply.instanceId;
  }

  async rewind(instanceId: string, reason: string, options: RequestOptions): Promise<void> {
    const request = { instanceId: requireId(instanceId), ...(reason !== '' && { reason }) };
    const call = { ...options, isRepeatable: false };
    await explained(this.#request(rpc.rewindInstance, request, call), {
      INSTANCE_NOT_FOUND: notFoundText(instanceId),
    });
  }

  async forceTerminate(
    instanceIds: readonly string[],
    { reason, signal }: ForceTerminateOptions,
  ): Promise<readonly string[]> {
    const left: string[] = [];
    for (const batch of batchesOf(instanceIds)) {
      const request = {
        instanceBatch: { instanceIds: batch },
        ...(reason !== undefined && { reason }),
      };
      const method = rpc.skipGracefulOrchestrationTerminations;
      const reply = await this.#request(method, request, { signal });
      left.push(...reply.unterminatedInstanceIds);
    }
    return left;
  }

  /** In slices, until nothing is left or the time is over. */
  async #purgeMatching(
    criteria: PurgeCriteria,
    {
      recursive,
      signal,
    }: { readonly recursive: boolean; readonly signal: AbortSignal | undefined },
  ): Promise<PurgeResult> {
    const { clock, requestTimeoutMs, unary } = this.#options;
    const endAt = clock.now() + (criteria.timeoutMs ?? Infinity);
    let deleted = 0;
    for (;;) {
      const sliceMs = Math.min(PURGE_SLICE_MS, endAt - clock.now());
      const value = encodePurgeFilter(criteria, sliceMs);
      const request = { case: 'purgeInstanceFilter', value } as const;
      const options = { signal, timeoutMs: requestTimeoutMs + PURGE_SLICE_MS };
      const result = resultOf(await unary(rpc.purgeInstances, { request, recursive }, options));
      deleted += result.deletedInstanceCount;
      // A scheduler that makes no progress is not asked for ever.
      const isOver = result.deletedInstanceCount === 0 || clock.now() >= endAt;
      if (result.isComplete || isOver) return new PurgeResult(deleted, result.isComplete);
    }
  }

  readonly #request: Connection['unary'] = (method, request, options) => {
    const { unary, requestTimeoutMs } = this.#options;
    return unary(method, request, { ...options, timeoutMs: requestTimeoutMs });
  };
}

/** Schedulers that stop at no time leave the flag out. */
function resultOf({ deletedInstanceCount, isComplete }: PurgeInstancesResponse): PurgeResult {
  return new PurgeResult(deletedInstanceCount, isComplete ?? true);
}

function* batchesOf(instanceIds: readonly string[]): Generator<string[], void, undefined> {
  for (let from = 0; from < instanceIds.length; from += INSTANCE_BATCH_MAX) {
    yield instanceIds.slice(from, from + INSTANCE_BATCH_MAX);
  }
}

function notFoundText(instanceId: string): string {
  return `An orchestration with the instanceId '${instanceId}' was not found.`;
}

/** Gives expected failures the published client's texts; the scheduler's own is the `cause`. */
async function explained<T>(
  call: Promise<T>,
  texts: Partial<Record<ErrorCode, string>>,
): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const text = error instanceof TaskHubError ? texts[error.code] : undefined;
    if (!(error instanceof TaskHubError) || text === undefined) throw error;
    throw new TaskHubError(error.code, text, { cause: error });
  }
}

/** Lists, purges, restarts, rewinds and forced ends of orchestrations. */
import { timestampMs, type Duration, type Timestamp } from '@bufbuild/protobuf/wkt';
import type { Clock } from '../base/clock.ts';
import type { IdSource } from '../base/ids.ts';
import { invalidArgument, TaskHubError } from '../core/errors.ts';
import { isTerminal, type RuntimeStatus } from '../core/instance.ts';
import { INSTANCE_BATCH_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from '../core/limits.ts';
import { optional } from '../core/optional.ts';
import { decodePageToken, encodePageToken } from '../core/page-token.ts';
import { assertInstanceId } from '../core/validation.ts';
import {
  OrchestrationStatus,
  type InstanceQuery,
  type ListInstanceIdsRequest,
  type OrchestrationState,
  type PurgeInstanceFilter,
  type PurgeInstancesRequest,
  type RestartInstanceRequest,
  type RewindInstanceRequest,
  type SkipGracefulOrchestrationTerminationsRequest,
} from '../proto/orchestrator_service_pb.ts';
import type { Commit, EndCommit, Outcome, PurgeCommit, Store } from '../storage/store.ts';
import { encodeEvent } from '../wire/events.ts';
import { restartCommit } from './requests.ts';
import { orchestrationState } from './responses.ts';

export interface ManagementOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly submit: (commit: Commit) => Promise<Outcome>;
}

export interface InstancePage {
  readonly states: readonly OrchestrationState[];
  /** `undefined` on the last page; never empty: some clients read an empty one as another page. */
  readonly continuationToken: string | undefined;
}

export interface IdPage {
  readonly ids: readonly string[];
  readonly lastKey: string | undefined;
}

export interface PurgeResult {
  readonly deleted: number;
  /** False when the time given was over before everything was deleted: ask again. */
  readonly isComplete: boolean;
}

/** Instances deleted in one go; between two of them other requests have their turn. */
const PURGE_STEP = 100;

export class Management {
  readonly #options: ManagementOptions;

  constructor(options: ManagementOptions) {
    this.#options = options;
  }

  async query(hub: string, query: InstanceQuery): Promise<InstancePage> {
    const hubs = query.taskHubNames;
    if (hubs.length > 0 && !hubs.some(({ value }) => value === hub))
      return { states: [], continuationToken: undefined };
    const idPrefix = query.instanceIdPrefix === '' ? undefined : query.instanceIdPrefix;
    const after = decodePageToken(query.continuationToken);
    // With a prefix the list is in the order of ids, else of times: a token of one means nothing to the other.
    if (after && (after.length === 1) !== (idPrefix !== undefined)) {
      throw invalidArgument('the continuation token is of another query; start again without it');
    }
    const page = await this.#options.store.queryInstances({
      hub,
      statuses: query.runtimeStatus,
      createdFrom: atOf(query.createdTimeFrom),
      createdTo: atOf(query.createdTimeTo),
      idPrefix,
      after,
      limit: pageSize(query.maxInstanceCount),
      payloads: query.fetchInputsAndOutputs,
    });
    return {
      states: page.items.map(orchestrationState),
      continuationToken: page.next && encodePageToken(page.next),
    };
  }

  async listEnded(hub: string, request: ListInstanceIdsRequest): Promise<IdPage> {
    const statuses = request.runtimeStatus;
    if (statuses.length > 0 && !statuses.some(isTerminal)) return { ids: [], lastKey: undefined };
    const page = await this.#options.store.listEnded({
      hub,
      statuses: statuses.filter(isTerminal),
      completedFrom: atOf(request.completedTimeFrom),
      completedTo: atOf(request.completedTimeTo),
      after: decodePageToken(request.lastInstanceKey),
      limit: pageSize(request.pageSize),
    });
    return { ids: page.items, lastKey: page.next && encodePageToken(page.next) };
  }

  async purge(hub: string, request: PurgeInstancesRequest): Promise<PurgeResult> {
    const { request: target, recursive } = request;
    switch (target.case) {
      case 'instanceId': {
        const onLive = request.isOrchestration ? 'refuse' : 'skip';
        const deleted = await this.#purgeIds(hub, [target.value], { recursive, onLive });
        return { deleted, isComplete: true };
      }
      case 'instanceBatch': {
        assertBatch(target.value.instanceIds);
        const ids = target.value.instanceIds;
        const deleted = await this.#purgeIds(hub, ids, { recursive, onLive: 'skip' });
        return { deleted, isComplete: true };
      }
      case 'purgeInstanceFilter':
        return this.#purgeFiltered(hub, target.value, recursive);
      case undefined:
        throw invalidArgument(
          'a purge needs an instanceId, an instanceBatch or a purgeInstanceFilter; none is set',
        );
    }
  }

  async #purgeFiltered(
    hub: string,
    filter: PurgeInstanceFilter,
    recursive: boolean,
  ): Promise<PurgeResult> {
    const { store, clock } = this.#options;
    const deadlineAt = filter.timeout ? clock.now() + durationMs(filter.timeout) : Infinity;
    const asked = filter.runtimeStatus.filter(isTerminal);
    if (filter.runtimeStatus.length > 0 && asked.length === 0) {
      return { deleted: 0, isComplete: true };
    }
    const query = {
      hub,
      statuses: asked.length > 0 ? asked : TERMINAL,
      createdFrom: atOf(filter.createdTimeFrom),
      createdTo: atOf(filter.createdTimeTo),
      idPrefix: undefined,
      limit: PURGE_STEP,
      payloads: false,
    };
    let deleted = 0;
    let page = await store.queryInstances({ ...query, after: undefined });
    for (;;) {
      for (const { instanceId } of page.items) {
        if (clock.now() >= deadlineAt) return { deleted, isComplete: false };
        deleted += await this.#purgeIds(hub, [instanceId], { recursive, onLive: 'skip' });
      }
      if (!page.next) return { deleted, isComplete: true };
      page = await store.queryInstances({ ...query, after: page.next });
    }
  }

  /** Children first: a purge that is cut short leaves nothing that only a deleted parent led to. */
  async #purgeIds(
    hub: string,
    ids: readonly string[],
    options: { readonly recursive: boolean; readonly onLive: PurgeCommit['onLive'] },
  ): Promise<number> {
    const { recursive, onLive } = options;
    const levels = recursive ? await this.#levels(hub, ids) : [ids];
    let deleted = 0;
    for (const [index, level] of [...levels.entries()].reverse()) {
      const commits = level.map((instanceId) => ({
        kind: 'purge' as const,
        hub,
        instanceId,
        onLive: index === 0 ? onLive : ('skip' as const),
      }));
      for (const outcome of await this.#submitAll(commits)) deleted += countOf(outcome);
    }
    return deleted;
  }

  /** The instances themselves, their children, their children's children …; what is live keeps all below it. */
  async #levels(hub: string, ids: readonly string[]): Promise<readonly (readonly string[])[]> {
    const { store } = this.#options;
    const levels = [ids];
    const seen = new Set(ids);
    for (let level = ids; level.length > 0;) {
      const children = await store.children(hub, await this.#ended(hub, level));
      level = [...new Set(children)].filter((id) => !seen.has(id));
      for (const id of level) seen.add(id);
      if (level.length > 0) levels.push(level);
    }
    return levels;
  }

  async #ended(hub: string, ids: readonly string[]): Promise<readonly string[]> {
    const statuses = await this.#options.store.statuses(hub, ids);
    return ids.filter((id) => {
      const status = statuses.get(id);
      return status !== undefined && isTerminal(status);
    });
  }

  async #submitAll(commits: readonly Commit[]): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (let from = 0; from < commits.length; from += PURGE_STEP) {
      const step = commits.slice(from, from + PURGE_STEP);
      outcomes.push(...(await Promise.all(step.map((commit) => this.#options.submit(commit)))));
    }
    return outcomes;
  }

  /** The id of the new execution's instance: the same, or a new one. */
  async restart(hub: string, request: RestartInstanceRequest): Promise<string> {
    const { store, ids } = this.#options;
    const start = await store.getStart(hub, request.instanceId);
    if (!start) {
      throw new TaskHubError(
        'INSTANCE_NOT_FOUND',
        `No instance with ID '${request.instanceId}' found.`,
      );
    }
    const instanceId = request.restartWithNewInstanceId ? ids.hex32() : request.instanceId;
    const outcome = await this.#options.submit(
      restartCommit(hub, start, { instanceId, executionId: ids.hex32() }),
    );
    if (!outcome.ok) throw outcome.error;
    return instanceId;
  }

  async rewind(hub: string, { instanceId, reason }: RewindInstanceRequest): Promise<void> {
    assertInstanceId(instanceId);
    const outcome = await this.#options.submit({ kind: 'rewind', hub, instanceId, reason });
    if (!outcome.ok) throw outcome.error;
  }

  /** Ids that were not ended: missing, ended already, or no orchestration. */
  async forceEnd(
    hub: string,
    request: SkipGracefulOrchestrationTerminationsRequest,
  ): Promise<readonly string[]> {
    const ids = request.instanceBatch?.instanceIds ?? [];
    assertBatch(ids);
    const event = encodeEvent({
      eventType: {
        case: 'executionTerminated',
        value: { recurse: false, ...optional('input', request.reason) },
      },
    });
    const commits = ids.map((instanceId): EndCommit => ({ kind: 'end', hub, instanceId, event }));
    const outcomes = await this.#submitAll(commits);
    return ids.filter((_, index) => {
      const outcome = outcomes[index];
      return !outcome || countOf(outcome) === 0;
    });
  }
}

const TERMINAL: readonly RuntimeStatus[] = [
  OrchestrationStatus.COMPLETED,
  OrchestrationStatus.FAILED,
  OrchestrationStatus.TERMINATED,
  OrchestrationStatus.CANCELED,
];

function countOf(outcome: Outcome): number {
  if (!outcome.ok) throw outcome.error;
  return outcome.count ?? 0;
}

function assertBatch(ids: readonly string[]): void {
  if (ids.length <= INSTANCE_BATCH_MAX) return;
  throw invalidArgument(
    `instanceBatch holds ${ids.length} ids; the limit is ${INSTANCE_BATCH_MAX}: send them in several calls`,
  );
}

function pageSize(asked: number): number {
  return asked > 0 ? Math.min(asked, PAGE_SIZE_MAX) : PAGE_SIZE_DEFAULT;
}

function atOf(time: Timestamp | undefined): number | undefined {
  return time && timestampMs(time);
}

function durationMs({ seconds, nanos }: Duration): number {
  return Number(seconds) * 1000 + Math.floor(nanos / 1_000_000);
}

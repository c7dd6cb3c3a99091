/** Task hubs, what waits in them, and who is connected. */
import { z } from 'zod';
import { optional } from '../../../core/optional.ts';
import { OrchestrationStatus } from '../../../proto/orchestrator_service_pb.ts';
import type { RuntimeStatus } from '../../../core/instance.ts';
import { WORK_KINDS, type TypeFilter, type WorkKind } from '../../../storage/store.ts';
import type { Count } from '../../../storage/inspection.ts';
import type { WorkerInfo } from '../../../scheduler/worker-info.ts';
import { admissionOf } from '../admission.ts';
import type { HttpAppOptions, HttpRoute } from '../http-app.ts';
import {
  drainedSchema,
  heldSchema,
  hubsSchema,
  namesSchema,
  parkedSchema,
  summarySchema,
  workersSchema,
  type DrainedJson,
  type HeldJson,
  type HubsJson,
  type NamesJson,
  type ParkedJson,
  type SummaryJson,
  type WorkersJson,
} from './contract.ts';
import { invalidArgument, TaskHubError } from '../../../core/errors.ts';
import { api, iso } from './route.ts';
import { statusWord } from './status-words.ts';
import { closestTaken } from './waiting-json.ts';

/** Instances of one status that a tile counts. */
const COUNTED_MAX = 10_000;
const PARKED_COUNT_MAX = 500;

export const HUB_ROUTES: readonly HttpRoute[] = [
  api({
    method: 'GET',
    path: '/hubs',
    permission: 'known',
    summary: 'Task hubs that the caller may see, with what needs attention in them',
    answer: hubsSchema,
    handle: async ({ options, context }) => {
      const admission = admissionOf(context);
      const hubs = options.engine.taskHubs();
      const visible = admission ? hubs.filter((hub) => admission.permits('connect', hub)) : hubs;
      return context.json(await hubsJson(options, visible));
    },
  }),
  api({
    method: 'POST',
    path: '/hubs',
    permission: 'manage',
    summary: 'Creates a task hub, or leaves an existing one as it is',
    body: z.strictObject({ name: z.string() }),
    status: 201,
    handle: async ({ engine, body, context }) => {
      await engine.createTaskHub(body.name, { recreate: false });
      return context.json({ name: body.name }, 201);
    },
  }),
  api({
    method: 'DELETE',
    path: '/hubs/:hub',
    permission: 'manage',
    summary: 'Deletes a task hub and all that is in it',
    handle: async ({ engine, hub, context }) => {
      await engine.deleteTaskHub(hub);
      return context.json({ name: hub });
    },
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/summary',
    permission: 'read',
    summary: 'Counts by status, queued work and connected workers',
    answer: summarySchema,
    handle: async ({ options, hub, context }) => context.json(await summaryJson(options, hub)),
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/workers',
    permission: 'read',
    summary: 'Workers that are connected to this node',
    answer: workersSchema,
    handle: ({ engine, hub, context, options }) =>
      context.json({
        items: engine.inspector.workers(hub).map(workerJson),
        asOf: iso(options.clock.now()),
      } satisfies WorkersJson),
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/workers/:stream/held',
    permission: 'read',
    summary: 'What a worker has in hand, longest first',
    answer: heldSchema,
    handle: async ({ engine, hub, context }) => {
      const stream = Number(context.req.param('stream'));
      const worker = engine.inspector.workers(hub).find((each) => each.stream === stream);
      const held = worker ? await engine.inspector.held(hub, worker) : [];
      const items = held.map(({ kind, sinceAt, attempts, instanceId, name }) => ({
        ...{ kind, attempts },
        since: iso(sinceAt),
        ...optional('id', instanceId),
        ...optional('name', name),
      }));
      return context.json({ items } satisfies HeldJson);
    },
  }),
  api({
    method: 'POST',
    path: '/hubs/:hub/workers/:stream/drain',
    permission: 'write',
    summary: 'Gives a worker nothing more; it goes on with what it has in hand',
    answer: drainedSchema,
    handle: ({ engine, hub, context }) => {
      const given = context.req.param('stream') ?? '';
      const stream = /^\d{1,15}$/.test(given) ? Number(given) : undefined;
      if (stream === undefined) {
        const rule = 'use the number of the list of workers';
        throw invalidArgument(`'${given.slice(0, 100)}' is no stream of a worker; ${rule}`);
      }
      const drained = engine.drainWorker({ hub, stream });
      return context.json({ drained } satisfies DrainedJson);
    },
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/names',
    permission: 'read',
    summary: 'Names that workers announce or that were used before',
    answer: namesSchema,
    handle: async ({ options, hub, context }) => context.json(await namesJson(options, hub)),
  }),
  api({
    method: 'GET',
    path: '/hubs/:hub/parked',
    permission: 'read',
    summary: 'Work items set aside after too many lost workers',
    answer: parkedSchema,
    handle: async ({ engine, hub, context }) => {
      const parked = await engine.parkedItems(hub);
      const items = parked.map(({ instanceId: id, ...item }) => ({ id, ...item }));
      return context.json({ items } satisfies ParkedJson);
    },
  }),
  api({
    method: 'POST',
    path: '/hubs/:hub/parked/retry',
    permission: 'write',
    summary: 'Hands parked items out again, of one instance or all',
    body: z.strictObject({ id: z.string().optional() }),
    handle: async ({ engine, hub, body, context }) =>
      context.json({ retried: await engine.retryParked(hub, body.id) }),
  }),
];

type Options = Pick<HttpAppOptions, 'engine' | 'clock' | 'grpcEndpoint'>;

async function hubsJson(options: Options, visible: readonly string[]): Promise<HubsJson> {
  const { grpcEndpoint } = options;
  const items: HubsJson['items'] = [];
  for (const name of visible) {
    const item = await hubJson(options, name).catch((error: unknown) => {
      // Deleted while we were looking.
      if (error instanceof TaskHubError && error.code === 'TASK_HUB_NOT_FOUND') return undefined;
      throw error;
    });
    if (item) items.push(item);
  }
  return { items, grpcEndpoint };
}

async function hubJson({ engine }: Options, name: string): Promise<HubsJson['items'][number]> {
  const { inspector } = engine;
  const counts = await inspector.stored.statusCounts(name, COUNTED_MAX);
  const backlog = await inspector.backlog(name);
  const sum = (of: typeof backlog): number => of.reduce((all, { pending }) => all + pending, 0);
  const oldestAt = backlog.length > 0 ? Math.min(...backlog.map((b) => b.oldestAt)) : undefined;
  const active = LIVE.map((status) => counts.get(status) ?? NONE);
  return {
    name,
    workers: inspector.workers(name).length,
    active: {
      count: active.reduce((all, { count }) => all + count, 0),
      isCapped: active.some(({ isCapped }) => isCapped),
    },
    failed: counts.get(OrchestrationStatus.FAILED) ?? NONE,
    pending: sum(backlog),
    ...optional('oldestAt', oldestAt === undefined ? undefined : iso(oldestAt)),
    unclaimed: sum(backlog.filter(({ isClaimed }) => !isClaimed)),
  };
}

const NONE: Count = { count: 0, isCapped: false };
const LIVE: readonly RuntimeStatus[] = [
  OrchestrationStatus.PENDING,
  OrchestrationStatus.RUNNING,
  OrchestrationStatus.SUSPENDED,
];

export async function summaryJson({ engine, clock }: Options, hub: string): Promise<SummaryJson> {
  const { inspector } = engine;
  const workers = inspector.workers(hub);
  const counts = await inspector.stored.statusCounts(hub, COUNTED_MAX);
  const backlog = await inspector.backlog(hub);
  const parked = await engine.parkedItems(hub);
  const active = (kind: WorkKind): number =>
    workers.reduce((sum, worker) => sum + worker.inFlightByKind[kind], 0);
  return {
    hub,
    counts: Object.fromEntries([...counts].map(([status, count]) => [statusWord(status), count])),
    workers: workers.length,
    active: {
      orchestration: active('orchestration'),
      activity: active('activity'),
      entity: active('entity'),
    },
    backlog: backlog.map(({ oldestAt, ...each }) => ({
      ...each,
      oldestAt: iso(oldestAt),
      ...optional('closest', each.isClaimed ? undefined : closestTaken(each, workers)),
    })),
    parked: Math.min(parked.length, PARKED_COUNT_MAX),
    asOf: iso(clock.now()),
  };
}

function workerJson(worker: WorkerInfo): WorkersJson['items'][number] {
  const { stream, workerId, userAgent, connectedAt, isEnding, isSticky, capacity, counts } = worker;
  const takes = (kind: WorkKind) =>
    worker.filters[kind]?.map(({ name, versions }) => ({ name, versions: [...versions] }));
  return {
    ...{ stream, isSticky, capacity, ...counts },
    ...optional('workerId', workerId),
    ...optional('userAgent', userAgent),
    connectedAt: iso(connectedAt),
    isDraining: isEnding,
    inFlight: worker.inFlightByKind,
    takes: Object.fromEntries(WORK_KINDS.map((kind) => [kind, takes(kind)])) as Record<
      WorkKind,
      ReturnType<typeof takes>
    >,
  };
}

interface NameEntry {
  readonly kind: WorkKind;
  readonly name: string;
  readonly versions: Set<string>;
  isConnected: boolean;
  isStored: boolean;
}

async function namesJson({ engine }: Options, hub: string): Promise<NamesJson> {
  const names = new Map<string, NameEntry>();
  const entryOf = (kind: WorkKind, name: string): NameEntry => {
    const key = `${kind} ${name}`;
    const entry = names.get(key) ?? {
      ...{ kind, name, versions: new Set<string>(), isConnected: false, isStored: false },
    };
    names.set(key, entry);
    return entry;
  };
  for (const { kind, name, version } of await engine.inspector.stored.names(hub)) {
    const entry = entryOf(kind, name);
    entry.isStored = true;
    if (version !== '') entry.versions.add(version);
  }
  for (const { kind, name, versions } of announced(engine.inspector.workers(hub))) {
    const entry = entryOf(kind, name);
    entry.isConnected = true;
    for (const version of versions) if (version !== '') entry.versions.add(version);
  }
  const items = [...names.values()].map((each) => ({ ...each, versions: [...each.versions] }));
  return { items: items.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

function announced(workers: readonly WorkerInfo[]): readonly (TypeFilter & { kind: WorkKind })[] {
  return workers.flatMap(({ filters }) =>
    WORK_KINDS.flatMap((kind) => (filters[kind] ?? []).map((filter) => ({ ...filter, kind }))),
  );
}

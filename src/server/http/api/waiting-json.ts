/** Why an instance waits, in the words of the API. */
import { closestName } from '../../../config/did-you-mean.ts';
import { optional } from '../../../core/optional.ts';
import type { RuntimeStatus } from '../../../core/instance.ts';
import type { WaitingReport } from '../../../scheduler/inspector.ts';
import type { WaitItem } from '../../../scheduler/why-waiting.ts';
import type { WorkerInfo } from '../../../scheduler/worker-info.ts';
import type { WorkKind } from '../../../storage/store.ts';
import type { WaitingJson } from './contract.ts';
import { iso } from './route.ts';
import { statusWord } from './status-words.ts';

export interface WaitingEnv {
  readonly hub: string;
  readonly now: number;
  /** Of all hubs. */
  readonly workers: readonly WorkerInfo[];
}

export function waitingJson({ found, items }: WaitingReport, env: WaitingEnv): WaitingJson {
  const own = env.workers.filter(({ hub }) => hub === env.hub);
  const others = new Map<string, number>();
  for (const { hub } of env.workers) {
    if (hub !== env.hub) others.set(hub, (others.get(hub) ?? 0) + 1);
  }
  return {
    id: found.row.instanceId,
    status: statusWord(found.row.status),
    items: items.map((item) => itemJson(item, own)),
    otherHubs: [...others].map(([hub, workers]) => ({ hub, workers })),
    asOf: iso(env.now),
  };
}

type ItemJson = WaitingJson['items'][number];

function itemJson(item: WaitItem, workers: readonly WorkerInfo[]): ItemJson {
  const { code, work, holder, dueAt, child } = item;
  return {
    code,
    class: item.class,
    ...kindOf(item),
    ...(work && {
      name: work.name,
      version: work.version,
      attempts: work.attempts,
      abandons: work.abandons,
      ...optional('eventId', work.eventId),
      ...optional('closest', closestTaken(work, workers)),
    }),
    ...(holder && { since: iso(holder.sinceAt), ...optional('worker', holder.workerId) }),
    ...(dueAt !== undefined && { dueAt: iso(dueAt) }),
    ...(child && {
      name: child.name,
      childId: child.instanceId,
      childStatus: statusWord(child.status as RuntimeStatus),
    }),
    ...(item.workers && work && { workers: verdictsJson(item.workers, work.kind, workers) }),
    inferred: item.isInferred,
  };
}

function kindOf({ code, work }: WaitItem): Pick<ItemJson, 'kind'> {
  if (work) return { kind: work.kind };
  return code === 'timer' || code === 'child' || code === 'event' ? { kind: code } : {};
}

function verdictsJson(
  verdicts: NonNullable<WaitItem['workers']>,
  kind: WorkKind,
  workers: readonly WorkerInfo[],
): NonNullable<ItemJson['workers']> {
  return verdicts.map(({ stream, workerId, verdict }) => {
    const filters = workers.find((worker) => worker.stream === stream)?.filters[kind];
    const announces = filters?.map(({ name, versions }) =>
      versions.length === 0 ? name : `${name} ${versions.join(', ')}`,
    );
    return {
      ...{ stream, verdict },
      ...optional('workerId', workerId),
      ...optional('announces', announces),
    };
  });
}

/** The most similar name that somebody takes, when nobody takes this one. */
export function closestTaken(
  { kind, name }: { readonly kind: WorkKind; readonly name: string },
  workers: readonly WorkerInfo[],
): string | undefined {
  const taken = workers.flatMap(({ filters }) => filters[kind]?.map((each) => each.name) ?? []);
  return taken.includes(name) ? undefined : closestName(name, taken);
}

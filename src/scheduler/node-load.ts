/** What the workers of one scheduler have in hand: told to the others, since each knows its own workers only. */
import { WORK_KINDS, type WorkKind } from '../storage/store.ts';
import type { WorkerInfo } from './worker-info.ts';

/** Sums over the workers of one hub. */
export interface NodeLoad {
  readonly hub: string;
  readonly workers: number;
  readonly active: Readonly<Record<WorkKind, number>>;
  /** What they do at once. */
  readonly capacity: Readonly<Record<WorkKind, number>>;
}

/** Of the form that follows; another release may have another, which is not read. */
const FORM = 1;

/** One for each hub that has workers. */
export function loadsOf(workers: readonly WorkerInfo[]): readonly NodeLoad[] {
  const hubs = new Set(workers.map(({ hub }) => hub));
  return [...hubs].map((hub) => {
    const own = workers.filter((worker) => worker.hub === hub);
    return {
      ...{ hub, workers: own.length },
      active: sumByKind(own.map(({ inFlightByKind }) => inFlightByKind)),
      capacity: sumByKind(own.map(({ capacity }) => capacity)),
    };
  });
}

/** Of all that is told of one hub. */
export function sumLoads(hub: string, loads: readonly NodeLoad[]): NodeLoad {
  const own = loads.filter((load) => load.hub === hub);
  return {
    ...{ hub, workers: own.reduce((sum, { workers }) => sum + workers, 0) },
    active: sumByKind(own.map(({ active }) => active)),
    capacity: sumByKind(own.map(({ capacity }) => capacity)),
  };
}

export function encodeLoads(loads: readonly NodeLoad[]): string {
  return loads.length === 0 ? '' : JSON.stringify({ form: FORM, loads });
}

/** Nothing of what is told in a form that this release does not know. */
export function decodeLoads(text: string): readonly NodeLoad[] {
  if (text === '') return [];
  const { form, loads } = JSON.parse(text) as {
    readonly form: number;
    readonly loads: readonly NodeLoad[];
  };
  return form === FORM ? loads : [];
}

function sumByKind(counts: readonly Readonly<Record<WorkKind, number>>[]) {
  const sum = { orchestration: 0, activity: 0, entity: 0 };
  for (const count of counts) for (const kind of WORK_KINDS) sum[kind] += count[kind];
  return sum;
}

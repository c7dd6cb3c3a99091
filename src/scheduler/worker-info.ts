/** What is known of a connected worker, for those who look. */
import type { TypeFilter, WorkKind } from '../storage/store.ts';

/** An item that a worker has in hand. */
export interface HeldInfo {
  readonly token: string;
  readonly kind: WorkKind;
  /** Epoch ms of its hand-out. */
  readonly sinceAt: number;
  /** Deliveries before this one that ended with the loss of the worker. */
  readonly attempts: number;
}

/** Items since the stream opened. */
export interface DeliveryCounts {
  delivered: number;
  completed: number;
  /** Given back unprocessed by the worker. */
  gaveBack: number;
}

export interface WorkerInfo {
  readonly hub: string;
  /** The engine's own number for the stream; a worker that reconnects gets another. */
  readonly stream: number;
  readonly workerId: string | undefined;
  readonly userAgent: string | undefined;
  readonly connectedAt: number;
  readonly inFlight: number;
  readonly isEnding: boolean;
  readonly isSticky: boolean;
  readonly capacity: Readonly<Record<WorkKind, number>>;
  readonly inFlightByKind: Readonly<Record<WorkKind, number>>;
  /** `undefined`: takes everything of the kind. */
  readonly filters: Readonly<Record<WorkKind, readonly TypeFilter[] | undefined>>;
  readonly counts: Readonly<DeliveryCounts>;
  readonly held: readonly HeldInfo[];
}

/** Why a worker would not be handed an item of this name now; `takes`: it would. */
export type Verdict = 'takes' | 'full' | 'name' | 'version' | 'draining';

export interface NamedWork {
  readonly kind: WorkKind;
  readonly name: string;
  readonly version: string;
}

export function verdictOf(worker: WorkerInfo, { kind, name, version }: NamedWork): Verdict {
  if (worker.isEnding) return 'draining';
  const filters = worker.filters[kind];
  if (filters) {
    const named = filters.filter((filter) => filter.name === name);
    if (named.length === 0) return 'name';
    const fits = named.some(({ versions }) => versions.length === 0 || versions.includes(version));
    if (!fits) return 'version';
  }
  return worker.inFlightByKind[kind] < worker.capacity[kind] ? 'takes' : 'full';
}

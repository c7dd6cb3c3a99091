/** Who has room for what: credits of the connected workers, drawn down as items are handed out. */
import type { HistoryMode, Taker, WorkKind } from '../store.ts';

interface Place {
  readonly taker: Taker;
  left: number;
}

export interface ItemType {
  readonly name: string;
  readonly version: string;
}

/** What an item asks of the stream that carries it. */
export interface Need {
  /** Names the item to `Taker.avoids`: an execution id, or an activity's number. */
  readonly key: string;
  /** Names to `Taker.caches` what a worker must have in memory to do without the history. */
  readonly memoryKey: string | undefined;
  /** Of the whole message, history included. */
  readonly bytes: number;
  /** Of the message without history; `undefined` where there is none to leave out. */
  readonly bytesWithoutHistory: number | undefined;
  /** What is left out for its size can be fetched by the worker: a history, never a state. */
  readonly canStream: boolean;
  /** Its last deliveries ended with the loss of the worker: it goes out alone. */
  readonly isSuspect: boolean;
}

export interface Taken {
  readonly taker: number;
  readonly history: HistoryMode;
  readonly memoryKey: string | undefined;
}

export class Room {
  readonly #places = new Map<string, Place[]>();
  readonly #byTaker = new Map<number, Place[]>();

  constructor(takers: readonly Taker[]) {
    for (const taker of takers) {
      const place = { taker, left: taker.credit };
      const key = placeKey(taker.hub, taker.kind);
      this.#places.set(key, [...(this.#places.get(key) ?? []), place]);
      this.#byTaker.set(taker.id, [...(this.#byTaker.get(taker.id) ?? []), place]);
    }
  }

  /** How many items of this type could be handed out now, whatever they need. */
  left(hub: string, kind: WorkKind, type: ItemType): number {
    let sum = 0;
    for (const place of this.#places.get(placeKey(hub, kind)) ?? []) {
      if (accepts(place.taker, type)) sum += place.left;
    }
    return sum;
  }

  /**
   * Takes a place: on the worker that has the execution in memory, else on the one with most places left. Undefined
   * if nobody who takes the type can carry this item now.
   */
  take(hub: string, kind: WorkKind, type: ItemType, need: Need): Taken | undefined {
    let best: { readonly place: Place; readonly history: HistoryMode } | undefined;
    let bestScore = -Infinity;
    for (const place of this.#places.get(placeKey(hub, kind)) ?? []) {
      if (place.left === 0 || !accepts(place.taker, type)) continue;
      const history = historyMode(place.taker, need);
      if (history === undefined || (need.isSuspect && !this.#isIdle(place.taker))) continue;
      const score = place.left + preference(place.taker, need, history);
      if (score <= bestScore) continue;
      best = { place, history };
      bestScore = score;
    }
    if (!best) return undefined;
    const { place, history } = best;
    if (need.isSuspect) this.#close(place.taker.id);
    else place.left -= 1;
    return { taker: place.taker.id, history, memoryKey: need.memoryKey };
  }

  #isIdle({ id, isIdle }: Taker): boolean {
    const places = this.#byTaker.get(id) ?? [];
    return isIdle && places.every(({ left, taker }) => left === taker.credit);
  }

  #close(id: number): void {
    for (const place of this.#byTaker.get(id) ?? []) place.left = 0;
  }
}

/** More than any credit: memory beats a free place, and a free place beats the worker that gave the item back. */
const PREFERENCE = 1_000_000;

function preference({ avoids }: Taker, { key }: Need, history: HistoryMode): number {
  if (history === 'cached') return PREFERENCE;
  return avoids.has(key) ? -PREFERENCE : 0;
}

/** A longer history is better fetched in pieces, also by a client that would take it in one message. */
export const MESSAGE_BYTES_COMMON = 4 * 1024 * 1024 - 16 * 1024;

function historyMode(taker: Taker, need: Need): HistoryMode | undefined {
  const { bytesWithoutHistory, memoryKey } = need;
  const { messageBytesMax, fetchesHistory } = taker;
  const hasMemory = memoryKey !== undefined && taker.caches.has(memoryKey);
  const fits = bytesWithoutHistory !== undefined && bytesWithoutHistory <= messageBytesMax;
  if (fits && hasMemory) return 'cached';
  if (need.bytes <= Math.min(messageBytesMax, MESSAGE_BYTES_COMMON)) return 'inline';
  if (fits && fetchesHistory && need.canStream) return 'streamed';
  return need.bytes <= messageBytesMax ? 'inline' : undefined;
}

function placeKey(hub: string, kind: WorkKind): string {
  return `${kind} ${hub}`;
}

/** Work item filters: names match exactly; no versions means any, `''` unversioned (wire-protocol 4.3). */
function accepts({ filters }: Taker, type: ItemType): boolean {
  if (!filters) return true;
  return filters.some(
    ({ name, versions }) =>
      name === type.name && (versions.length === 0 || versions.includes(type.version)),
  );
}

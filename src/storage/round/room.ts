/** Who has room for what: credits of the connected workers, drawn down as items are handed out. */
import type { Taker, WorkKind } from '../store.ts';

interface Place {
  readonly taker: Taker;
  left: number;
}

export interface ItemType {
  readonly name: string;
  readonly version: string;
}

export class Room {
  readonly #places = new Map<string, Place[]>();

  constructor(takers: readonly Taker[]) {
    for (const taker of takers) {
      const key = placeKey(taker.hub, taker.kind);
      const places = this.#places.get(key) ?? [];
      places.push({ taker, left: taker.credit });
      this.#places.set(key, places);
    }
  }

  /** How many items of this type could be handed out now. */
  left(hub: string, kind: WorkKind, type: ItemType): number {
    let sum = 0;
    for (const place of this.#places.get(placeKey(hub, kind)) ?? []) {
      if (accepts(place.taker, type)) sum += place.left;
    }
    return sum;
  }

  /** Takes one place, on the worker with most of them left; its id, or `undefined` if there is none. */
  take(hub: string, kind: WorkKind, type: ItemType): number | undefined {
    let best: Place | undefined;
    for (const place of this.#places.get(placeKey(hub, kind)) ?? []) {
      if (place.left > (best?.left ?? 0) && accepts(place.taker, type)) best = place;
    }
    if (!best) return undefined;
    best.left -= 1;
    return best.taker.id;
  }
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

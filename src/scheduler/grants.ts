/** Room that rounds under way may use up: none of it is promised to two of them. */
import type { Taker } from '../storage/store.ts';

export interface Grant {
  readonly takers: readonly Taker[];
  /** The round is over: what it used is held by now, the rest is free again. */
  end(): void;
}

export interface GrantOptions {
  /** Room of this hub only; `undefined`: of all. */
  readonly hub: string | undefined;
  /** Rounds that may still begin, this one among them: each gets an equal part. */
  readonly lanes: number;
}

export class Grants {
  /** By stream and kind of work. */
  readonly #granted = new Map<string, number>();
  /** Streams with a grant, and how many. */
  readonly #streams = new Map<number, number>();

  grant(room: readonly Taker[], { hub, lanes }: GrantOptions): Grant {
    const takers: Taker[] = [];
    for (const taker of room) {
      if (hub !== undefined && taker.hub !== hub) continue;
      // What goes out alone goes to a stream that holds nothing: only one round at a time may find out.
      if (taker.isIdle && this.#streams.has(taker.id)) continue;
      const credit = Math.ceil((taker.credit - (this.#granted.get(keyOf(taker)) ?? 0)) / lanes);
      if (credit > 0) takers.push({ ...taker, credit });
    }
    for (const taker of takers) this.#add(taker, 1);
    return {
      takers,
      end: () => {
        for (const taker of takers) this.#add(taker, -1);
      },
    };
  }

  #add(taker: Taker, sign: 1 | -1): void {
    change(this.#granted, keyOf(taker), sign * taker.credit);
    change(this.#streams, taker.id, sign);
  }
}

function keyOf({ id, kind }: Taker): string {
  return `${id} ${kind}`;
}

function change<K>(counts: Map<K, number>, key: K, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

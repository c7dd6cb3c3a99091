/**
 * The lanes of a node: as many rounds as it may have under way at once. Each has a row that holds the number of its
 * last round, for whoever must find out later whether that round was committed.
 */
import { POSTGRES_ROUNDS_MAX } from '../../core/postgres-limits.ts';
import type { SqlSession } from './session.ts';
import { insertInto } from './statement.ts';
import { LANES } from './tables.ts';

const INSERT_LANE = insertInto(LANES);

export async function openLanes(session: SqlSession, node: number): Promise<void> {
  await session.runMany(
    INSERT_LANE,
    Array.from({ length: POSTGRES_ROUNDS_MAX }, (_, lane) => [node, lane, 0]),
  );
}

export class Lanes {
  readonly #free = Array.from({ length: POSTGRES_ROUNDS_MAX }, (_, lane) => lane);
  readonly #waiting: ((lane: number) => void)[] = [];

  /** Runs `work` in a lane of its own, when there is one. */
  async use<T>(work: (lane: number) => Promise<T>): Promise<T> {
    const lane = this.#free.pop() ?? (await this.#next());
    try {
      return await work(lane);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }

  #next(): Promise<number> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

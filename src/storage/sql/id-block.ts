/** Row ids, lease numbers and type numbers, taken in blocks from a counter that only grows. */
import { repeated } from './repeated.ts';
import type { SqlDatabase } from './session.ts';

/** One update of the counter serves this many ids. */
const BLOCK_SIZE = 100_000;

export class IdBlock {
  readonly #database: SqlDatabase;
  #next = 0;
  #end = 0;

  constructor(database: SqlDatabase) {
    this.#database = database;
  }

  /** Makes sure that `count` ids can be taken without waiting. */
  async ensure(count: number): Promise<void> {
    if (this.#end - this.#next >= count) return;
    const size = Math.max(count, BLOCK_SIZE);
    this.#next = await takeCounter(this.#database, 'ids', size);
    this.#end = this.#next + size;
  }

  take(): number {
    if (this.#next >= this.#end) throw new IdsExhausted();
    this.#next += 1;
    return this.#next - 1;
  }
}

/** The round needs more ids than were set aside: it starts over with more. */
export class IdsExhausted extends Error {
  override readonly name = 'IdsExhausted';
}

/** Reserves `size` numbers; returns the first. In a transaction of its own: a rollback must not give them back. */
export async function takeCounter(
  database: SqlDatabase,
  name: 'ids' | 'hubs' | 'nodes',
  size: number,
): Promise<number> {
  // Taken twice, a block is lost and nothing else.
  return repeated(database, () =>
    database.transaction(async (session) => {
      const rows = await session.all(
        'update counters set next = next + $1 where name = $2 returning next',
        [size, name],
      );
      return Number(rows[0]?.['next']) - size;
    }),
  );
}

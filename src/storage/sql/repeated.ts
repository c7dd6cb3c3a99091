import { isWorthRepeating } from './faults.ts';
import type { SqlDatabase } from './session.ts';

const ATTEMPTS_MAX = 20;

/** Runs a transaction that may safely be run twice until nobody is in its way and its connection holds. */
export async function repeated<T>(
  database: Pick<SqlDatabase, 'pause'>,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isWorthRepeating(error) || attempt >= ATTEMPTS_MAX) throw error;
      await database.pause(attempt);
    }
  }
}

const ABANDON_FIRST_MS = 200;
const ABANDON_MAX_MS = 30_000;

/** Grows from 0.2 s to 30 s: a worker that rejects a version gives the same item back for ever. */
export function abandonDelayMs(abandons: number): number {
  return Math.min(ABANDON_FIRST_MS * 2 ** Math.min(abandons, 20), ABANDON_MAX_MS);
}

import { invalidArgument } from '../core/errors.ts';

/** Milliseconds, or the sum of the units that are given. */
export type TimeSpan =
  | number
  | {
      readonly days?: number | undefined;
      readonly hours?: number | undefined;
      readonly minutes?: number | undefined;
      readonly seconds?: number | undefined;
    };

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Throws INVALID_ARGUMENT for a span that is negative or no number. */
export function durationMs(span: TimeSpan): number {
  const ms = typeof span === 'number' ? span : sumMs(span);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw invalidArgument(
    `A clock moves forward only, by a finite time; got ${JSON.stringify(span)}`,
  );
}

function sumMs({
  days = 0,
  hours = 0,
  minutes = 0,
  seconds = 0,
}: Exclude<TimeSpan, number>): number {
  return days * DAY_MS + hours * HOUR_MS + minutes * MINUTE_MS + seconds * SECOND_MS;
}

import type { Clock } from '../base/clock.ts';
import { isAbort } from '../base/abort.ts';
import type { TypedData } from './core-types.ts';
import type { FunctionTrigger } from './function-index.ts';

type TimerTrigger = Extract<FunctionTrigger, { readonly kind: 'timer' }>;

export interface TimerDeps {
  readonly clock: Clock;
  /** Runs the function; never rejects. */
  readonly fire: (input: TypedData) => Promise<void>;
}

/** A timer that fires later than this after its time is told that it is past due. */
const PAST_DUE_MS = 1000;

/**
 * Runs one timer trigger until the signal aborts. A timer never overlaps itself: times that pass
 * while a run lasts are skipped, as in the host.
 */
export async function runTimer(
  deps: TimerDeps,
  { trigger, signal }: { readonly trigger: TimerTrigger; readonly signal: AbortSignal },
): Promise<void> {
  const { clock } = deps;
  const { schedule } = trigger;
  let lastAt: number | undefined;
  if (trigger.runOnStartup) {
    lastAt = clock.now();
    await deps.fire(
      encodeTimer({ lastAt: undefined, nextAt: schedule.nextAfter(lastAt), isPastDue: false }),
    );
  }
  for (;;) {
    const dueAt = schedule.nextAfter(clock.now());
    if (dueAt === undefined || !(await slept(clock, dueAt, signal))) return;
    const isPastDue = clock.now() - dueAt > PAST_DUE_MS;
    await deps.fire(encodeTimer({ lastAt, nextAt: schedule.nextAfter(dueAt), isPastDue }));
    lastAt = dueAt;
  }
}

/** The input of a timer trigger; the library turns the names into camel case. */
export function encodeTimer(options: {
  readonly lastAt: number | undefined;
  readonly nextAt: number | undefined;
  readonly isPastDue: boolean;
}): TypedData {
  const { lastAt, nextAt, isPastDue } = options;
  return {
    json: JSON.stringify({
      Schedule: { AdjustForDST: true },
      ScheduleStatus: {
        Last: instant(lastAt),
        Next: instant(nextAt),
        LastUpdated: instant(lastAt),
      },
      IsPastDue: isPastDue,
    }),
  };
}

/** .NET writes the absence of a time as its first moment. */
function instant(at: number | undefined): string {
  return at === undefined ? '0001-01-01T00:00:00' : new Date(at).toISOString();
}

async function slept(clock: Clock, atMs: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleepUntil(atMs, { signal });
    return true;
  } catch (error) {
    if (isAbort(error, signal)) return false;
    throw error;
  }
}

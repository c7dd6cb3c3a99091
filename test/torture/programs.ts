/** Orchestrations whose outcome is known beforehand. */
import { whenAll, type CoreOrchestrationContext } from '../../src/worker/index.ts';
import type { CoreOrchestrator, TaskHubWorker } from '../../src/worker/index.ts';

type Ctx = CoreOrchestrationContext;
type Task = ReturnType<Ctx['callActivity']>;
type Run = Generator<unknown, unknown, never>;

/** Input of the activity `step`; its output is `value + 1`. */
interface Step {
  /** Names this task among all of a run. */
  readonly key: string;
  readonly value: number;
}

/** What the world outside sees of a worker. */
export interface Outside {
  /** An activity or an operation begins. */
  readonly ran: (key: string) => void;
  /** Takes some time. */
  readonly work: () => Promise<void>;
}

function* wait<T>(task: unknown): Generator<unknown, T, never> {
  return yield task;
}

function step(ctx: Ctx, name: string, value: number): Task {
  const input: Step = { key: `${ctx.instanceId}#${name}`, value };
  return ctx.callActivity('step', input);
}

function* chain(ctx: Ctx, count: number): Run {
  let value = 0;
  for (let index = 0; index < count; index += 1) {
    value = yield* wait<number>(step(ctx, String(index), value));
  }
  return value;
}

function* fanOut(ctx: Ctx, count: number): Run {
  const tasks = Array.from({ length: count }, (_, index) => step(ctx, String(index), index));
  const values = yield* wait<number[]>(whenAll(tasks));
  return values.reduce((sum, value) => sum + value, 0);
}

/** Timers and steps in turn; true for each timer that did not fire too early. */
function* timers(ctx: Ctx, delaysMs: readonly number[]): Run {
  const isLate: boolean[] = [];
  for (const [index, delayMs] of delaysMs.entries()) {
    const dueAt = ctx.currentUtcDateTime.getTime() + delayMs;
    yield ctx.createTimer(new Date(dueAt));
    isLate.push(ctx.currentUtcDateTime.getTime() >= dueAt);
    yield step(ctx, String(index), 0);
  }
  return isLate;
}

/** Items in order of arrival, until one of them is the stop; a step for each. */
function* collect(ctx: Ctx): Run {
  const items: unknown[] = [];
  for (;;) {
    const item = yield* wait<unknown>(ctx.waitForExternalEvent('item'));
    if (item === 'stop') return items;
    items.push(item);
    yield step(ctx, String(items.length), 0);
  }
}

/** Children that count to so much each; every other one has an id of its own choice. */
function* family(ctx: Ctx, counts: readonly number[]): Run {
  const children = counts.map((count, index) => {
    const instanceId = `${ctx.instanceId}-child-${index}`;
    return ctx.callSubOrchestrator('chain', count, index % 2 === 0 ? { instanceId } : {});
  });
  return yield* wait<number[]>(whenAll(children));
}

/** Counts down to 0, one step for each generation. */
function* countdown(ctx: Ctx, { left, sum }: { left: number; sum: number }): Run {
  const value = yield* wait<number>(step(ctx, String(left), left));
  if (left === 0) return sum + value;
  if (left % 2 === 0) yield ctx.createTimer(0.1);
  ctx.continueAsNew({ left: left - 1, sum: sum + value }, left % 3 === 0);
  return undefined;
}

/** Input of `book`. */
export interface Booking {
  readonly book: string;
  /** Each names one operation among all of a run. */
  readonly entries: readonly string[];
}

/** Signals and calls one entity in turn; returns what the calls answered. */
function* book({ entities }: Ctx, { book: target, entries }: Booking): Run {
  const pages: number[] = [];
  for (const [index, entry] of entries.entries()) {
    if (index % 3 === 1) entities.signalEntity(target, 'write', entry);
    else pages.push(yield* wait<number>(entities.callEntity(target, 'write', entry)));
  }
  return pages;
}

const ORCHESTRATORS = { chain, fanOut, timers, collect, family, countdown, book };

export function registerPrograms(worker: TaskHubWorker, { ran, work }: Outside): void {
  for (const [name, orchestrator] of Object.entries(ORCHESTRATORS)) {
    worker.addNamedOrchestrator(name, orchestrator as CoreOrchestrator);
  }
  worker.addNamedActivity('step', async (_, { key, value }: Step) => {
    ran(key);
    await work();
    return value + 1;
  });
  // Keeps every entry, so that in the end each can be seen to be there once.
  worker.addNamedEntity('book', () => ({
    run: ({ state, getInput }) => {
      const entry = getInput<string>() ?? '';
      ran(entry);
      const entries = [...(state.getState<string[]>([]) ?? []), entry];
      state.setState(entries);
      return entries.length;
    },
  }));
}

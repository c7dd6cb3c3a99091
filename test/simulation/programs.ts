import type { CoreOrchestrator, TaskHubWorker } from '../../src/worker/task-hub-worker.ts';
import { whenAll, whenAny, type CoreOrchestrationContext } from '../../src/replay/core-context.ts';
import { RetryPolicy } from '../../src/replay/core-retry.ts';
import type { ProcessClock } from './sim-clock.ts';
import type { Random } from './random.ts';

type Ctx = CoreOrchestrationContext;
type Run = Generator<unknown, unknown, never>;

/** What activities see of the world outside: it outlives workers and the scheduler. */
export class Outside {
  /** Calls of each flaky activity that fail before it succeeds, counted down. */
  readonly failuresLeft = new Map<string, number>();
  /** Keys of activities that fail until somebody repairs them. */
  readonly broken = new Set<string>();
  executions = 0;
}

/** Waits for a task and gives its value; generators know no types of what they are resumed with. */
function* wait<T>(task: unknown): Generator<unknown, T, never> {
  return yield task;
}

function* chain(ctx: Ctx, count: number): Run {
  let value = 0;
  for (let step = 0; step < count; step += 1) {
    value = yield* wait<number>(ctx.callActivity('increment', value));
  }
  return value;
}

function* fanOut(ctx: Ctx, count: number): Run {
  const tasks = Array.from({ length: count }, (_, index) => ctx.callActivity('increment', index));
  const values = yield* wait<number[]>(whenAll(tasks));
  return values.reduce((sum, value) => sum + value, 0);
}

/** True for each timer that did not fire too early. */
function* timers(ctx: Ctx, delays: readonly number[]): Run {
  const isLate: boolean[] = [];
  for (const seconds of delays) {
    const dueAt = ctx.currentUtcDateTime.getTime() + seconds * 1000;
    yield ctx.createTimer(seconds);
    isLate.push(ctx.currentUtcDateTime.getTime() >= dueAt);
  }
  return isLate;
}

/** Items in order of arrival, until a stop. */
function* collect(ctx: Ctx): Run {
  const items: unknown[] = [];
  const stop = ctx.waitForExternalEvent('stop');
  for (;;) {
    const item = ctx.waitForExternalEvent('item');
    const first = yield* wait<unknown>(whenAny([stop, item]));
    if (first === stop) return items;
    items.push(item.getResult());
    ctx.setCustomStatus(items.length);
  }
}

/** As `collect`, with a generation for each item; the stop is one of them, so that no generation takes in two. */
function* relay(ctx: Ctx, items: readonly unknown[]): Run {
  const item = yield* wait<unknown>(ctx.waitForExternalEvent('item'));
  if (item === 'stop') return items;
  yield ctx.callActivity('increment', 1);
  ctx.continueAsNew([...items, item], true);
  return undefined;
}

/** Counts down to 0, one activity and one timer for each generation. */
function* countdown(ctx: Ctx, { left, sum }: { left: number; sum: number }): Run {
  const value = yield* wait<number>(ctx.callActivity('increment', left));
  if (left % 2 === 0) yield ctx.createTimer(1);
  if (left === 0) return sum + value;
  ctx.continueAsNew({ left: left - 1, sum: sum + value }, left % 3 === 0);
  return undefined;
}

const RETRY = new RetryPolicy({ maxNumberOfAttempts: 5, firstRetryIntervalInMilliseconds: 2000 });

/** Children that fail a few times and are tried again. */
function* parent(ctx: Ctx, { keys, isNamed }: { keys: string[]; isNamed: boolean }): Run {
  const children = keys.map((key) =>
    ctx.callSubOrchestrator('child', key, {
      retry: RETRY,
      ...(isNamed && { instanceId: `${key}-child` }),
    }),
  );
  return yield* wait<string[]>(whenAll(children));
}

function* child(ctx: Ctx, key: string): Run {
  const value = yield* wait<number>(ctx.callActivity('increment', key.length));
  const text = yield* wait<string>(ctx.callActivity('flaky', key));
  return `${text}:${value}`;
}

function* retrying(ctx: Ctx, key: string): Run {
  return yield* wait<string>(ctx.callActivity('flaky', key, { retry: RETRY }));
}

interface Tree {
  readonly key: string;
  readonly depth: number;
  readonly width: number;
  /** Leaves that go on for longer than any simulation, once they are repaired. */
  readonly lasting: readonly string[];
}

/** A tree that fails at its leaves until they are repaired. */
function* fragile(ctx: Ctx, { key, depth, width, lasting }: Tree): Run {
  const before = yield* wait<number>(ctx.callActivity('increment', depth));
  if (depth === 0) {
    const text = yield* wait<string>(ctx.callActivity('brittle', key));
    if (lasting.includes(key)) yield ctx.createTimer(1e6);
    return `${text}${before}`;
  }
  const below = Array.from({ length: width }, (_, index) => {
    const childKey = `${key}.${index}`;
    const input = { key: childKey, depth: depth - 1, width, lasting };
    return ctx.callSubOrchestrator('fragile', input, { instanceId: childKey });
  });
  const texts = yield* wait<string[]>(whenAll(below));
  yield ctx.createTimer(1);
  return `(${texts.join(',')})${before}`;
}

/** Waits for longer than any simulation, with its children. */
function* sleeper(ctx: Ctx, { id, children }: { id: string; children: number }): Run {
  const below = Array.from({ length: children }, (_, index) =>
    ctx.callSubOrchestrator(
      'sleeper',
      { id: `${id}.${index}`, children: 0 },
      { instanceId: `${id}.${index}` },
    ),
  );
  yield ctx.callActivity('increment', 1);
  yield whenAll([...below, ctx.createTimer(1e6)]);
  return 'woke up';
}

/** Sends balls to a partner and waits for each to come back. */
function* ping(ctx: Ctx, { partner, rounds }: { partner: string; rounds: number }): Run {
  const returned: unknown[] = [];
  const other = ctx.callSubOrchestrator('pong', { rounds }, { instanceId: partner });
  yield ctx.createTimer(5);
  for (let round = 0; round < rounds; round += 1) {
    ctx.sendEvent(partner, 'ball', { round, from: ctx.instanceId });
    returned.push(yield* wait<unknown>(ctx.waitForExternalEvent('back')));
  }
  return [returned, yield* wait<unknown>(other)];
}

function* pong(ctx: Ctx, { rounds }: { rounds: number }): Run {
  const seen: number[] = [];
  for (let count = 0; count < rounds; count += 1) {
    const ball = yield* wait<{ round: number; from: string }>(ctx.waitForExternalEvent('ball'));
    seen.push(ball.round);
    ctx.sendEvent(ball.from, 'back', ball.round);
  }
  return seen;
}

/** An event or a timer, whichever comes first. */
function* race(ctx: Ctx, seconds: number): Run {
  const timer = ctx.createTimer(seconds);
  const event = ctx.waitForExternalEvent('go');
  const first = yield* wait<unknown>(whenAny([timer, event]));
  const value = yield* wait<number>(ctx.callActivity('increment', 1));
  return [first === timer ? 'timer' : 'event', value];
}

const ORCHESTRATORS = {
  chain,
  fanOut,
  timers,
  collect,
  relay,
  countdown,
  parent,
  child,
  retrying,
  fragile,
  sleeper,
  ping,
  pong,
  race,
};

/** Registers every program; activities take some of the worker's time. */
export function registerPrograms(
  worker: TaskHubWorker,
  world: { readonly outside: Outside; readonly clock: ProcessClock; readonly random: Random },
): void {
  const { outside, clock, random } = world;
  for (const [name, orchestrator] of Object.entries(ORCHESTRATORS)) {
    worker.addNamedOrchestrator(name, orchestrator as CoreOrchestrator);
  }
  const work = async (): Promise<void> => {
    outside.executions += 1;
    if (random.chance(0.5)) await clock.sleep(random.int(1, 4000));
  };
  worker.addNamedActivity('increment', async (_ctx, value: number) => {
    await work();
    return value + 1;
  });
  worker.addNamedActivity('flaky', async (_ctx, key: string) => {
    await work();
    const left = outside.failuresLeft.get(key) ?? 0;
    outside.failuresLeft.set(key, left - 1);
    if (left > 0) throw new Error(`flaky ${key} failed`);
    return `ok ${key}`;
  });
  worker.addNamedActivity('brittle', async (_ctx, key: string) => {
    await work();
    if (outside.broken.has(key)) throw new Error(`brittle ${key} is broken`);
    return `whole ${key}`;
  });
}

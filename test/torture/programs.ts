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
  /** An activity begins. */
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

const ORCHESTRATORS = { chain, fanOut };

export function registerPrograms(worker: TaskHubWorker, { ran, work }: Outside): void {
  for (const [name, orchestrator] of Object.entries(ORCHESTRATORS)) {
    worker.addNamedOrchestrator(name, orchestrator as CoreOrchestrator);
  }
  worker.addNamedActivity('step', async (_, { key, value }: Step) => {
    ran(key);
    await work();
    return value + 1;
  });
}

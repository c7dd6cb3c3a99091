import type { OrchestrationEngine } from './engine.ts';
import { OrchestratorConstraintError } from './errors.ts';
import { settleWithin } from './settle-within.ts';
import { Task } from './tasks.ts';

interface StepResult {
  readonly done?: boolean | undefined;
  readonly value: unknown;
}

interface Steppable<Result> {
  next(value?: unknown): Result;
  throw(error: unknown): Result;
}

/**
 * The running code of one execution. `advance` runs it as far as it goes without news from outside:
 * synchronously for generators, as a promise for async ones.
 */
export class OrchestratorProgram {
  readonly #engine: OrchestrationEngine;
  #generator: Steppable<StepResult> | undefined;
  #asyncGenerator: Steppable<PromiseLike<StepResult>> | undefined;
  #awaiting: Task | undefined;

  constructor(engine: OrchestrationEngine) {
    this.#engine = engine;
  }

  /** Calls the handler and runs it to its first incomplete task. Handler errors fail the execution. */
  start(): undefined | Promise<void> {
    const engine = this.#engine;
    let returned: unknown;
    try {
      engine.context = engine.options.createContext(engine);
      returned = engine.options.handler(engine.context as never, engine.input);
    } catch (error) {
      engine.failWith(error);
      return undefined;
    }
    return isPromiseLike(returned) ? this.#startAsync(returned) : this.#run(returned);
  }

  /** True when the task that the code waits for has completed. */
  get canAdvance(): boolean {
    return this.#awaiting?.isComplete === true && !this.#engine.isComplete;
  }

  advance(): undefined | Promise<void> {
    if (this.#asyncGenerator !== undefined) return this.#advanceAsync(this.#asyncGenerator);
    if (this.#generator !== undefined) this.#advanceSync(this.#generator);
    return undefined;
  }

  /** Lets go of the code where it stands. Its `finally` blocks do not run: it is not over. */
  abandon(): void {
    this.#generator = undefined;
    this.#asyncGenerator = undefined;
    this.#awaiting = undefined;
  }

  async #startAsync(returned: PromiseLike<unknown>): Promise<void> {
    let value: unknown;
    try {
      value = await settleWithin(returned, this.#engine.options);
    } catch (error) {
      this.#engine.failWith(error);
      return;
    }
    await this.#run(value);
  }

  #run(returned: unknown): undefined | Promise<void> {
    if (!isSteppable(returned)) {
      this.#finish(returned);
      return undefined;
    }
    if (Symbol.asyncIterator in returned) {
      this.#asyncGenerator = returned as Steppable<PromiseLike<StepResult>>;
    } else {
      this.#generator = returned as Steppable<StepResult>;
      if (this.#engine.options.scheduling === 'byHandler') this.#engine.useScheduling('lazy');
    }
    return this.advance();
  }

  #advanceSync(generator: Steppable<StepResult>): void {
    do {
      let step: StepResult;
      try {
        step = resume(generator, this.#awaiting);
      } catch (error) {
        this.#fail(error);
        return;
      }
      this.#accept(step);
    } while (this.canAdvance);
  }

  async #advanceAsync(generator: Steppable<PromiseLike<StepResult>>): Promise<void> {
    do {
      let step: StepResult;
      try {
        step = await settleWithin(resume(generator, this.#awaiting), this.#engine.options);
      } catch (error) {
        this.#fail(error);
        return;
      }
      this.#accept(step);
    } while (this.canAdvance);
  }

  #accept(step: StepResult): void {
    const engine = this.#engine;
    if (step.done === true || engine.isContinuingAsNew) {
      this.#finish(step.value);
    } else if (step.value instanceof Task) {
      this.#await(step.value);
    } else {
      this.#fail(new OrchestratorConstraintError(constraintText(step.value)));
    }
  }

  #await(task: Task): void {
    this.#awaiting = task;
    try {
      if (!task.isComplete) this.#engine.schedule(task);
    } catch (error) {
      // Thrown where the code yielded, like any other failure of that task.
      this.#awaiting = new RefusedTask(task.style);
      this.#awaiting.fail(error as Error);
    }
  }

  #finish(value: unknown): void {
    try {
      this.#engine.finish(value);
    } catch (error) {
      this.#engine.failWith(error);
    }
    this.abandon();
  }

  #fail(error: unknown): void {
    this.#engine.failWith(error);
    this.abandon();
  }
}

/** Stands in for a yielded task that could not be scheduled. */
class RefusedTask extends Task {}

function resume<Result>(generator: Steppable<Result>, awaited: Task | undefined): Result {
  if (awaited === undefined) return generator.next();
  return awaited.isFailed
    ? generator.throw(awaited.getException())
    : generator.next(awaited.getResult());
}

/** The sentences that users of durable-functions know. */
function constraintText(value: unknown): string {
  const start =
    'Durable Functions programming constraint violation: Orchestration yielded data of type ' +
    `${typeof value}.`;
  const end =
    'lease check your yield statements to make sure you only yield Task types resulting from calling ' +
    'Durable Functions APIs.';
  if (value !== undefined) return `${start} Only Task types can be yielded. P${end}`;
  return (
    `${start} This is likely a result of yielding a "fire-and-forget API" such as signalEntity or ` +
    'continueAsNew. These APIs should not be yielded as they are not blocking operations. Please ' +
    'remove the yield statement preceding those invocations. If you are not calling those APIs, p' +
    end
  );
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return hasMethod(value, 'then');
}

function isSteppable(value: unknown): value is Steppable<unknown> {
  return hasMethod(value, 'next') && hasMethod(value, 'throw');
}

function hasMethod(value: unknown, name: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Record<string, unknown>)[name] === 'function'
  );
}

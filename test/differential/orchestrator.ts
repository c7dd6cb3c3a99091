import type { DurableLock, DurableOrchestrationContext, Task, TimerTask } from 'durable-functions';
import { EntityId, RetryOptions } from '../../src/functions/value-classes.ts';
import type { Expression, Program, Statement } from './program.ts';

/** One thing that the code did, and whether it was being replayed then. */
export interface Step {
  readonly did: string;
  readonly isReplaying: boolean;
}

export type Handler = (context: { readonly df: DurableOrchestrationContext }) => Generator;

/**
 * The program as an orchestrator, written against `context.df` alone. Each call carries a number that no
 * other call of the program has, so that both sides' actions can be told apart.
 */
export function orchestratorOf(program: Program, steps: Step[]): Handler {
  return function* ({ df }) {
    const run = new Run(df, steps);
    yield* run.all(program);
    return run.log;
  };
}

class Run {
  readonly log: unknown[] = [];
  readonly #df: DurableOrchestrationContext;
  readonly #steps: Step[];
  readonly #created: Task[] = [];
  #calls = 0;

  constructor(df: DurableOrchestrationContext, steps: Step[]) {
    this.#df = df;
    this.#steps = steps;
  }

  *all(program: Program): Generator {
    for (const statement of program) {
      this.#steps.push({ did: statement.kind, isReplaying: this.#df.isReplaying });
      this.log.push(yield* this.#one(statement));
    }
  }

  *#one(statement: Statement): Generator {
    switch (statement.kind) {
      case 'yield':
        return readable((yield this.#make(statement.what)) as unknown);
      case 'create':
        this.#created.push(this.#make(statement.what));
        return 'created';
      case 'yieldCreated': {
        const task = this.#pick(statement.index);
        return task === undefined ? 'none' : readable((yield task) as unknown);
      }
      case 'look':
        return lookAt(this.#pick(statement.index));
      case 'race':
        return (yield* this.#race(statement.what, statement.seconds)) as unknown;
      case 'drain':
        return (yield* this.#drain(statement.of.map((what) => this.#make(what)))) as unknown;
      case 'fanOut':
        return (yield this.#df.Task.all(this.#activities(statement))) as unknown;
      case 'cancelFirst':
        return (yield* this.#cancelFirst(statement.seconds)) as unknown;
      case 'entityCalls': {
        const calls = statement.keys.map((key) => this.#make({ kind: 'entityCall', key }));
        return (yield this.#df.Task.all(calls)) as unknown;
      }
      default:
        return (yield* this.#nested(statement)) as unknown;
    }
  }

  *#nested(statement: Statement): Generator {
    switch (statement.kind) {
      case 'yieldNothing':
        return (yield undefined) as unknown;
      case 'yieldNumber':
        return (yield 7) as unknown;
      case 'try':
        return (yield* this.#try(statement.body, statement.last)) as unknown;
      case 'call':
        yield* this.all(statement.body);
        return 'called';
      case 'section':
        return (yield* this.#section(statement)) as unknown;
      default:
        return this.#plain(statement);
    }
  }

  #activities({ name, count }: { readonly name: string; readonly count: number }): Task[] {
    return Array.from({ length: count }, () => this.#call('activity', name, 1));
  }

  #plain(statement: Statement): unknown {
    switch (statement.kind) {
      case 'signal':
        this.#df.signalEntity(entity(statement.key), 'add', { call: this.#number() });
        return 'signaled';
      case 'isLocked':
        return lockedBy(this.#df.isLocked());
      case 'status':
        this.#df.setCustomStatus({ step: this.log.length });
        return this.#df.customStatus;
      case 'guid':
        return this.#df.newGuid('x');
      case 'time':
        return this.#df.currentUtcDateTime.getTime();
      case 'continue':
        this.#df.continueAsNew({ log: this.log.length });
        return 'continued';
      default:
        throw new RangeError(`thrown at ${this.log.length}`);
    }
  }

  *#race(what: Expression, seconds: number): Generator {
    const task = this.#make(what);
    const timer = this.#timer(seconds);
    const winner = (yield this.#df.Task.any([task, timer])) as Task;
    if (winner === timer) return 'late';
    if (!timer.isCompleted) timer.cancel();
    return ['in time', timer.isCanceled, lookAt(winner)];
  }

  /** A loop over `Task.any`, as in the samples. */
  *#drain(tasks: Task[]): Generator {
    const order: number[] = [];
    const left = [...tasks];
    while (left.length > 0) {
      const winner = (yield this.#df.Task.any(left)) as Task;
      order.push(tasks.indexOf(winner));
      left.splice(left.indexOf(winner), 1);
    }
    return order;
  }

  *#cancelFirst(seconds: number): Generator {
    const canceled = this.#timer(seconds);
    canceled.cancel();
    const other = this.#timer(seconds);
    const winner = (yield this.#df.Task.any([canceled, other])) as Task;
    return winner === other;
  }

  *#section({ keys, body, releases }: Extract<Statement, { kind: 'section' }>): Generator {
    const lock = (yield this.#df.lock(...keys.map(entity))) as DurableLock;
    try {
      yield* this.all(body);
    } finally {
      if (releases) lock.release();
    }
    // Again: letting go twice changes nothing.
    if (releases) lock.release();
    return [lock.ownedLocks.map(String), lockedBy(this.#df.isLocked())];
  }

  *#try(body: Program, last: Program): Generator {
    try {
      yield* this.all(body);
      return 'ended';
    } catch (error) {
      return `caught ${(error as Error).message}`;
    } finally {
      yield* this.all(last);
    }
  }

  #pick(index: number): Task | undefined {
    return this.#created[index % Math.max(this.#created.length, 1)];
  }

  #make(what: Expression): Task {
    switch (what.kind) {
      case 'activity':
      case 'child':
        return this.#call(what.kind, what.name, what.attempts);
      case 'namedChild':
      case 'versionedChild':
        return this.#namedChild(what.kind, what.name);
      case 'timer':
        return this.#timer(what.seconds);
      case 'event':
        return this.#df.waitForExternalEvent(what.name);
      case 'entityCall':
        return this.#df.callEntity(entity(what.key), 'add', { call: this.#number() });
      default:
        return this.#df.Task[what.kind](what.of.map((inner) => this.#make(inner)));
    }
  }

  #call(kind: 'activity' | 'child', name: string, attempts: number): Task {
    const df = this.#df;
    const input = { call: this.#number(), attempts: attempts === 1 ? undefined : attempts };
    if (attempts === 1) {
      return kind === 'activity'
        ? df.callActivity(name, input)
        : df.callSubOrchestrator(name, input);
    }
    const retry = new RetryOptions(1000, attempts);
    retry.backoffCoefficient = 2;
    return kind === 'activity'
      ? df.callActivityWithRetry(name, retry, input)
      : df.callSubOrchestratorWithRetry(name, retry, input);
  }

  #namedChild(kind: 'namedChild' | 'versionedChild', name: string): Task {
    const call = this.#number();
    return kind === 'namedChild'
      ? this.#df.callSubOrchestrator(name, { call }, `child-${call}`)
      : this.#df.callSubOrchestrator(name, { call }, undefined, '2.0');
  }

  /** Its milliseconds are its number: retry waits, which the engine makes, end on whole seconds. */
  #timer(seconds: number): TimerTask {
    const at = Math.floor(this.#df.currentUtcDateTime.getTime() / 1000 + seconds) * 1000;
    return this.#df.createTimer(new Date(at + this.#number()));
  }

  #number(): number {
    this.#calls += 1;
    return this.#calls;
  }
}

function entity(key: string): EntityId {
  return new EntityId('Counter', key);
}

function lockedBy(lock: {
  readonly isLocked: boolean;
  readonly ownedLocks: readonly EntityId[];
}): unknown {
  return [lock.isLocked, ...lock.ownedLocks.map(String)];
}

function lookAt(task: Task | undefined): unknown {
  if (task === undefined) return 'none';
  const { isCompleted, isFaulted, result } = task;
  return { isCompleted, isFaulted, result: readable(result) };
}

/** Winners of `Task.any` are tasks, and errors have stacks: neither has a text that both sides share. */
function readable(value: unknown): unknown {
  if (value instanceof Error) return `${nameOf(value)}: ${value.message}`;
  if (Array.isArray(value)) return value.map(readable);
  const isTask = typeof value === 'object' && value !== null && 'isFaulted' in value;
  return isTask ? lookAt(value as Task) : value;
}

/** A failed operation is a plain error there (allowed-differences.ts, entity-failures). */
function nameOf({ name }: Error): string {
  return name === 'EntityOperationFailedException' ? 'Error' : name;
}

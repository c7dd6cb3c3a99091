import fc from 'fast-check';
import type { ClassicRetryOptions } from '../../../src/replay/classic-tasks.ts';
import { RetryPolicy } from '../../../src/replay/core-retry.ts';
import { whenAll, whenAny } from '../../../src/replay/core-context.ts';
import type { Task } from '../../../src/replay/tasks.ts';
import type { ClassicHandler, CoreHandler } from './orchestrators.ts';

/** Something that can be yielded. */
export type Atom =
  | { readonly kind: 'activity'; readonly name: string; readonly attempts: number }
  | { readonly kind: 'child'; readonly name: string; readonly attempts: number }
  | { readonly kind: 'timer'; readonly seconds: number }
  | { readonly kind: 'event'; readonly name: string };

/** A small orchestrator as data, to be run in both styles. */
export type Statement =
  | { readonly kind: 'yield'; readonly atom: Atom }
  | { readonly kind: 'all' | 'any'; readonly atoms: readonly Atom[] }
  | { readonly kind: 'swapped'; readonly first: Atom; readonly second: Atom }
  | { readonly kind: 'status' | 'guid' }
  | { readonly kind: 'send'; readonly name: string }
  | { readonly kind: 'throw' }
  | { readonly kind: 'continue'; readonly shouldSave: boolean };

export type Program = readonly Statement[];

const names = fc.constantFrom('A', 'B', 'C');
const attempts = fc.constantFrom(1, 1, 3);
const activity = fc.record({ kind: fc.constant('activity' as const), name: names, attempts });
const child = fc.record({ kind: fc.constant('child' as const), name: names, attempts });
const timer = fc.record({ kind: fc.constant('timer' as const), seconds: fc.nat({ max: 90 }) });
const externalEvent = fc.record({
  kind: fc.constant('event' as const),
  name: fc.constantFrom('go', 'Go', 'stop'),
});
const atom: fc.Arbitrary<Atom> = fc.oneof(activity, activity, child, timer, externalEvent);
const atoms = fc.array(atom, { minLength: 1, maxLength: 4 });
const statement: fc.Arbitrary<Statement> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('yield' as const), atom }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('all', 'any'), atoms }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('swapped' as const), first: atom, second: atom }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('status', 'guid') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('send' as const), name: names }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('throw' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('continue' as const), shouldSave: fc.boolean() }),
  },
);

export const programs: fc.Arbitrary<Program> = fc.array(statement, { maxLength: 7 });

/** What a program does to a context; both facades offer it. */
interface Maker {
  make(atom: Atom): Task;
  all(tasks: Task[]): Task;
  any(tasks: Task[]): Task;
  guid(): string;
  setStatus(value: unknown): void;
  send(name: string): void;
  continueAsNew(input: unknown, shouldSave: boolean): void;
}

/** The program as a classic generator. */
export function classicHandler(program: Program): ClassicHandler {
  return function* ({ df }): Generator {
    const retry = (maxNumberOfAttempts: number): ClassicRetryOptions => ({
      firstRetryIntervalInMilliseconds: 1000,
      maxNumberOfAttempts,
      backoffCoefficient: 2,
    });
    const make = (what: Atom): Task => {
      if (what.kind === 'timer') {
        return df.createTimer(new Date(df.currentUtcDateTime.getTime() + what.seconds * 1000));
      }
      if (what.kind === 'event') return df.waitForExternalEvent(what.name);
      if (what.attempts === 1) {
        return what.kind === 'activity'
          ? df.callActivity(what.name, what.name)
          : df.callSubOrchestrator(what.name, what.name);
      }
      const options = retry(what.attempts);
      if (what.kind === 'activity') return df.callActivityWithRetry(what.name, options, what.name);
      return df.callSubOrchestratorWithRetry(what.name, options, what.name);
    };
    return (yield* run(program, {
      make,
      all: (tasks) => df.Task.all(tasks),
      any: (tasks) => df.Task.any(tasks),
      guid: () => df.newGuid('x'),
      setStatus: (value) => {
        df.setCustomStatus(value);
      },
      send: (name) => {
        df.sendEvent('other', name, 1);
      },
      continueAsNew: (input, shouldSave) => {
        df.continueAsNew(input, shouldSave);
      },
    })) as unknown;
  };
}

/** The same program as a core-style async generator. */
export function coreHandler(program: Program): CoreHandler {
  return async function* (context): AsyncGenerator {
    const make = (what: Atom): Task => {
      if (what.kind === 'timer') return context.createTimer(what.seconds);
      if (what.kind === 'event') return context.waitForExternalEvent(what.name);
      const retry = new RetryPolicy({
        maxNumberOfAttempts: what.attempts,
        firstRetryIntervalInMilliseconds: 1000,
        backoffCoefficient: 2,
      });
      if (what.kind === 'activity') return context.callActivity(what.name, what.name, { retry });
      return context.callSubOrchestrator(what.name, what.name, { retry });
    };
    await Promise.resolve();
    return (yield* run(program, {
      make,
      all: whenAll,
      any: whenAny,
      guid: () => context.newGuid(),
      setStatus: (value) => {
        context.setCustomStatus(value);
      },
      send: (name) => {
        context.sendEvent('other', name, 1);
      },
      continueAsNew: (input, shouldSave) => {
        context.continueAsNew(input, shouldSave);
      },
    })) as unknown;
  };
}

function* run(program: Program, maker: Maker): Generator {
  const log: unknown[] = [];
  for (const [index, step] of program.entries()) {
    try {
      log.push(yield* runStep(step, maker, log));
    } catch (error) {
      // Every third statement lets failures escape.
      if (index % 3 === 2 || !(error instanceof Error)) throw error;
      log.push(`caught ${error.message}`);
    }
  }
  return log;
}

function* runStep(step: Statement, maker: Maker, log: readonly unknown[]): Generator {
  switch (step.kind) {
    case 'yield':
      return (yield maker.make(step.atom)) as unknown;
    case 'all':
      return (yield maker.all(step.atoms.map((what) => maker.make(what)))) as unknown;
    case 'any': {
      const tasks = step.atoms.map((what) => maker.make(what));
      return tasks.indexOf((yield maker.any(tasks)) as Task);
    }
    case 'swapped': {
      const first = maker.make(step.first);
      const second = (yield maker.make(step.second)) as unknown;
      return [(yield first) as unknown, second];
    }
    case 'status':
      maker.setStatus({ step: log.length });
      return 'status';
    case 'guid':
      return maker.guid();
    case 'send':
      maker.send(step.name);
      return 'sent';
    case 'continue':
      maker.continueAsNew(log.length, step.shouldSave);
      return 'continued';
    case 'throw':
      throw new Error('thrown');
  }
}

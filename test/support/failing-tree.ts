/** Generated orchestrations whose activities fail while a fault is on, for the rules of rewind. */
import fc from 'fast-check';

/** What an orchestrator does about a failure. */
export type Reaction = 'none' | 'ignore' | 'compensate' | 'rethrow';

export interface Call {
  readonly kind: 'activity';
  readonly key: string;
  /** Fails while the fault is on. */
  readonly breaks: boolean;
  readonly attempts: number;
}

export interface ChildCall {
  readonly kind: 'child';
  readonly steps: Tree;
  readonly attempts: number;
  /** Named by its parent, not by the SDK. */
  readonly name: string | undefined;
}

export interface Pause {
  readonly kind: 'timer';
  readonly seconds: number;
}

export type Atom = Call | ChildCall | Pause;

export type Step =
  | { readonly kind: 'one'; readonly atom: Atom; readonly reaction: Reaction }
  | {
      readonly kind: 'all' | 'any' | 'late';
      readonly atoms: readonly Atom[];
      readonly reaction: Reaction;
    }
  | { readonly kind: 'event'; readonly name: string };

/** An orchestrator: its steps, one after the other. */
export type Tree = readonly Step[];

const reaction = fc.constantFrom<Reaction>(
  'none',
  'none',
  'none',
  'ignore',
  'compensate',
  'rethrow',
);
const attempts = fc.constantFrom(1, 1, 1, 3);
const call: fc.Arbitrary<Call> = fc.record({
  kind: fc.constant('activity'),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  breaks: fc.boolean(),
  attempts,
});
const pause: fc.Arbitrary<Pause> = fc.record({
  kind: fc.constant('timer'),
  seconds: fc.integer({ min: 0, max: 4 }),
});

function treeOf(depth: number): fc.Arbitrary<Tree> {
  const child: fc.Arbitrary<ChildCall> | undefined =
    depth === 0
      ? undefined
      : fc.record({
          kind: fc.constant('child'),
          steps: treeOf(depth - 1),
          attempts: fc.constantFrom(1, 1, 2),
          name: fc.option(fc.constantFrom('x', 'y'), { nil: undefined, freq: 2 }),
        });
  return fc.array(stepOf(child), { minLength: 1, maxLength: 3 });
}

function stepOf(child?: fc.Arbitrary<ChildCall>): fc.Arbitrary<Step> {
  const atom: fc.Arbitrary<Atom> = child
    ? fc.oneof(
        { weight: 4, arbitrary: call },
        { weight: 2, arbitrary: child },
        { weight: 1, arbitrary: pause },
      )
    : fc.oneof({ weight: 4, arbitrary: call }, { weight: 1, arbitrary: pause });
  const several = fc.record({
    kind: fc.constantFrom('all' as const, 'all' as const, 'any' as const, 'late' as const),
    atoms: fc.array(atom, { minLength: 2, maxLength: 4 }),
    reaction,
  });
  const one = fc.record({ kind: fc.constant('one' as const), atom, reaction });
  const event = fc.record({
    kind: fc.constant('event' as const),
    name: fc.constantFrom('go', 'stop'),
  });
  return fc.oneof({ weight: 5, arbitrary: one }, { weight: 3, arbitrary: several }, event);
}

export const failingTrees: fc.Arbitrary<Tree> = treeOf(2);

/** How an SDK does it. `run` of a tree is the same generator for all. */
export interface Api<T> {
  activity(call: Call): T;
  undo(): T;
  child(call: ChildCall): T;
  timer(seconds: number): T;
  event(name: string): T;
  all(tasks: T[]): T;
  any(tasks: T[]): T;
}

export function* runTree<T>(tree: Tree, api: Api<T>): Generator<T, unknown, unknown> {
  const results: unknown[] = [];
  for (const step of tree) {
    if (step.kind === 'event') {
      yield api.event(step.name);
      results.push('event');
    } else {
      results.push(yield* guarded(step, api));
    }
  }
  return results;
}

type Guarded = Exclude<Step, { readonly kind: 'event' }>;

function* guarded<T>(step: Guarded, api: Api<T>): Generator<T, unknown, unknown> {
  try {
    return yield* runStep(step, api);
  } catch (error) {
    if (step.reaction === 'none') throw error;
    if (step.reaction !== 'ignore') yield api.undo();
    if (step.reaction === 'rethrow') throw new Error('given up', { cause: error });
    return 'caught';
  }
}

function* runStep<T>(step: Guarded, api: Api<T>): Generator<T, unknown, unknown> {
  if (step.kind === 'one') return yield make(step.atom, api);
  const tasks = step.atoms.map((atom) => make(atom, api));
  if (step.kind === 'all') return yield api.all(tasks);
  if (step.kind === 'any') {
    yield api.any(tasks);
    return 'any';
  }
  // Asked for in one order, waited for in the other: a failure may lie there for long before it is noticed.
  const results: unknown[] = [];
  for (const task of tasks.reverse()) results.unshift(yield task);
  return results;
}

function make<T>(atom: Atom, api: Api<T>): T {
  if (atom.kind === 'activity') return api.activity(atom);
  return atom.kind === 'child' ? api.child(atom) : api.timer(atom.seconds);
}

/** Whether this is what the tree comes to: its failures healed, but for those that it went on from. */
export function isResultOf(tree: Tree, value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== tree.length) return false;
  return tree.every((step, index) => isResultOfStep(step, value[index]));
}

function isResultOfStep(step: Step, value: unknown): boolean {
  if (step.kind === 'event') return value === 'event';
  const goesOn = step.reaction === 'ignore' || step.reaction === 'compensate';
  if (goesOn && value === 'caught') return true;
  if (step.kind === 'any') return value === 'any';
  if (step.kind === 'one') return isResultOfAtom(step.atom, value);
  if (!Array.isArray(value) || value.length !== step.atoms.length) return false;
  return step.atoms.every((atom, index) => isResultOfAtom(atom, value[index]));
}

function isResultOfAtom(atom: Atom, value: unknown): boolean {
  if (atom.kind === 'activity') return value === atom.key;
  return atom.kind === 'timer' ? true : isResultOf(atom.steps, value);
}

export function atomsOf(step: Step): readonly Atom[] {
  if (step.kind === 'event') return [];
  return step.kind === 'one' ? [step.atom] : step.atoms;
}

/** A child that waits for an event, or has a child that does. */
export function waitsForEvent(atom: Atom): boolean {
  if (atom.kind !== 'child') return false;
  return atom.steps.some((step) => step.kind === 'event' || atomsOf(step).some(waitsForEvent));
}

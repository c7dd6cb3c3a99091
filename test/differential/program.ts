import fc from 'fast-check';

/** Something that an orchestrator can wait for. */
export type Expression =
  | { readonly kind: 'activity' | 'child'; readonly name: string; readonly attempts: number }
  | { readonly kind: 'namedChild' | 'versionedChild'; readonly name: string }
  | { readonly kind: 'timer'; readonly seconds: number }
  | { readonly kind: 'event'; readonly name: string }
  | { readonly kind: 'entityCall'; readonly key: string }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Expression[] };

/** An orchestrator as data: the same program runs on our engine and on durable-functions itself. */
export type Statement =
  | { readonly kind: 'yield'; readonly what: Expression }
  | { readonly kind: 'create'; readonly what: Expression }
  | { readonly kind: 'yieldCreated' | 'look'; readonly index: number }
  | { readonly kind: 'race'; readonly what: Expression; readonly seconds: number }
  | { readonly kind: 'drain'; readonly of: readonly Expression[] }
  | { readonly kind: 'fanOut'; readonly name: string; readonly count: number }
  | { readonly kind: 'cancelFirst'; readonly seconds: number }
  | { readonly kind: 'status' | 'guid' | 'time' | 'throw' | 'yieldNothing' | 'yieldNumber' }
  | { readonly kind: 'try'; readonly body: Program; readonly last: Program }
  | { readonly kind: 'call'; readonly body: Program }
  | { readonly kind: 'signal'; readonly key: string }
  | { readonly kind: 'isLocked' }
  | { readonly kind: 'entityCalls'; readonly keys: readonly string[] }
  | {
      readonly kind: 'section';
      readonly keys: readonly string[];
      readonly body: Program;
      readonly releases: boolean;
    }
  | { readonly kind: 'continue' };

export type Program = readonly Statement[];

const names = fc.constantFrom('A', 'B', 'C');
const attempts = fc.constantFrom(1, 1, 1, 2, 3);
const seconds = fc.integer({ min: 0, max: 90 });
const key = fc.constantFrom('a', 'b', 'c');

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('activity'), name: names, attempts }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('child'), name: names, attempts }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('namedChild'), name: names }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('versionedChild'), name: names }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('timer'), seconds }) },
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant('event'), name: fc.constantFrom('go', 'stop') }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('entityCall'), key }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constantFrom('all', 'any'),
        of: fc.array(tie('expression'), { minLength: 1, maxLength: 4 }),
      }),
    },
  ),
}));

/** Without events and compounds: what a loop over `Task.any` may hold (see allowed-differences.ts). */
const call = fc.oneof(
  fc.record({ kind: fc.constantFrom('activity', 'child'), name: names, attempts }),
  fc.record({ kind: fc.constant('timer' as const), seconds }),
) as fc.Arbitrary<Expression>;

/** In parallel: where they lock, most often what they hold, and sometimes the same twice. */
const entityCalls = fc.record({
  kind: fc.constant('entityCalls' as const),
  keys: fc.array(key, { minLength: 1, maxLength: 2 }),
});

const index = fc.nat({ max: 5 });

const { program } = fc.letrec<{ statement: Statement; program: Program }>((tie) => ({
  program: fc.array(tie('statement'), { maxLength: 6 }),
  statement: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('yield'), what: expression }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('create'), what: expression }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('yieldCreated', 'look'), index }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('race'), what: expression, seconds }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('drain'),
        of: fc.array(call, { minLength: 1, maxLength: 4 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('fanOut'),
        name: names,
        count: fc.integer({ min: 1, max: 12 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancelFirst'), seconds }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('status', 'guid', 'time') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('throw') }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constantFrom('yieldNothing', 'yieldNumber') }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('try'),
        body: tie('program'),
        last: fc.oneof(fc.constant([]), tie('program')),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('call'), body: tie('program') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('signal'), key }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('isLocked') }) },
    { weight: 1, arbitrary: entityCalls },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('section'),
        keys: fc.array(key, { minLength: 1, maxLength: 3 }),
        body: fc
          .tuple(fc.array(entityCalls, { maxLength: 2 }), tie('program'))
          .map(([calls, rest]) => [...calls, ...rest]),
        releases: fc.nat({ max: 4 }).map((chance) => chance > 0),
      }),
    },
  ),
}));

/** Whole orchestrators; some end with continue-as-new. */
export const programs: fc.Arbitrary<Program> = fc
  .tuple(program, fc.nat({ max: 9 }))
  .map(([body, chance]) => (chance === 0 ? [...body, { kind: 'continue' }] : body));

/** What happens around a program: see `World`. */
export const fates: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 11 }), {
  minLength: 20,
  maxLength: 80,
});

/** The kinds of everything in a program, to count what a run has covered. */
export function featuresOf(part: Program | Expression): readonly string[] {
  const found = JSON.stringify(part).matchAll(/"kind":"(\w+)"/g);
  const kinds = new Set([...found].map(([, kind = '']) => kind));
  if (/"attempts":[23]/.test(JSON.stringify(part))) kinds.add('retry');
  return [...kinds];
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { coverageOf, coveragePath } from '../../src/dashboard/model/coverage.ts';
import {
  activityOf,
  isOverdue,
  layLanes,
  usualMs,
  type Lane,
} from '../../src/dashboard/model/lanes.ts';
import {
  BREAK_WIDTH,
  idleSpans,
  panned,
  quietSpans,
  ticksOf,
  TimeScale,
  zoomed,
} from '../../src/dashboard/model/scale.ts';
import { stateOf, type Story } from '../../src/dashboard/model/story.ts';
import { Told } from './told.ts';

const HOUR = 3_600_000;

interface Laying {
  readonly open?: Readonly<Record<string, number>>;
  readonly children?: Readonly<Record<string, Story | string>>;
  readonly find?: string;
  readonly isFailuresOnly?: boolean;
}

function lay(story: Story, laying: Laying = {}): readonly Lane[] {
  const { open = {}, children = {}, find = '', isFailuresOnly = false } = laying;
  const maps = {
    open: new Map(Object.entries(open)),
    children: new Map(Object.entries(children)),
  };
  return layLanes(story, { id: 'order', ...maps, find, isFailuresOnly });
}

function many(count: number): Told {
  const told = new Told();
  for (let id = 1; id <= count; id += 1) told.activity(id, 'A');
  return told.turn().failed(count);
}

describe('lanes of a timeline', () => {
  it('show each step until there are too many of one name', () => {
    const kinds = (count: number): string[] => lay(many(count).story).map(({ kind }) => kind);
    assert.equal(kinds(7).length, 9);
    assert.deepEqual(kinds(8), ['root', 'turns', 'group']);
  });

  it('show what failed first in a group that is open, and more when asked', () => {
    const { story } = many(80);
    const lanes = lay(story, { open: { 'activity A': 50 } });
    assert.equal(lanes.length, 3 + 50 + 1);
    const [, , , first] = lanes;
    assert.ok(first?.kind === 'step' && stateOf(first.step) === 'Failed' && first.depth === 1);
    const more = lanes.at(-1);
    assert.ok(more?.kind === 'more' && more.left === 30);
    assert.equal(lay(story, { open: { 'activity A': 100 } }).length, 3 + 80);
  });

  it('show only what is looked for, and only what has failed', () => {
    const { story } = new Told().activity(1, 'Pay').activity(2, 'Ship').turn().failed(2);
    const labels = (laying: Laying): string[] =>
      lay(story, laying).flatMap((lane) => (lane.kind === 'step' ? [lane.step.name] : []));
    assert.deepEqual(labels({ find: 'pA' }), ['Pay']);
    assert.deepEqual(labels({ isFailuresOnly: true }), ['Ship']);
  });

  it('show the steps of a sub-orchestration below it, three levels deep', () => {
    const child = { eventId: 1, name: 'Child' };
    const story = (target: string): Story =>
      new Told().add('subOrchestrationInstanceCreated', { ...child, target }).story;
    const [a, b, c, d] = [story('a'), story('b'), story('c'), story('d')];
    const key = a.steps[0]?.key ?? '';
    const open = { [key]: 50, [`a\n${key}`]: 50, [`b\n${key}`]: 50, [`c\n${key}`]: 50 };
    const lanes = lay(a, { open, children: { a: b, b: c, c: d } });
    const shown = lanes.flatMap((lane) => (lane.kind === 'step' ? [[lane.of, lane.isOpen]] : []));
    assert.deepEqual(shown, [
      ['order', true],
      ['a', true],
      ['b', true],
      ['c', undefined],
    ]);
    const [, , , note] = lay(a, { open, children: { a: 'not found' } });
    assert.ok(note?.kind === 'note' && note.text === 'not found' && note.of === 'a');
  });

  it('have one for the event that it can only wait for', () => {
    assert.equal(lay(new Told().activity(1, 'A').turn().done(1).story).at(-1)?.kind, 'waits');
    assert.notEqual(lay(new Told().activity(1, 'A').story).at(-1)?.kind, 'waits');
  });

  it('mark what runs three times as long as its siblings took', () => {
    const told = new Told();
    for (let id = 1; id <= 3; id += 1) told.activity(id, 'A').turn().done(id);
    const { story } = told.activity(4, 'A');
    const late = story.steps.at(-1) ?? assert.fail();
    const usual = usualMs(story.steps);
    assert.equal(isOverdue(late, usual, story.lastAt + 100), false);
    assert.equal(isOverdue(late, usual, story.lastAt + 10_000), true);
  });
});

const instants = fc.array(fc.integer({ min: 0, max: 30 * HOUR }), { minLength: 2, maxLength: 40 });
const spans = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 30 * HOUR }), fc.integer({ min: 1, max: HOUR }))
    .map(([from, long]) => ({ from, to: from + long })),
  { maxLength: 5 },
);
const widths = fc.integer({ min: 80, max: 2000 });

describe('the scale of a timeline', () => {
  const cases = fc.tuple(instants, spans, widths).map(([moments, busy, width]) => {
    const from = Math.min(...moments);
    const window = { from, to: Math.max(...moments) + 1 };
    const idle = idleSpans(quietSpans({ moments, busy }), window, width);
    return { moments, busy, width, idle, scale: new TimeScale(window, width, idle) };
  });

  it('never leaves out a moment, nor a time in which something worked', () => {
    fc.assert(
      fc.property(cases, ({ moments, busy, idle }) => {
        for (const { from, to } of idle) {
          assert.ok(moments.every((at) => at <= from || at >= to));
          assert.ok(busy.every((work) => work.to <= from || work.from >= to));
        }
      }),
    );
  });

  it('never puts an earlier moment right of a later one, and stays in its width', () => {
    fc.assert(
      fc.property(cases, ({ moments, scale, width }) => {
        const xs = [...moments].sort((a, b) => a - b).map((at) => scale.xOf(at));
        for (const [index, x] of xs.entries()) assert.ok(x >= (xs[index - 1] ?? 0));
        assert.ok(xs.every((x) => x >= 0 && x <= width + 0.001));
      }),
    );
  });

  it('finds back the moment that stands at a place, also outside of the window', () => {
    fc.assert(
      fc.property(cases, fc.double({ min: -0.5, max: 1.5, noNaN: true }), ({ scale }, part) => {
        const x = part * scale.width;
        assert.ok(Math.abs(scale.xOf(scale.atOf(x)) - x) < 0.01);
      }),
    );
  });

  it('leaves out six hours between two bursts, as a mark of fixed width', () => {
    const moments = [0, 500, 1000, 1000 + 6 * HOUR, 2000 + 6 * HOUR];
    const window = { from: 0, to: 2000 + 6 * HOUR };
    const idle = idleSpans(quietSpans({ moments, busy: [] }), window, 848);
    const scale = new TimeScale(window, 848, idle);
    assert.deepEqual(scale.breaks.length, 1);
    assert.equal(scale.xOf(1000), 400);
    assert.equal(scale.xOf(1000 + 6 * HOUR), 400 + BREAK_WIDTH);
  });

  it('leaves out nothing while an activity runs, and never everything', () => {
    const moments = [0, 1000, 6 * HOUR];
    const busy = [{ from: 1000, to: Infinity }];
    const window = { from: 0, to: 6 * HOUR };
    assert.deepEqual(idleSpans(quietSpans({ moments, busy }), window, 800), []);
    const inside = { from: HOUR, to: 2 * HOUR };
    assert.deepEqual(idleSpans(quietSpans({ moments, busy: [] }), inside, 800), []);
  });

  it('keeps the place under the pointer when it zooms, and the width when it pans', () => {
    const scale = new TimeScale({ from: 0, to: 1000 }, 500);
    assert.deepEqual(zoomed(scale, 0.5, 100), { from: 100, to: 600 });
    assert.deepEqual(panned(scale, 50), { from: 100, to: 1100 });
    assert.equal(zoomed(scale, 1e-9, 0).to, 1);
  });

  it('has ticks at round moments, apart from each other and outside of what is left out', () => {
    const steps = (to: number): number | undefined =>
      ticksOf(new TimeScale({ from: 0, to }, 1000), 100)[0]?.step;
    assert.deepEqual([steps(10), steps(15_000), steps(24 * HOUR)], [1, 2000, 3 * HOUR]);
    fc.assert(
      fc.property(cases, ({ scale }) => {
        const ticks = ticksOf(scale, 90);
        for (const [index, { at, x }] of ticks.entries()) {
          assert.ok(x - (ticks[index - 1]?.x ?? -Infinity) >= 50);
          assert.ok(scale.breaks.every(({ from, to }) => at <= from || at >= to));
        }
      }),
    );
  });

  it('keeps every moment of a story, and the end of a lock that is let go', () => {
    const { story } = new Told()
      .add('entityLockRequested', { requestId: 'l', lockSet: ['@a@1', '@a@2'] })
      .turn()
      .add('entityLockGranted', { requestId: 'l' })
      .add('entityUnlockSent', { requestId: 'l' })
      .add('entityUnlockSent', { requestId: 'l' });
    const [lock] = story.steps;
    assert.deepEqual(
      [lock?.target, lock?.tries[0]?.endAt, lock?.tries[0]?.heldUntil],
      ['@a@1, @a@2', 5000, 7000],
    );
    const { moments } = activityOf(story);
    assert.ok([3000, 5000, 7000].every((at) => moments.includes(at)));
  });
});

describe('many steps in one lane', () => {
  it('are counted at each column of the picture', () => {
    const { story } = new Told().activity(1, 'A').activity(2, 'A').turn().done(1).failed(2);
    const scale = new TimeScale({ from: 0, to: 10_000 }, 100);
    const found = coverageOf(story.steps, scale, 10_000);
    assert.deepEqual(
      found.map(({ state, columns }) => [state, columns.indexOf(1), columns.lastIndexOf(1)]),
      [
        ['Completed', 30, 59],
        ['Failed', 40, 69],
      ],
    );
    const shape = { most: 4, height: 16, bottom: 20, least: 3 };
    assert.equal(coveragePath(found[0]?.columns ?? assert.fail(), shape), 'M30 20v-8h30v8z');
  });

  it('cost as much as their number and the width, not their product', () => {
    const told = new Told();
    for (let id = 1; id <= 20_000; id += 1) told.activity(id, 'A');
    const scale = new TimeScale({ from: 0, to: 30_000_000 }, 2000);
    const [running] = coverageOf(told.story.steps, scale, 30_000_000);
    assert.equal(running?.columns.at(-2), 20_000);
  });
});

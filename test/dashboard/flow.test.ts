import assert from 'node:assert/strict';
import fc from 'fast-check';
import { drawFlow, type Flow } from '../../src/dashboard/model/flow.ts';
import { layOut, type Box } from '../../src/dashboard/model/flow-layout.ts';
import type { Story } from '../../src/dashboard/model/story.ts';
import { Told } from './told.ts';

interface Drawing {
  readonly open?: Readonly<Record<string, number>>;
  readonly children?: Readonly<Record<string, Story | string>>;
  readonly isDown?: boolean;
}

function draw(story: Story, { open = {}, children = {}, isDown = false }: Drawing = {}): Flow {
  const maps = {
    open: new Map(Object.entries(open)),
    children: new Map(Object.entries(children)),
  };
  return drawFlow(story, { ...maps, isDown });
}

const labels = ({ nodes }: Flow): string[] => nodes.map(({ label }) => label);

/** `from → to` by label. */
function edges(flow: Flow, isWanted: (edge: Flow['edges'][number]) => boolean = () => true) {
  const label = (key: string): string => flow.nodes.find((node) => node.key === key)?.label ?? '?';
  return flow.edges.filter(isWanted).map(({ from, to }) => `${label(from)} → ${label(to)}`);
}

function fan(count: number, name = 'A'): Told {
  const told = new Told();
  for (let id = 1; id <= count; id += 1) told.activity(id, name);
  return told;
}

function rounds(count: number): Told {
  const told = new Told();
  for (let id = 1; id <= count; id += 1) told.activity(id, 'Check').turn().done(id);
  return told;
}

describe('the flow of a run', () => {
  it('leads from what a turn was given to what it started', () => {
    const { story } = new Told()
      .activity(1, 'A')
      .turn()
      .done(1)
      .activity(2, 'B')
      .activity(3, 'C')
      .turn()
      .done(2)
      .turn()
      .done(3)
      .ended();
    assert.deepEqual(edges(draw(story)), [
      'Start → A',
      'A → B',
      'A → C',
      'B → Completed',
      'C → Completed',
    ]);
  });

  it('puts an event before what it set off', () => {
    const { story } = new Told()
      .activity(1, 'A')
      .turn()
      .done(1)
      .turn()
      .add('eventRaised', { name: 'Go' })
      .activity(2, 'B');
    assert.ok(edges(draw(story)).includes('Go → B'));
  });

  it('does not wait for what is only sent', () => {
    const { story } = new Told()
      .activity(1, 'A')
      .turn()
      .done(1)
      .add('entityOperationSignaled', { requestId: 's', name: 'log', target: '@b@1' })
      .turn()
      .add('eventRaised', { name: 'Go' })
      .ended();
    assert.deepEqual(
      edges(draw(story), ({ isLoose }) => isLoose),
      ['A → log @b@1'],
    );
    assert.ok(edges(draw(story)).includes('A → Completed'));
  });

  it('marks the way from the start to the failure that ended the run', () => {
    const { story } = new Told()
      .activity(1, 'A')
      .activity(2, 'B')
      .turn()
      .done(1)
      .done(2)
      .activity(3, 'C')
      .activity(4, 'D')
      .turn()
      .failed(3)
      .ended('Failed');
    assert.deepEqual(
      edges(draw(story), ({ isBad }) => isBad),
      ['Start → B', 'B → C', 'C → Failed'],
    );
  });

  it('draws like steps of one turn as one node until it is opened, failed ones first', () => {
    const { story } = fan(40).turn().failed(40);
    const closed = draw(story);
    const group = closed.nodes.find(({ kind }) => kind === 'group');
    assert.deepEqual([labels(closed), group?.state], [['Start', 'A × 40', 'Running'], 'Failed']);
    const open = draw(story, { open: { [group?.key ?? '']: 24 } });
    assert.equal(open.nodes.length, 2 + 24 + 1);
    assert.deepEqual([open.nodes[1]?.state, open.nodes.at(-2)?.label], ['Failed', '16 more']);
  });

  it('folds a pattern that comes twenty times in a row, but for its first and last round', () => {
    const { story } = rounds(30);
    const folded = draw(story);
    assert.deepEqual(labels(folded), ['Start', 'Check', '⟳ × 28 Check', 'Check', 'Running']);
    assert.deepEqual(edges(folded).slice(0, 3), [
      'Start → Check',
      'Check → ⟳ × 28 Check',
      '⟳ × 28 Check → Check',
    ]);
    const loop = folded.nodes.find(({ kind }) => kind === 'loop');
    assert.equal(draw(story, { open: { [loop?.key ?? '']: 1 } }).nodes.length, 32);
    assert.equal(draw(rounds(19).story).nodes.length, 21);
  });

  it('shows a sub-orchestration in its place, one level deep, or why it cannot', () => {
    const { story } = new Told().add('subOrchestrationInstanceCreated', {
      ...{ eventId: 1, name: 'Child', target: 'c' },
    });
    const key = story.steps[0]?.key ?? '';
    const inside = (children: Drawing['children']): unknown =>
      draw(story, { open: { [key]: 1 }, ...(children && { children }) }).nodes[1]?.inside;
    const child = inside({ c: new Told().activity(1, 'Inner').story }) as Flow;
    assert.deepEqual(labels(child), ['Start', 'Inner', 'Running']);
    assert.equal(inside({ c: 'gone' }), 'gone');
    assert.equal(inside(undefined), 'Loading…');
  });

  it('groups by name when there are too many steps, and stays small', () => {
    const told = new Told();
    for (let id = 1; id <= 4000; id += 1)
      told
        .activity(id, `N${id % 7} ${id % 3}`)
        .turn()
        .done(id);
    const flow = draw(told.story);
    assert.equal(flow.isByName, true);
    assert.equal(flow.nodes.length, 21 + 2);
  });

  it('keeps the order and the distances of its nodes when steps are added behind them', () => {
    const told = fan(3);
    const place = (flow: Flow): unknown[] =>
      flow.nodes.slice(0, 4).map(({ key, x, y }) => [key, x, y - (flow.nodes[1]?.y ?? 0)]);
    const before = place(draw(told.story));
    told.turn().done(1).activity(9, 'B');
    assert.deepEqual(place(draw(told.story)), before);
  });

  it('goes from top to bottom when asked', () => {
    const { story } = fan(3).turn().done(1).activity(9, 'B');
    const [across, down] = [draw(story), draw(story, { isDown: true })];
    assert.ok(across.width > across.height && down.height > down.width / 2);
    const end = (flow: Flow): Flow['nodes'][number] => flow.nodes.at(-1) ?? assert.fail();
    assert.ok(end(down).y > end(down).x);
  });
});

const graphs = fc
  .array(
    fc.record({
      layer: fc.integer({ min: 0, max: 6 }),
      long: fc.integer({ min: 20, max: 300 }),
      wide: fc.integer({ min: 20, max: 200 }),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((sizes) => sizes.map((size, index): Box => ({ key: `${index}`, ...size })))
  .chain((boxes) =>
    fc.record({
      boxes: fc.constant(boxes),
      links: fc
        .array(fc.tuple(fc.nat(boxes.length - 1), fc.nat(boxes.length - 1)), { maxLength: 60 })
        .map((pairs) =>
          pairs
            .filter(([from, to]) => (boxes[from]?.layer ?? 0) < (boxes[to]?.layer ?? 0))
            .map(([from, to]) => ({ from: `${from}`, to: `${to}` })),
        ),
    }),
  );

describe('the layout of a graph', () => {
  it('puts no two boxes over one another, and none outside of the picture', () => {
    fc.assert(
      fc.property(graphs, ({ boxes, links }) => {
        const { places, long, wide } = layOut(boxes, links);
        const placed = boxes.map((box) => ({ ...box, ...(places.get(box.key) ?? assert.fail()) }));
        for (const a of placed) {
          assert.ok(a.main >= 0 && a.cross >= 0);
          assert.ok(a.main + a.long <= long && a.cross + a.wide <= wide + 1);
          for (const b of placed) {
            const isApart =
              a === b ||
              a.main + a.long <= b.main ||
              b.main + b.long <= a.main ||
              a.cross + a.wide <= b.cross ||
              b.cross + b.wide <= a.cross;
            assert.ok(isApart, `${a.key} lies over ${b.key}`);
          }
        }
      }),
    );
  });

  it('leads each link from the end of one box to the beginning of the other, always forward', () => {
    fc.assert(
      fc.property(graphs, ({ boxes, links }) => {
        const { places, paths } = layOut(boxes, links);
        for (const [index, { from, to }] of links.entries()) {
          const path = paths[index] ?? assert.fail();
          const box = boxes.find(({ key }) => key === from) ?? assert.fail();
          assert.equal(path[0]?.main, (places.get(from)?.main ?? 0) + box.long);
          assert.equal(path.at(-1)?.main, places.get(to)?.main);
          for (const [at, point] of path.entries()) {
            assert.ok(point.main >= (path[at - 1]?.main ?? 0));
          }
        }
      }),
    );
  });

  it('is the same for the same graph', () => {
    fc.assert(
      fc.property(graphs, ({ boxes, links }) => {
        assert.deepEqual(layOut(boxes, links), layOut(boxes, links));
      }),
    );
  });
});

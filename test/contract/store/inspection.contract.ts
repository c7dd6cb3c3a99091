/** Lists and what an instance waits for, held to a model in memory. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import type { Row, RowFilter, RowQuery, TextMatch } from '../../../src/storage/inspection.ts';
import { complete, createChild, createTimer, fail, scheduleTask } from '../../support/actions.ts';
import { caseOf, HUB, orchestrations, raise, turn, type Bench } from './bench.ts';
import type { UseBench } from './bench.ts';
import { decodeEvent as decodeStored } from '../../../src/wire/events.ts';

export const EVERYTHING: RowFilter = {
  statuses: [],
  ids: [],
  names: [],
  versions: [],
  tags: [],
  created: { from: undefined, to: undefined },
  completed: { from: undefined, to: undefined },
  parentId: undefined,
  children: 'show',
  errorTypes: [],
  errorText: undefined,
};

const NAMES = ['Order', 'OrderRefund', 'Import'];

/** Thirty instances: every third failed, every third completed, some with the same time of creation. */
async function fill(bench: Bench): Promise<readonly Row[]> {
  for (let number = 0; number < 30; number += 1) {
    const tags = number % 4 === 0 ? { env: 'prod', batch: String(number) } : {};
    const options = { name: NAMES[number % 2]!, version: number % 5 === 0 ? '2' : '', tags };
    const item = await bench.begin(`i${String(number).padStart(2, '0')}`, options);
    const end = number % 3 === 0 ? fail('Declined', `card ${number} declined`) : complete('1');
    const child = createChild(1, `${item.instanceId}:1`, { name: 'Import' });
    if (number % 3 < 2) await bench.apply(turn(item, [end]));
    else if (number % 6 === 2) await bench.apply(turn(item, [child]));
    else await bench.apply(turn(item, [createTimer(1, bench.now + 60_000)]));
    if (number % 4 === 3) bench.advance(1000);
    // The turns of the children stay with a worker that never answers.
    await bench.take();
  }
  const ids = Array.from({ length: 30 }, (_, n) => `i${String(n).padStart(2, '0')}`);
  const rows = await bench.store.inspection.rowsById(HUB, [...ids, ...ids.map((id) => `${id}:1`)]);
  assert.equal(rows.length, 35);
  return rows;
}

function isIn(at: number | undefined, { from, to }: RowFilter['created']): boolean {
  if (from === undefined && to === undefined) return true;
  return at !== undefined && at >= (from ?? 0) && at < (to ?? Infinity);
}

function one<T>(asked: readonly T[], test: (value: T) => boolean): boolean {
  return asked.length === 0 || asked.some(test);
}

function isText(value: string): (match: TextMatch) => boolean {
  return ({ text, isPrefix }) => (isPrefix ? value.startsWith(text) : value === text);
}

function isKin({ parentId }: Row, filter: RowFilter): boolean {
  if (filter.parentId !== undefined && parentId !== filter.parentId) return false;
  return filter.children === 'show' || (filter.children === 'only') === (parentId !== undefined);
}

function isMatch(row: Row, filter: RowFilter): boolean {
  const { errorText } = filter;
  const tags = Object.entries(row.tags);
  return (
    one(filter.statuses, (status) => row.status === status) &&
    one(filter.ids, isText(row.instanceId)) &&
    one(filter.names, isText(row.name)) &&
    one(filter.versions, (version) => row.version === version) &&
    filter.tags.every(({ key, value }) =>
      tags.some(([k, v]) => (key ?? k) === k && (value ?? v) === v),
    ) &&
    isIn(row.createdAt, filter.created) &&
    isIn(row.completedAt, filter.completed) &&
    isKin(row, filter) &&
    one(filter.errorTypes, (type) => row.errorType === type) &&
    (errorText === undefined || (row.errorMessage?.includes(errorText) ?? false))
  );
}

function compareRows(a: Row, b: Row, sort: RowQuery['sort']): number {
  if (sort === 'id') return a.instanceId < b.instanceId ? -1 : 1;
  const at = (row: Row): number => (sort === 'created' ? row.createdAt : (row.completedAt ?? 0));
  return at(a) - at(b) || a.rid - b.rid;
}

const START = Date.UTC(2026, 0, 1);
const time = fc.option(
  fc.integer({ min: 0, max: 8 }).map((seconds) => START + seconds * 1000),
  { nil: undefined },
);
const span = fc.record({ from: time, to: time });
const text = (...values: readonly string[]) =>
  fc.array(fc.record({ text: fc.constantFrom(...values), isPrefix: fc.boolean() }), {
    maxLength: 2,
  });
const queries = fc.record({
  filter: fc.record({
    statuses: fc.subarray([
      OrchestrationStatus.RUNNING,
      OrchestrationStatus.PENDING,
      OrchestrationStatus.FAILED,
      OrchestrationStatus.COMPLETED,
    ]),
    ids: text('i0', 'i1', 'i02', 'i02:1'),
    names: text('Order', 'Import'),
    versions: fc.subarray(['', '2']),
    tags: fc.subarray(
      [
        { key: 'env', value: 'prod' },
        { key: 'batch', value: undefined },
        { key: undefined, value: '8' },
      ],
      { maxLength: 1 },
    ),
    created: span,
    completed: span,
    parentId: fc.option(fc.constantFrom('i02', 'none'), { nil: undefined, freq: 8 }),
    children: fc.constantFrom('fold', 'show', 'only'),
    errorTypes: fc.constantFrom([], ['Declined']),
    errorText: fc.constantFrom(undefined, undefined, 'card 1'),
  }),
  sort: fc.constantFrom('created', 'completed', 'id'),
  isDescending: fc.boolean(),
  limit: fc.integer({ min: 1, max: 12 }),
  bounds: fc.record({
    sorted: fc.constantFrom(0, 5, 2000),
    tried: fc.constantFrom(3, 10, 50_000),
  }),
});

type PageQuery = Omit<RowQuery, 'hub' | 'after' | 'isBackwards'>;

async function allPages(bench: Bench, query: PageQuery, isBackwards: boolean): Promise<string[]> {
  const pages: string[][] = [];
  let after: RowQuery['after'];
  for (let count = 0; count < 200; count += 1) {
    const page = await bench.store.inspection.rows({ hub: HUB, ...query, after, isBackwards });
    assert.ok(page.items.length <= query.limit, 'a page is no longer than asked for');
    const ids = page.items.map(({ instanceId }) => instanceId);
    pages.push(ids);
    if (!page.next) return (isBackwards ? pages.reverse() : pages).flat();
    after = page.next;
  }
  return assert.fail('the pages never end');
}

function listsContract(use: UseBench): void {
  describe('a list of instances', () => {
    it('has each match once and in order, page by page, in both directions', async () => {
      const bench = use();
      const rows = await fill(bench);
      await fc.assert(
        fc.asyncProperty(queries, async (query: PageQuery) => {
          const { filter, sort } = query;
          const expected = rows
            .filter((row) => isMatch(row, filter))
            .filter((row) => sort !== 'completed' || row.completedAt !== undefined)
            .sort((a, b) => compareRows(a, b, sort))
            .map(({ instanceId }) => instanceId);
          if (query.isDescending) expected.reverse();
          assert.deepEqual(await allPages(bench, query, false), expected);
          assert.deepEqual(await allPages(bench, query, true), expected);
          const count = await bench.store.inspection.count(HUB, filter, 100);
          const matching = rows.filter((row) => isMatch(row, filter)).length;
          assert.deepEqual(count, { count: matching, isCapped: false });
        }),
        { numRuns: 60 },
      );
    });

    it('is counted no further than asked', async () => {
      const bench = use();
      await fill(bench);
      const { inspection } = bench.store;
      assert.deepEqual(await inspection.count(HUB, EVERYTHING, 10), { count: 10, isCapped: true });
      const counts = await inspection.statusCounts(HUB, 10);
      assert.deepEqual(counts.get(OrchestrationStatus.FAILED), { count: 10, isCapped: false });
    });

    it('can be summed up by name and error', async () => {
      const bench = use();
      await fill(bench);
      const facets = await bench.store.inspection.facets(HUB, EVERYTHING, 1000);
      const of = (by: string) =>
        Object.fromEntries(facets.filter((f) => f.by === by).map((f) => [f.value, f.count]));
      assert.deepEqual(of('name'), { Order: 15, OrderRefund: 15, Import: 5 });
      assert.deepEqual(of('errorType'), { Declined: 10 });
    });
  });
}

function outstandingContract(use: UseBench): void {
  describe('what an instance waits for', () => {
    it('is its activities, timers and children that have not ended', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const actions = [
        scheduleTask(1, 'Charge', { version: '2' }),
        createTimer(2, bench.now + 5000),
        createChild(3, 'a:3'),
      ];
      await bench.apply(turn(item, actions));
      await bench.take({ orchestrations: 0 });

      const found = await bench.store.inspection.outstanding(HUB, 'a', 10);

      assert.equal(found?.turn, undefined);
      assert.deepEqual(
        found?.activities.map(({ name, version, eventId, readyAt }) => [
          ...[name, version, eventId],
          readyAt,
        ]),
        [['Charge', '2', 1, undefined]],
      );
      assert.deepEqual(found.timers, [{ dueAt: bench.now + 5000 }]);
      assert.deepEqual(
        found.children.map(({ instanceId, parentId }) => [instanceId, parentId]),
        [['a:3', 'a']],
      );
      const { token } = found.activities[0]!;
      const leased = await bench.store.inspection.leased(HUB, [
        { kind: 'activity', token: token! },
        { kind: 'orchestration', token: 'nonsense' },
      ]);
      assert.deepEqual(leased, [{ token, kind: 'activity', instanceId: 'a', name: 'Charge' }]);
    });

    it('is a turn while events wait for one', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { name: 'Order' }));
      await bench.apply(raise('a', 'go'));
      const found = await bench.store.inspection.outstanding(HUB, 'a', 10);
      assert.equal(found?.unread, 2);
      assert.equal(found.turn?.readyAt, bench.now);
      const [backlog] = await bench.store.inspection.backlog(HUB);
      assert.deepEqual(backlog, {
        ...{ kind: 'orchestration', name: 'Order', version: '' },
        ...{ pending: 1, isCapped: false, oldestAt: bench.now },
      });
      assert.equal(await bench.store.inspection.outstanding(HUB, 'missing', 10), undefined);
    });

    it('leads from a child to its parents', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [createChild(1, 'b')]));
      const [item] = orchestrations(await bench.take());
      await bench.apply(turn(item!, [createChild(1, 'c')]));
      const ids = (rows: readonly Row[]) => rows.map(({ instanceId }) => instanceId);
      assert.deepEqual(ids(await bench.store.inspection.ancestors(HUB, 'c', 5)), ['b', 'a']);
      assert.deepEqual(ids(await bench.store.inspection.ancestors(HUB, 'c', 1)), ['b']);
      assert.deepEqual(ids(await bench.store.inspection.children(HUB, 'a', 5)), ['b']);
    });
  });
}

function historyPagesContract(use: UseBench): void {
  it('gives history in pages that go on where the last one ended', async () => {
    const bench = use();
    await bench.apply(turn(await bench.begin('a'), [scheduleTask(1), scheduleTask(2)]));
    await bench.apply(raise('a', 'go'));
    await bench.apply(turn(await bench.takeTurn(), []));
    const expected = (await bench.history('a')).map(caseOf);
    const { inspection } = bench.store;

    const cases: string[] = [];
    let after: Parameters<typeof inspection.historyPage>[2]['after'];
    for (let more = true; more;) {
      const page = await inspection.historyPage(HUB, 'a', { after, limit: 2 });
      for (const item of page?.items ?? []) {
        assert.equal(item.position, cases.length + 1);
        const alone = await inspection.historyEvent(HUB, 'a', item);
        assert.deepEqual(alone, item.bytes);
        cases.push(caseOf(decodeStored({ type: 0, bytes: item.bytes })));
      }
      after = page?.items.at(-1);
      more = page?.hasMore ?? false;
    }

    assert.deepEqual(cases, expected);
    assert.equal(
      await inspection.historyPage(HUB, 'none', { after: undefined, limit: 1 }),
      undefined,
    );
  });
}

function retentionContract(use: UseBench): void {
  it('keeps the retention policy, the default until one is set', async () => {
    const { store } = use();
    assert.deepEqual(await store.retention(), [{ status: undefined, days: 30 }]);
    const policy = [
      { status: undefined, days: 7 },
      { status: OrchestrationStatus.FAILED, days: 90 },
    ];
    await store.setRetention(policy);
    assert.deepEqual(await store.retention(), policy);
    await store.setRetention([]);
    assert.deepEqual(await store.retention(), []);
  });
}

export function inspectionContract(use: UseBench): void {
  describe('inspection', () => {
    listsContract(use);
    outstandingContract(use);
    historyPagesContract(use);
    retentionContract(use);
  });
}

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { PageToken } from '../../../src/core/page-token.ts';
import { OrchestrationStatus } from '../../../src/proto/orchestrator_service_pb.ts';
import type {
  Commit,
  EndedQuery,
  InstanceQuery,
  InstanceRecord,
  Page,
  RestartCommit,
} from '../../../src/storage/store.ts';
import { encodeEvent } from '../../../src/wire/events.ts';
import { complete, continueAsNew, createChild, fail, scheduleTask } from '../../support/actions.ts';
import {
  activityDone,
  caseOf,
  HUB,
  raise,
  refusal,
  turn,
  type Bench,
  type UseBench,
} from './bench.ts';

const { COMPLETED, FAILED, PENDING, RUNNING, TERMINATED } = OrchestrationStatus;

function query(bench: Bench, rest: Partial<InstanceQuery> = {}): Promise<Page<InstanceRecord>> {
  return bench.store.queryInstances({
    ...{ hub: HUB, statuses: [], createdFrom: undefined, createdTo: undefined },
    ...{ idPrefix: undefined, after: undefined, limit: 100, payloads: false },
    ...rest,
  });
}

function listEnded(bench: Bench, rest: Partial<EndedQuery> = {}): Promise<Page<string>> {
  return bench.store.listEnded({
    ...{ hub: HUB, statuses: [], completedFrom: undefined, completedTo: undefined },
    ...{ after: undefined, limit: 100 },
    ...rest,
  });
}

const idsOf = ({ items }: Page<InstanceRecord>): string[] =>
  items.map(({ instanceId }) => instanceId);

/** All pages; `between` runs after each but the last. */
async function allPages(
  read: (after: PageToken | undefined) => Promise<Page<string>>,
  between: () => Promise<void>,
): Promise<string[]> {
  const seen: string[] = [];
  for (let after: PageToken | undefined; ;) {
    const page: Page<string> = await read(after);
    seen.push(...page.items);
    if (!page.next) return seen;
    after = page.next;
    await between();
  }
}

function forcedEnd(instanceId: string, reason = '"stop"'): Commit {
  const value = { input: reason, recurse: false };
  const event = encodeEvent({ eventType: { case: 'executionTerminated', value } });
  return { kind: 'end', hub: HUB, instanceId, event };
}

function purge(instanceId: string, onLive: 'refuse' | 'skip' = 'skip'): Commit {
  return { kind: 'purge', hub: HUB, instanceId, onLive };
}

/** Starts and ends an instance. */
async function ended(bench: Bench, instanceId: string, output = '1'): Promise<void> {
  await bench.apply(turn(await bench.begin(instanceId), [complete(output)]));
}

export function managementContract(use: UseBench): void {
  describe('a list of instances', () => {
    it('holds orchestrations in the order of their creation', async () => {
      const bench = use();
      for (const id of ['c', 'a', 'b']) {
        await bench.apply(bench.start(id));
        bench.advance(1);
      }
      const page = await query(bench);
      assert.deepEqual(idsOf(page), ['c', 'a', 'b']);
      assert.equal(page.next, undefined);
    });

    it('can be narrowed by status and time, the beginning in and the end out', async () => {
      const bench = use();
      const from = bench.now;
      await ended(bench, 'done');
      bench.advance(10);
      await bench.apply(turn(await bench.begin('running')));
      bench.advance(10);
      await bench.apply(bench.start('pending'));
      assert.deepEqual(idsOf(await query(bench, { statuses: [COMPLETED, PENDING] })), [
        'done',
        'pending',
      ]);
      assert.deepEqual(idsOf(await query(bench, { statuses: [RUNNING] })), ['running']);
      assert.deepEqual(idsOf(await query(bench, { statuses: [FAILED] })), []);
      assert.deepEqual(idsOf(await query(bench, { createdFrom: from + 10 })), [
        'running',
        'pending',
      ]);
      assert.deepEqual(idsOf(await query(bench, { createdTo: from + 10 })), ['done']);
      const both = { createdFrom: from + 10, createdTo: from + 20, statuses: [RUNNING] };
      assert.deepEqual(idsOf(await query(bench, both)), ['running']);
    });

    it('by prefix is in the order of ids, and knows case', async () => {
      const bench = use();
      const ids = ['ab', 'a', 'aB', 'b', 'Ab', 'a%', 'a_', 'a~z'];
      await bench.exchange(ids.map((id) => bench.start(id)));
      assert.deepEqual(idsOf(await query(bench, { idPrefix: 'a' })), [
        'a',
        'a%',
        'aB',
        'a_',
        'ab',
        'a~z',
      ]);
      assert.deepEqual(idsOf(await query(bench, { idPrefix: 'a~' })), ['a~z']);
      assert.deepEqual(idsOf(await query(bench, { idPrefix: 'zz' })), []);
      const first = await query(bench, { idPrefix: 'a', limit: 2 });
      assert.deepEqual(idsOf(first), ['a', 'a%']);
      const second = await query(bench, { idPrefix: 'a', limit: 10, after: first.next });
      assert.deepEqual(idsOf(second), ['aB', 'a_', 'ab', 'a~z']);
    });

    it('has payloads when asked for, and ends a page before they are too many', async () => {
      const bench = use();
      const input = JSON.stringify('x'.repeat(1_000_000));
      for (const id of ['a', 'b', 'c', 'd']) await bench.apply(bench.start(id, { input }));
      const bare = await query(bench);
      assert.deepEqual(
        bare.items.map((item) => item.input),
        Array(4).fill(undefined),
      );
      const first = await query(bench, { payloads: true });
      assert.deepEqual(
        first.items.map((item) => item.input),
        [input, input, input],
      );
      const second = await query(bench, { payloads: true, after: first.next });
      assert.deepEqual(idsOf(second), ['d']);
      assert.equal(second.next, undefined);
    });

    it('has the failure of a failed instance and the output of an ended one', async () => {
      const bench = use();
      await ended(bench, 'good', '"out"');
      await bench.apply(turn(await bench.begin('bad'), [fail('Broken', 'it is broken')]));
      const { items } = await query(bench, { payloads: true });
      assert.equal(items[0]?.output, '"out"');
      assert.equal(items[1]?.failureDetails?.errorMessage, 'it is broken');
    });

    it('visits each row once while rows are added, changed and deleted', async () => {
      const bench = use();
      let run = 0;
      const wish = fc.record({
        count: fc.integer({ min: 1, max: 12 }),
        limit: fc.integer({ min: 1, max: 5 }),
        hasPrefix: fc.boolean(),
        steps: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 8 }),
      });
      await fc.assert(
        fc.asyncProperty(wish, async ({ count, limit, hasPrefix, steps }) => {
          run += 1;
          const prefix = `run${run}-`;
          const createdFrom = (bench.now += 1);
          const before: string[] = [];
          for (let index = 0; index < count; index += 1) {
            const id = `${prefix}${String((index * 7) % 13).padStart(2, '0')}`;
            before.push(id);
            await bench.apply(bench.start(id));
            bench.advance(index % 2);
          }
          let added = 0;
          const filter = hasPrefix ? { idPrefix: prefix } : { createdFrom };
          const read = async (after: PageToken | undefined): Promise<Page<string>> => {
            const page = await query(bench, { ...filter, limit, after });
            assert.ok(page.items.length <= limit);
            return { items: idsOf(page), next: page.next };
          };
          const seen = await allPages(read, async () => {
            const step = steps[added] ?? 0;
            added += 1;
            for (let more = 0; more < step; more += 1) {
              await bench.apply(bench.start(`${prefix}${added}-${more}`));
            }
          });
          assert.equal(new Set(seen).size, seen.length, 'nothing twice');
          assert.deepEqual(
            before.filter((id) => !seen.includes(id)),
            [],
            'nothing left out',
          );
        }),
        { numRuns: 25 },
      );
    });

    it('is of one task hub', async () => {
      const bench = use();
      await bench.commit({ kind: 'createHub', hub: 'other', recreate: false });
      await bench.apply(bench.start('a', { hub: 'other' }));
      assert.deepEqual(idsOf(await query(bench)), []);
      await assert.rejects(query(bench, { hub: 'nowhere' }), { code: 'TASK_HUB_NOT_FOUND' });
    });
  });

  describe('a list of ended instances', () => {
    it('is in the order of their ends, and leaves out who lives', async () => {
      const bench = use();
      await bench.apply(bench.start('live'));
      const first = await bench.takeTurn();
      await bench.apply(bench.start('late'));
      const second = await bench.takeTurn();
      await bench.apply(turn(second, [complete()]));
      bench.advance(5);
      await bench.apply(turn(await bench.begin('early'), [fail('Broken', 'broken')]));
      await bench.apply(turn(first));
      assert.deepEqual((await listEnded(bench)).items, ['late', 'early']);
      assert.deepEqual((await listEnded(bench, { statuses: [FAILED] })).items, ['early']);
      assert.deepEqual((await listEnded(bench, { statuses: [TERMINATED] })).items, []);
      assert.deepEqual((await listEnded(bench, { completedFrom: bench.now })).items, ['early']);
      assert.deepEqual((await listEnded(bench, { completedTo: bench.now })).items, ['late']);
    });

    it('has each id on one page although instances end meanwhile', async () => {
      const bench = use();
      const ids = ['a', 'b', 'c', 'd', 'e'];
      for (const id of ids) await ended(bench, id);
      let more = 0;
      const seen = await allPages(
        (after) => listEnded(bench, { limit: 2, after }),
        async () => {
          more += 1;
          if (more < 4) await ended(bench, `more${more}`);
        },
      );
      assert.equal(new Set(seen).size, seen.length);
      assert.deepEqual(seen.slice(0, 5), ids);
    });
  });

  describe('children of instances', () => {
    it('are named, direct ones only', async () => {
      const bench = use();
      const two = [createChild(1, 'one'), createChild(2, 'two')];
      await bench.apply(turn(await bench.begin('parent'), two));
      const [first, second] = await bench.take();
      assert.ok(first?.kind === 'orchestration' && second);
      await bench.apply(turn(first, [createChild(1, 'grandchild')]));
      const children = await bench.store.children(HUB, ['parent', 'nobody', 'two']);
      assert.deepEqual([...children].sort(), ['one', 'two']);
    });
  });

  describe('what an instance was started with', () => {
    it('is known before, during and after its run', async () => {
      const bench = use();
      const options = { name: 'O', version: '2', input: '"in"', tags: { k: 'v' } };
      const expected = { name: 'O', version: '2', input: '"in"', tags: { k: 'v' } };
      await bench.apply(bench.start('a', options));
      const now = (): ReturnType<Bench['store']['getStart']> => bench.store.getStart(HUB, 'a');
      assert.deepEqual(await now(), { ...expected, status: PENDING });
      const item = await bench.takeTurn();
      await bench.apply(turn(item, [scheduleTask(1)]));
      assert.deepEqual(await now(), { ...expected, status: RUNNING });
      await bench.apply(activityDone(await bench.takeActivity()));
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
      assert.deepEqual(await now(), { ...expected, status: COMPLETED });
      assert.equal(await bench.store.getStart(HUB, 'nobody'), undefined);
    });
  });

  describe('a purge', () => {
    it('deletes what has ended, and counts it', async () => {
      const bench = use();
      await ended(bench, 'a');
      assert.deepEqual(await bench.commit(purge('a')), { ok: true, count: 1 });
      assert.deepEqual(await bench.commit(purge('a')), { ok: true, count: 0 });
      assert.equal(await bench.store.getInstance(HUB, 'a', { payloads: true }), undefined);
      assert.deepEqual(await bench.history('a'), []);
      await bench.apply(bench.start('a'));
    });

    it('leaves alone or refuses what lives', async () => {
      const bench = use();
      await bench.apply(bench.start('a'));
      assert.deepEqual(await bench.commit(purge('a')), { ok: true, count: 0 });
      const refused = await bench.commit(purge('a', 'refuse'));
      assert.equal(refusal(refused), 'WRONG_STATE');
      assert.equal((await bench.get('a')).status, PENDING);
    });

    it('in one round with its end deletes it', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const { outcomes } = await bench.exchange([turn(item, [complete()]), purge('a'), purge('a')]);
      assert.deepEqual(outcomes, [{ ok: true }, { ok: true, count: 1 }, { ok: true, count: 0 }]);
      assert.equal(await bench.store.getInstance(HUB, 'a', { payloads: true }), undefined);
    });
  });

  describe('a forced end', () => {
    it('ends an instance that nobody has run', async () => {
      const bench = use();
      await bench.apply(bench.start('a', { input: '"in"' }));
      assert.deepEqual(await bench.commit(forcedEnd('a')), { ok: true, count: 1 });
      const { status, output, input } = await bench.get('a');
      assert.deepEqual([status, output, input], [TERMINATED, '"stop"', '"in"']);
      assert.deepEqual((await bench.history('a')).map(caseOf), [
        'executionStarted',
        'executionTerminated',
        'executionCompleted',
      ]);
      await bench.takeNothing();
    });

    it('takes the turn from the worker that holds it', async () => {
      const bench = use();
      const item = await bench.begin('a', { input: '"in"' });
      assert.deepEqual(await bench.commit(forcedEnd('a')), { ok: true, count: 1 });
      assert.equal(refusal(await bench.commit(turn(item, [complete()]))), 'LEASE_LOST');
      const { status, input } = await bench.get('a');
      assert.deepEqual([status, input], [TERMINATED, '"in"']);
    });

    it('ends the newest generation', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('a'), [continueAsNew('"second"')]));
      await bench.apply(raise('a', 'x'));
      assert.deepEqual(await bench.commit(forcedEnd('a')), { ok: true, count: 1 });
      const { status, input } = await bench.get('a');
      assert.deepEqual([status, input], [TERMINATED, '"second"']);
      await bench.takeNothing();
    });

    it('in the round of continue-as-new ends what begins there', async () => {
      const bench = use();
      const item = await bench.begin('a');
      await bench.exchange([turn(item, [continueAsNew('"second"')]), forcedEnd('a')]);
      const { status, input } = await bench.get('a');
      assert.deepEqual([status, input], [TERMINATED, '"second"']);
    });

    it('drops its activities and timers, and tells its parent', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
      await bench.apply(turn(await bench.takeTurn(), [scheduleTask(1)]));
      await bench.commit(forcedEnd('child'));
      await bench.takeNothing({ orchestrations: 0 });
      const { fresh } = { fresh: (await bench.takeTurn()).newEvents.length };
      assert.equal(fresh, 2);
    });

    it('counts nothing where nothing lives', async () => {
      const bench = use();
      await ended(bench, 'a');
      assert.deepEqual(await bench.commit(forcedEnd('a')), { ok: true, count: 0 });
      assert.deepEqual(await bench.commit(forcedEnd('nobody')), { ok: true, count: 0 });
    });
  });

  describe('a restart', () => {
    it('is a new instance on the id of one that has ended', async () => {
      const bench = use();
      await ended(bench, 'a');
      bench.advance(1000);
      const again = { ...bench.start('a', { input: '"in"' }), kind: 'restart' } as RestartCommit;
      await bench.apply(again);
      const { status, createdAt, output, completedAt } = await bench.get('a');
      assert.deepEqual(
        [status, createdAt, output, completedAt],
        [PENDING, bench.now, undefined, undefined],
      );
      await bench.apply(turn(await bench.takeTurn(), [complete('"again"')]));
      assert.equal((await bench.get('a')).output, '"again"');
    });

    it('is refused while it lives', async () => {
      const bench = use();
      const item = await bench.begin('a');
      const again = { ...bench.start('a'), kind: 'restart' } as RestartCommit;
      const refused = await bench.commit(again);
      assert.equal(refusal(refused), 'WRONG_STATE');
      assert.match(refused.ok ? '' : refused.error.message, /'a'.*RUNNING|'a'.*PENDING/);
      await bench.apply(turn(item, [complete()]));
    });
  });
}

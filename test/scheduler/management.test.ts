import assert from 'node:assert/strict';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { systemIds } from '../../src/base/ids.ts';
import {
  InstanceQuerySchema,
  ListInstanceIdsRequestSchema,
  OrchestrationStatus,
  PurgeInstancesRequestSchema,
  RestartInstanceRequestSchema,
  RewindInstanceRequestSchema,
  SkipGracefulOrchestrationTerminationsRequestSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import { Management, type InstancePage } from '../../src/scheduler/management.ts';
import { openStore } from '../../src/storage/open-store.ts';
import type { Commit, Outcome } from '../../src/storage/store.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { Bench, HUB, turn } from '../contract/store/bench.ts';
import { complete, createChild, fail } from '../support/actions.ts';
import { ManualClock } from '../support/manual-clock.ts';

const { COMPLETED, FAILED, PENDING, RUNNING, TERMINATED } = OrchestrationStatus;

type QueryInit = Omit<MessageInitShape<typeof InstanceQuerySchema>, '$typeName'>;
type PurgeInit = Omit<MessageInitShape<typeof PurgeInstancesRequestSchema>, '$typeName'>;
type FilterInit = Extract<
  NonNullable<PurgeInit['request']>,
  { case: 'purgeInstanceFilter' }
>['value'];

describe('management', () => {
  let bench: Bench;
  let clock: ManualClock;
  let management: Management;
  /** Time that each commit takes. */
  let commitMs: number;
  let submitted: Commit[];

  beforeEach(async () => {
    clock = new ManualClock();
    commitMs = 0;
    submitted = [];
    bench = await Bench.open(async () => {
      const store = await openStore({
        storage: 'memory',
        logger: silentLogger,
        clock,
        ids: systemIds,
      });
      return {
        store,
        reopen: () => Promise.reject(new Error('a memory store is not opened again')),
        close: () => store.close(),
      };
    });
    const submit = (commit: Commit): Promise<Outcome> => {
      submitted.push(commit);
      clock.advance(commitMs);
      return bench.commit(commit);
    };
    management = new Management({ store: bench.store, clock, ids: systemIds, submit });
  });
  afterEach(() => bench.close());

  async function ended(...ids: readonly string[]): Promise<void> {
    for (const id of ids) await bench.apply(turn(await bench.begin(id), [complete('1')]));
  }

  async function exists(id: string): Promise<boolean> {
    return (await bench.store.getInstance(HUB, id, { payloads: false })) !== undefined;
  }

  function query(init: QueryInit = {}): Promise<InstancePage> {
    return management.query(HUB, create(InstanceQuerySchema, init));
  }

  const idsOf = ({ states }: InstancePage): string[] => states.map(({ instanceId }) => instanceId);

  function purge(init: PurgeInit): ReturnType<Management['purge']> {
    return management.purge(HUB, create(PurgeInstancesRequestSchema, init));
  }

  function purgeFilter(value: FilterInit, recursive = false): ReturnType<Management['purge']> {
    return purge({ request: { case: 'purgeInstanceFilter', value }, recursive });
  }

  /** A parent that has ended, its ended child and that one's ended child. */
  async function family(): Promise<void> {
    await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
    await bench.apply(turn(await bench.takeTurn(), [createChild(1, 'grandchild')]));
    for (let level = 0; level < 3; level += 1) {
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
    }
  }

  describe('of queries', () => {
    it('gives pages without an empty token at the end', async () => {
      for (const id of ['a', 'b', 'c']) await bench.apply(bench.start(id));
      const first = await query({ maxInstanceCount: 2 });
      assert.deepEqual(idsOf(first), ['a', 'b']);
      assert.ok(first.continuationToken);
      const { continuationToken } = first;
      const last = await query({ maxInstanceCount: 2, continuationToken });
      assert.deepEqual([idsOf(last), last.continuationToken], [['c'], undefined]);
      const all = await query({ maxInstanceCount: 3, continuationToken: '' });
      assert.deepEqual([all.states.length, all.continuationToken], [3, undefined]);
    });

    it('passes every filter on', async () => {
      await bench.apply(turn(await bench.begin('other')));
      bench.advance(1000);
      await ended('a-done');
      await bench.apply(bench.start('a-waits', { input: '"in"' }));
      const window = {
        createdTimeFrom: timestampFromMs(bench.now),
        createdTimeTo: timestampFromMs(bench.now + 1),
      };
      assert.deepEqual(idsOf(await query({ instanceIdPrefix: 'a-', ...window })), [
        'a-done',
        'a-waits',
      ]);
      assert.deepEqual(idsOf(await query({ runtimeStatus: [PENDING], ...window })), ['a-waits']);
      assert.deepEqual(idsOf(await query({ instanceIdPrefix: '' })), [
        'other',
        'a-done',
        'a-waits',
      ]);
      const [state] = (await query({ instanceIdPrefix: 'a-w', fetchInputsAndOutputs: true }))
        .states;
      assert.equal(state?.input, '"in"');
    });

    it('finds nothing for other task hubs', async () => {
      await bench.apply(bench.start('a'));
      assert.equal((await query({ taskHubNames: [{ value: 'other' }] })).states.length, 0);
      const own = [{ value: 'other' }, { value: HUB }];
      assert.equal((await query({ taskHubNames: own })).states.length, 1);
    });

    it('refuses tokens that are not its own, or of another query', async () => {
      for (const id of ['a', 'b']) await bench.apply(bench.start(id));
      const invalid = { code: 'INVALID_ARGUMENT' };
      await assert.rejects(query({ continuationToken: 'nonsense' }), invalid);
      const { continuationToken } = await query({ maxInstanceCount: 1 });
      assert.ok(continuationToken);
      await assert.rejects(query({ continuationToken, instanceIdPrefix: 'a' }), invalid);
      const byId = await query({ maxInstanceCount: 1, instanceIdPrefix: 'a' });
      assert.equal(byId.continuationToken, undefined);
    });
  });

  describe('of lists of ended instances', () => {
    it('gives pages with keys, and none for the last', async () => {
      await ended('a', 'b', 'c');
      const list = (init: object): ReturnType<Management['listEnded']> =>
        management.listEnded(HUB, create(ListInstanceIdsRequestSchema, init));
      const first = await list({ pageSize: 2, lastInstanceKey: '' });
      assert.deepEqual(first.ids, ['a', 'b']);
      const last = await list({ pageSize: 2, lastInstanceKey: first.lastKey });
      assert.deepEqual(last, { ids: ['c'], lastKey: undefined });
      assert.deepEqual((await list({ runtimeStatus: [RUNNING] })).ids, []);
      assert.deepEqual((await list({ runtimeStatus: [RUNNING, COMPLETED] })).ids, ['a', 'b', 'c']);
      const completedTimeTo = timestampFromMs(bench.now);
      assert.deepEqual((await list({ completedTimeTo })).ids, []);
      assert.equal((await list({ completedTimeFrom: completedTimeTo })).ids.length, 3);
    });
  });

  describe('of purges', () => {
    it('deletes one instance, and counts nothing for a missing or live one', async () => {
      await ended('a');
      await bench.apply(bench.start('live'));
      const one = (value: string): ReturnType<Management['purge']> =>
        purge({ request: { case: 'instanceId', value } });
      assert.deepEqual(await one('a'), { deleted: 1, isComplete: true });
      assert.deepEqual(await one('a'), { deleted: 0, isComplete: true });
      assert.deepEqual(await one('live'), { deleted: 0, isComplete: true });
      const request = { case: 'instanceId' as const, value: 'live' };
      await assert.rejects(purge({ request, isOrchestration: true }), { code: 'WRONG_STATE' });
    });

    it('leaves children alone unless it is recursive', async () => {
      await family();
      const request = { case: 'instanceId' as const, value: 'parent' };
      assert.equal((await purge({ request })).deleted, 1);
      assert.ok(await exists('child'));
      await purge({ request: { ...request, value: 'child' }, recursive: true });
      assert.deepEqual([await exists('child'), await exists('grandchild')], [false, false]);
    });

    it('deletes children first, and counts them all', async () => {
      await family();
      const request = { case: 'instanceId' as const, value: 'parent' };
      assert.deepEqual(await purge({ request, recursive: true }), { deleted: 3, isComplete: true });
      const order = submitted.map((commit) => commit.kind === 'purge' && commit.instanceId);
      assert.deepEqual(order, ['grandchild', 'child', 'parent']);
    });

    it('keeps what is below a live instance', async () => {
      await bench.apply(turn(await bench.begin('parent'), [createChild(1, 'child')]));
      await bench.apply(turn(await bench.takeTurn(), [complete()]));
      const request = { case: 'instanceId' as const, value: 'parent' };
      assert.equal((await purge({ request, recursive: true })).deleted, 0);
      const strict = purge({ request, recursive: true, isOrchestration: true });
      await assert.rejects(strict, { code: 'WRONG_STATE' });
      assert.ok(await exists('child'));
    });

    it('takes a batch of 500 ids and no more', async () => {
      await ended('a', 'b');
      await bench.apply(bench.start('live'));
      const ids = Array.from({ length: 497 }, (_, index) => `missing${index}`);
      const instanceIds = ['a', 'live', 'b', ...ids];
      const batch = (all: string[]): ReturnType<Management['purge']> =>
        purge({ request: { case: 'instanceBatch', value: { instanceIds: all } } });
      assert.deepEqual(await batch(instanceIds), { deleted: 2, isComplete: true });
      await assert.rejects(batch([...instanceIds, 'x']), {
        code: 'INVALID_ARGUMENT',
        message: /501.*500/,
      });
    });

    it('by filter deletes the ended that match', async () => {
      await ended('old');
      bench.advance(1000);
      await ended('new');
      await bench.apply(turn(await bench.begin('bad'), [fail('Broken', 'broken')]));
      await bench.apply(bench.start('live'));
      assert.equal((await purgeFilter({ runtimeStatus: [RUNNING, PENDING] })).deleted, 0);
      assert.equal((await purgeFilter({ runtimeStatus: [FAILED, RUNNING] })).deleted, 1);
      const createdTimeFrom = timestampFromMs(bench.now);
      assert.equal((await purgeFilter({ createdTimeTo: createdTimeFrom })).deleted, 1);
      assert.deepEqual(await purgeFilter({ createdTimeFrom }), { deleted: 1, isComplete: true });
      assert.deepEqual(idsOf(await query()), ['live']);
    });

    it('by filter goes through many pages', async () => {
      const ids = Array.from({ length: 250 }, (_, index) => `i${index}`);
      await bench.exchange(ids.map((id) => bench.start(id)));
      const claimed = await bench.take({ orchestrations: 1000 });
      await bench.exchange(claimed.map((item) => turn(item, [complete()])));
      assert.deepEqual(await purgeFilter({}), { deleted: 250, isComplete: true });
      assert.deepEqual(idsOf(await query()), []);
    });

    it('by filter stops when its time is over, and can go on', async () => {
      await ended('a', 'b', 'c', 'd', 'e');
      commitMs = 100;
      const filter = { timeout: durationFromMs(250) };
      assert.deepEqual(await purgeFilter(filter), { deleted: 3, isComplete: false });
      assert.deepEqual(await purgeFilter(filter), { deleted: 2, isComplete: true });
    });

    it('by filter takes children along if it is recursive', async () => {
      await family();
      const createdTimeTo = timestampFromMs(bench.now + 1);
      assert.equal((await purgeFilter({ createdTimeTo }, true)).deleted, 3);
    });

    it('refuses a request for nothing', async () => {
      await assert.rejects(purge({}), { code: 'INVALID_ARGUMENT' });
    });
  });

  describe('of restarts', () => {
    const restart = (instanceId: string, restartWithNewInstanceId: boolean): Promise<string> =>
      management.restart(
        HUB,
        create(RestartInstanceRequestSchema, { instanceId, restartWithNewInstanceId }),
      );

    it('uses the id again once it is free', async () => {
      await bench.apply(bench.start('a', { input: '"in"', version: '2', tags: { k: 'v' } }));
      await assert.rejects(restart('a', false), { code: 'WRONG_STATE' });
      await bench.apply(turn(await bench.takeTurn(), [complete('"out"')]));
      const before = await bench.get('a');
      assert.equal(await restart('a', false), 'a');
      const after = await bench.get('a');
      assert.deepEqual([after.status, after.output], [PENDING, undefined]);
      assert.deepEqual([after.input, after.version, after.tags], ['"in"', '2', { k: 'v' }]);
      assert.notEqual(after.executionId, before.executionId);
    });

    it('with a new id leaves the source as it is, also a live one', async () => {
      await bench.apply(turn(await bench.begin('a', { input: '"in"' })));
      const id = await restart('a', true);
      assert.match(id, /^[0-9a-f]{32}$/);
      assert.equal((await bench.get(id)).input, '"in"');
      assert.equal((await bench.get('a')).status, RUNNING);
    });

    it('of a child has no parent', async () => {
      await family();
      const id = await restart('child', true);
      assert.equal((await bench.get(id)).parentInstanceId, undefined);
    });

    it('of a missing instance is refused', async () => {
      await assert.rejects(restart('nobody', true), { code: 'INSTANCE_NOT_FOUND' });
    });
  });

  describe('of rewinds', () => {
    it('runs a failed instance again and refuses others', async () => {
      const rewind = (instanceId: string): Promise<void> =>
        management.rewind(HUB, create(RewindInstanceRequestSchema, { instanceId }));
      await bench.apply(turn(await bench.begin('a'), [fail('Broken', 'broken')]));
      await rewind('a');
      assert.equal((await bench.get('a')).status, RUNNING);
      await assert.rejects(rewind('a'), { code: 'WRONG_STATE' });
      await assert.rejects(rewind('nobody'), { code: 'INSTANCE_NOT_FOUND' });
      await assert.rejects(rewind(''), { code: 'INVALID_ARGUMENT' });
    });
  });

  describe('of forced ends', () => {
    const force = (instanceIds: string[], reason?: string): Promise<readonly string[]> =>
      management.forceEnd(
        HUB,
        create(SkipGracefulOrchestrationTerminationsRequestSchema, {
          instanceBatch: { instanceIds },
          ...(reason !== undefined && { reason }),
        }),
      );

    it('ends what lives and names the others', async () => {
      await ended('done');
      await bench.apply(turn(await bench.begin('running')));
      await bench.apply(bench.start('waiting'));
      const left = await force(['running', 'nobody', 'waiting', 'done'], '"why"');
      assert.deepEqual(left, ['nobody', 'done']);
      for (const id of ['running', 'waiting']) {
        const { status, output } = await bench.get(id);
        assert.deepEqual([status, output], [TERMINATED, '"why"']);
      }
      assert.deepEqual(await force(['running']), ['running']);
    });

    it('takes no more than 500 ids, and none at all', async () => {
      const ids = Array.from({ length: 501 }, (_, index) => `i${index}`);
      await assert.rejects(force(ids), { code: 'INVALID_ARGUMENT' });
      const none = create(SkipGracefulOrchestrationTerminationsRequestSchema, {});
      assert.deepEqual(await management.forceEnd(HUB, none), []);
    });
  });
});

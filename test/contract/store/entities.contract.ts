/** Entities in the store: queues, batches, locks, and what is remembered of requests. */
import assert from 'node:assert/strict';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { create } from '@bufbuild/protobuf';
import { ENTITY_BATCH_MAX } from '../../../src/core/limits.ts';
import {
  OrchestrationIdReusePolicySchema,
  OrchestrationStatus,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { ClaimedEntity } from '../../../src/storage/store.ts';
import {
  callEntity,
  complete,
  continueAsNew,
  fail,
  lockEntities,
  requestId,
  signalEntity,
  unlockEntity,
} from '../../support/actions.ts';
import { raise, refusal, terminate, turn, type Bench, type UseBench } from './bench.ts';
import {
  batchDone,
  eventsTaken,
  operationsOf,
  signal,
  stateOf,
  takeBatch,
  takeNoBatch,
} from './entity-bench.ts';

const A = '@a@1';
const B = '@b@1';

/** An orchestration that holds these entities; the turn that it was told in is answered. */
async function holder(bench: Bench, id: string, entities: string[]): Promise<void> {
  await bench.apply(turn(await bench.begin(id), [lockEntities(1, `section-${id}`, entities)]));
  const granted = await bench.takeTurn();
  assert.deepEqual(eventsTaken(granted), ['entityLockGranted']);
  await bench.apply(turn(granted));
}

/** The next turn of a live orchestration, answered with these actions. */
async function act(bench: Bench, id: string, actions: Parameters<typeof turn>[1]): Promise<void> {
  await bench.apply(raise(id, 'go'));
  const claimed = await bench.take({ activities: 0 });
  const mine = claimed.find((item) => item.kind === 'orchestration' && item.instanceId === id);
  assert.ok(mine?.kind === 'orchestration');
  for (const other of claimed) {
    if (other !== mine && other.kind === 'orchestration') await bench.apply(turn(other));
  }
  await bench.apply(turn(mine, actions));
}

async function lockedBy(bench: Bench, entityId: string): Promise<string | undefined> {
  return (await bench.store.getEntity('default', entityId, { state: false }))?.lockedBy;
}

export function entitiesContract(use: UseBench): void {
  describe('entities', () => {
    it('are made by the first message, and run it with no state', async () => {
      const bench = use();
      await bench.apply(signal(A, '1'));
      const batch = await takeBatch(bench);
      assert.deepEqual([batch.instanceId, batch.state, operationsOf(batch)], [A, undefined, ['1']]);
      assert.match(batch.executionId, /^[0-9a-f]{32}$/);
    });

    it('keep the state of the last batch', async () => {
      const bench = use();
      for (const [id, before, after] of [
        ['1', undefined, 'first'],
        ['2', 'first', 'second'],
      ] as const) {
        await bench.apply(signal(A, id));
        const batch = await takeBatch(bench);
        assert.equal(stateOf(batch), before);
        bench.advance(10);
        await bench.apply(batchDone(batch, after));
      }
      const record = await bench.store.getEntity('default', A, { state: true });
      assert.deepEqual([record?.state, record?.modifiedAt], ['second', bench.now]);
    });

    it('run one batch at a time, with all that has arrived meanwhile in the next', async () => {
      const bench = use();
      await bench.apply(signal(A, '1'));
      const first = await takeBatch(bench);
      await bench.apply(signal(A, '2'));
      await bench.apply(signal(A, '3'));
      await takeNoBatch(bench);
      const record = await bench.store.getEntity('default', A, { state: false });
      assert.equal(record, undefined);
      await bench.apply(batchDone(first, 'x'));
      assert.deepEqual(operationsOf(await takeBatch(bench)), ['2', '3']);
      const waiting = await bench.store.getEntity('default', A, { state: false });
      assert.deepEqual([waiting?.backlog, waiting?.state], [2, undefined]);
    });

    it('have batches with a bound', async () => {
      const bench = use();
      const signals = Array.from({ length: ENTITY_BATCH_MAX + 3 }, (_, at) => signal(A, `${at}`));
      for (const outcome of (await bench.exchange(signals)).outcomes) assert.ok(outcome.ok);
      const batch = await takeBatch(bench);
      assert.equal(batch.operations.length, ENTITY_BATCH_MAX);
      await bench.apply(batchDone(batch, 'x'));
      assert.equal((await takeBatch(bench)).operations.length, 3);
    });

    it('get the operations back that a batch did not come to', async () => {
      const bench = use();
      for (const id of ['1', '2', '3']) await bench.apply(signal(A, id));
      await bench.apply(batchDone(await takeBatch(bench), 'x', { count: 1 }));
      await bench.apply(signal(A, '4'));
      assert.deepEqual(operationsOf(await takeBatch(bench)), ['2', '3', '4']);
    });

    it('refuse a stale answer, and run the batch again', async () => {
      const bench = use();
      await bench.apply(signal(A, '1'));
      const batch = await takeBatch(bench);
      const { hub, token } = batch;
      await bench.apply({ kind: 'abandon', hub, work: 'entity', token });
      assert.equal(refusal(await bench.commit(batchDone(batch, 'x'))), 'LEASE_LOST');
      bench.advance(60_000);
      const again = await takeBatch(bench);
      assert.deepEqual(operationsOf(again), ['1']);
      assert.notEqual(again.token, token);
      await bench.apply(batchDone(again, 'x'));
      assert.equal(refusal(await bench.commit(batchDone(again, 'y'))), 'LEASE_LOST');
    });

    it('are handed out with their state again when a worker has forgotten it', async () => {
      const bench = use();
      await bench.apply(signal(A, '1'));
      await bench.apply(batchDone(await takeBatch(bench), 'x'));
      await bench.apply(signal(A, '2'));
      await bench.apply(batchDone(await takeBatch(bench), 'y', { rest: { requiresState: true } }));
      const again = await takeBatch(bench);
      assert.deepEqual([stateOf(again), operationsOf(again)], ['x', ['2']]);
    });

    it('leave out a state that the worker has, by its name', async () => {
      const bench = use();
      await bench.apply(signal(A, '1'));
      const first = await takeBatch(bench);
      await bench.apply(batchDone(first, 'x'));
      await bench.apply(signal(A, '2'));
      const caches = new Set([first.memory.after]);
      const second = await takeBatch(bench, { caches });
      assert.deepEqual([second.isStateCached, stateOf(second)], [true, undefined]);
      assert.equal(second.memory.before, first.memory.after);
      await bench.apply(batchDone(second, 'y'));
      await bench.apply(signal(A, '3'));
      const third = await takeBatch(bench, { caches });
      assert.deepEqual([third.isStateCached, stateOf(third)], [false, 'y']);
    });

    it('never name two states alike, whatever becomes of the batches', async () => {
      const bench = use();
      const all = new Set<string>();
      /** Promised to batches that came to nothing: a worker may believe that it has these states. */
      const vain = new Set<string>();
      const take = async (expected: string | undefined): Promise<ClaimedEntity> => {
        bench.advance(60_000);
        const batch = await takeBatch(bench, { caches: vain });
        assert.equal(stateOf(batch), expected);
        assert.ok(!all.has(batch.memory.after), 'the name is new');
        all.add(batch.memory.after);
        vain.add(batch.memory.after);
        return batch;
      };
      const commit = async (batch: ClaimedEntity, state: string | undefined): Promise<void> => {
        await bench.apply(batchDone(batch, state));
        vain.delete(batch.memory.after);
      };
      const give = { hub: 'default', work: 'entity' } as const;

      await bench.apply(signal(A, '1'));
      await bench.apply({ kind: 'abandon', ...give, token: (await take(undefined)).token });
      await commit(await take(undefined), 'x');
      await bench.apply(signal(A, '2'));
      const lost = { ...give, readyAt: bench.now, loss: { parkAfter: 10 } };
      await bench.apply({ kind: 'release', ...lost, token: (await take('x')).token });
      const broken = { failureDetails: { errorType: 'Down', errorMessage: 'down' } };
      await bench.apply(batchDone(await take('x'), 'bad', { count: 0, rest: broken }));
      // A batch that cannot be kept is done, and the state stays: not under the name that it was promised.
      await bench.apply(batchDone(await take('x'), 'bad', { rest: { actions: [{ id: 1 }] } }));
      await bench.apply(signal(A, '3'));
      await commit(await take('x'), undefined);
      await bench.apply(signal(A, '4'));
      await commit(await take(undefined), 'y');
      await bench.commit({ kind: 'purge', hub: 'default', instanceId: A, onLive: 'refuse' });
      await bench.apply(signal(A, '5'));
      await take(undefined);
      assert.equal(all.size, 8);
    });

    it('are tried again when a worker cannot run them, and then let go', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('o'), [callEntity(1, A, 'get')]));
      const rest = { failureDetails: { errorType: 'NoEntity', errorMessage: 'no such entity' } };
      for (let attempt = 0; attempt < 5; attempt += 1) {
        bench.advance(60_000);
        await bench.apply(batchDone(await takeBatch(bench), undefined, { count: 0, rest }));
        if (attempt < 4) await takeNoBatch(bench);
      }
      assert.deepEqual(eventsTaken(await bench.takeTurn()), ['entityOperationFailed']);
      await bench.apply(signal(A, 'next'));
      assert.deepEqual(operationsOf(await takeBatch(bench)), ['next']);
    });

    it('apply a request once', async () => {
      const bench = use();
      await bench.apply(signal(A, '1'));
      await bench.apply(signal(A, '1'));
      const batch = await takeBatch(bench);
      assert.deepEqual(operationsOf(batch), ['1']);
      await bench.apply(batchDone(batch, undefined));
      await bench.apply(signal(A, '1'));
      await takeNoBatch(bench);
      await bench.exchange([signal(A, '2'), signal(A, '2'), signal(B, '1')]);
      const [first, second] = await bench.take({ entities: 10 });
      assert.deepEqual(
        [first, second].map((item) => item && operationsOf(item as ClaimedEntity)),
        [['2'], ['1']],
      );
    });

    it('tell executions apart whose request ids are the same', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('o'), [signalEntity(1, A, 'add'), continueAsNew()]));
      await bench.apply(turn(await bench.takeTurn(), [signalEntity(1, A, 'add')]));
      const batch = await takeBatch(bench);
      assert.deepEqual(operationsOf(batch), [requestId(1), requestId(1)]);
    });

    it('forget requests after a while, and are gone with the last when they are empty', async () => {
      const bench = use();
      await bench.apply(signal(A, '1'));
      const batch = await takeBatch(bench);
      await bench.apply(batchDone(batch, undefined));
      await bench.store.forgetRequests({ before: bench.now, limit: 10 });
      bench.advance(1000);
      await bench.apply(signal(A, '1'));
      await takeNoBatch(bench);
      bench.advance(1);
      assert.equal(await bench.store.forgetRequests({ before: bench.now, limit: 10 }), false);
      await bench.apply(signal(A, '1'));
      const again = await takeBatch(bench);
      assert.deepEqual(operationsOf(again), ['1']);
      assert.notEqual(again.executionId, batch.executionId);
    });

    it('stay while they have state, messages or a lock, whatever is forgotten', async () => {
      const bench = use();
      await bench.apply(signal('@kept@1', '1'));
      await bench.apply(batchDone(await takeBatch(bench), 'x'));
      const later = timestampFromMs(bench.now + 50_000);
      await bench.apply(signal('@scheduled@1', '1', { scheduledTime: later }));
      await holder(bench, 'o', ['@locked@1']);
      await bench.apply(signal('@waiting@1', '1'));
      bench.advance(1000);
      await bench.store.forgetRequests({ before: bench.now, limit: 100 });
      const query = {
        hub: 'default',
        idPrefix: '',
        modifiedFrom: undefined,
        modifiedTo: undefined,
      };
      const page = await bench.store.queryEntities({
        ...{ ...query, includeTransient: true, state: true, after: undefined, limit: 100 },
      });
      assert.deepEqual(
        page.items.map(({ instanceId, state, lockedBy: owner }) => [instanceId, state, owner]),
        [
          ['@kept@1', 'x', undefined],
          ['@locked@1', undefined, 'o'],
          ['@scheduled@1', undefined, undefined],
          ['@waiting@1', undefined, undefined],
        ],
      );
    });

    it('run a scheduled signal when it is due, not in line with others', async () => {
      const bench = use();
      const scheduledTime = timestampFromMs(bench.now + 1000);
      await bench.apply(signal(A, 'later', { scheduledTime }));
      await bench.apply(signal(A, 'later', { scheduledTime }));
      await bench.apply(signal(A, 'now'));
      const batch = await takeBatch(bench);
      assert.deepEqual(operationsOf(batch), ['now']);
      await bench.apply(batchDone(batch, 'x'));
      bench.advance(999);
      await takeNoBatch(bench);
      bench.advance(1);
      assert.deepEqual(operationsOf(await takeBatch(bench)), ['later']);
    });
  });

  describe('calls of entities', () => {
    it('are answered to the execution that called', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('o'), [callEntity(1, A, 'get')]));
      await bench.apply(batchDone(await takeBatch(bench), 'x'));
      const told = await bench.takeTurn();
      assert.deepEqual(eventsTaken(told), ['entityOperationCompleted']);
    });

    it('are answered to no other generation', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('o'), [callEntity(1, A, 'get'), continueAsNew()]));
      await bench.apply(batchDone(await takeBatch(bench), 'x'));
      assert.deepEqual(eventsTaken(await bench.takeTurn()), ['executionStarted']);
    });

    it('run although their caller has ended', async () => {
      const bench = use();
      await bench.apply(turn(await bench.begin('o'), [callEntity(1, A, 'get'), complete()]));
      const batch = await takeBatch(bench);
      await bench.apply(batchDone(batch, 'x'));
      assert.equal((await bench.store.getEntity('default', A, { state: true }))?.state, 'x');
    });

    it('keep their order with the signals of the same sender', async () => {
      const bench = use();
      await bench.apply(
        turn(await bench.begin('o'), [
          signalEntity(1, A, 'x'),
          callEntity(2, A, 'x'),
          signalEntity(3, A, 'x'),
        ]),
      );
      assert.deepEqual(operationsOf(await takeBatch(bench)), [1, 2, 3].map(requestId));
    });

    it('of a purged entity are answered with a failure', async () => {
      const bench = use();
      const scheduledTime = timestampFromMs(bench.now + 1000);
      await bench.apply(signal(A, 'later', { scheduledTime }));
      await bench.apply(signal(A, 'first'));
      const batch = await takeBatch(bench);
      await bench.apply(turn(await bench.begin('o'), [callEntity(1, A, 'get')]));
      const purge = { kind: 'purge', hub: 'default', instanceId: A, onLive: 'refuse' } as const;
      const outcome = await bench.commit(purge);
      assert.deepEqual(outcome, { ok: true, count: 1 });
      assert.deepEqual(eventsTaken(await bench.takeTurn()), ['entityOperationFailed']);
      assert.equal(refusal(await bench.commit(batchDone(batch, 'x'))), 'LEASE_LOST');
      bench.advance(5000);
      await takeNoBatch(bench);
      assert.deepEqual(await bench.commit(purge), { ok: true, count: 0 });
      await bench.apply(signal(A, 'next'));
      assert.deepEqual(operationsOf(await takeBatch(bench)), ['next']);
    });
  });

  describe('locks of entities', () => {
    it('are granted one after the other, behind what waited before', async () => {
      const bench = use();
      await bench.apply(signal(B, '1'));
      await bench.apply(turn(await bench.begin('o'), [lockEntities(1, 's', [B, A])]));
      assert.equal(await lockedBy(bench, A), 'o');
      assert.equal(await lockedBy(bench, B), undefined);
      await bench.apply(batchDone(await takeBatch(bench), 'x'));
      assert.equal(await lockedBy(bench, B), 'o');
      assert.deepEqual(eventsTaken(await bench.takeTurn()), ['entityLockGranted']);
    });

    it('let their owner overtake, and nobody else run', async () => {
      const bench = use();
      await holder(bench, 'o', [A]);
      await bench.apply(signal(A, 'other'));
      await takeNoBatch(bench);
      await act(bench, 'o', [callEntity(2, A, 'get')]);
      const batch = await takeBatch(bench);
      assert.deepEqual(operationsOf(batch), [requestId(2)]);
      await bench.apply(batchDone(batch, 'x'));
      await takeNoBatch(bench);
      await act(bench, 'o', [unlockEntity(3, 'section-o', A)]);
      const next = await takeBatch(bench);
      assert.deepEqual([stateOf(next), operationsOf(next)], ['x', ['other']]);
    });

    it('let their owner run what it asked for before it had them', async () => {
      const bench = use();
      await holder(bench, 'first', [B]);
      await bench.apply(
        turn(await bench.begin('o'), [lockEntities(1, 's', [A, B]), callEntity(2, B, 'early')]),
      );
      await bench.apply(signal(B, 'other'));
      await act(bench, 'first', [complete()]);
      assert.deepEqual(operationsOf(await takeBatch(bench)), [requestId(2)]);
    });

    it('end after the last operation that was asked for under them', async () => {
      const bench = use();
      await holder(bench, 'o', [A]);
      await holder2Waits(bench);
      await act(bench, 'o', [callEntity(2, A, 'last'), unlockEntity(3, 'section-o', A)]);
      assert.equal(await lockedBy(bench, A), 'o');
      await bench.apply(batchDone(await takeBatch(bench), 'x'));
      assert.equal(await lockedBy(bench, A), 'second');
    });

    async function holder2Waits(bench: Bench): Promise<void> {
      await bench.apply(turn(await bench.begin('second'), [lockEntities(1, 's', [A])]));
    }

    const ends: readonly (readonly [string, (bench: Bench) => Promise<void>])[] = [
      ['completes', (bench) => act(bench, 'o', [complete()])],
      ['fails', (bench) => act(bench, 'o', [fail('Broken', 'broken')])],
      ['continues as new', (bench) => act(bench, 'o', [continueAsNew()])],
      [
        'is terminated',
        async (bench) => {
          await bench.apply(terminate('o'));
          await bench.apply(turn(await bench.takeTurn(), [complete('"stopped"')]));
        },
      ],
      [
        'is replaced',
        async (bench) => {
          const replaceableStatus = Object.values(OrchestrationStatus);
          const policy = create(OrchestrationIdReusePolicySchema, { replaceableStatus });
          await bench.apply({ ...bench.start('o'), policy });
        },
      ],
    ];
    for (const [how, end] of ends) {
      it(`are free when their owner ${how}, and go to the next`, async () => {
        const bench = use();
        await holder(bench, 'o', [A, B]);
        await bench.apply(turn(await bench.begin('second'), [lockEntities(1, 's', [A, B])]));
        await bench.apply(signal(A, 'waits'));
        await end(bench);
        assert.equal(await lockedBy(bench, A), 'second');
        assert.equal(await lockedBy(bench, B), 'second');
        await act(bench, 'second', [complete()]);
        assert.equal(await lockedBy(bench, A), undefined);
        assert.deepEqual(operationsOf(await takeBatch(bench)), ['waits']);
      });
    }

    it('are not asked for any more by an execution that is over', async () => {
      const bench = use();
      await holder(bench, 'o', [A]);
      await bench.apply(turn(await bench.begin('second'), [lockEntities(1, 's', [A, B])]));
      await act(bench, 'second', [complete()]);
      await act(bench, 'o', [complete()]);
      assert.equal(await lockedBy(bench, A), undefined);
      assert.equal(await lockedBy(bench, B), undefined);
    });

    it('are not asked for any more by one that was ended by force while it waited', async () => {
      const bench = use();
      await holder(bench, 'o', [A]);
      await holder2Waits(bench);
      const { event } = terminate('second');
      const end = { kind: 'end', hub: 'default', instanceId: 'second', event } as const;
      assert.deepEqual(await bench.commit(end), { ok: true, count: 1 });
      await bench.apply(signal(A, 'waits'));
      await act(bench, 'o', [complete()]);
      assert.equal(await lockedBy(bench, A), undefined);
      assert.deepEqual(operationsOf(await takeBatch(bench)), ['waits']);
    });

    it('keep their owner from being ended by force', async () => {
      const bench = use();
      await holder(bench, 'o', [A]);
      const { event } = terminate('o');
      const end = { kind: 'end', hub: 'default', instanceId: 'o', event } as const;
      assert.deepEqual(await bench.commit(end), { ok: true, count: 0 });
      await act(bench, 'o', [unlockEntity(2, 'section-o', A)]);
      assert.deepEqual(await bench.commit(end), { ok: true, count: 1 });
    });

    it('take back what ran under them when their owner is over', async () => {
      const bench = use();
      await holder(bench, 'o', [A]);
      await act(bench, 'o', [callEntity(2, A, 'get')]);
      const batch = await takeBatch(bench);
      await holder2Waits(bench);
      await act(bench, 'o', [complete()]);
      assert.equal(refusal(await bench.commit(batchDone(batch, 'x'))), 'LEASE_LOST');
      assert.equal(await lockedBy(bench, A), undefined);
      await bench.apply(batchDone(await takeBatch(bench), 'x'));
      assert.equal(await lockedBy(bench, A), 'second');
    });

    it('stay when the entity is purged', async () => {
      const bench = use();
      await holder(bench, 'o', [A]);
      await bench.apply(signal(A, 'other'));
      const purge = { kind: 'purge', hub: 'default', instanceId: A, onLive: 'skip' } as const;
      assert.deepEqual(await bench.commit(purge), { ok: true, count: 1 });
      assert.equal(await lockedBy(bench, A), 'o');
      await act(bench, 'o', [complete()]);
      assert.equal(await lockedBy(bench, A), undefined);
    });

    it('have no orphans', async () => {
      const bench = use();
      await holder(bench, 'o', [A, B]);
      const page = { after: '', limit: 10 };
      assert.deepEqual(await bench.store.orphanedLocks('default', page), []);
      const free = { kind: 'freeLocks', hub: 'default', entityId: A } as const;
      assert.deepEqual(await bench.commit(free), { ok: true, count: 0 });
      assert.equal(await lockedBy(bench, A), 'o');
    });
  });
}

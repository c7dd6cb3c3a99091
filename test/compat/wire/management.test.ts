import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  OrchestrationStatus,
  TaskHubSidecarService,
  type InstanceQuerySchema,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { complete, createChild } from '../../support/actions.ts';
import { ended, freshId, history, start, stateOf } from '../support/calls.ts';
import { types, type HandWorker } from '../support/hand-worker.ts';
import { schedulerForTests } from '../support/scheduler-under-test.ts';

const rpc = TaskHubSidecarService.method;
const { TERMINATED } = OrchestrationStatus;

describe('Management on the wire', function () {
  this.timeout(15_000);
  const host = schedulerForTests();
  let worker: HandWorker;
  before(async () => {
    worker = await host().worker();
  });
  after(() => {
    worker.cut();
  });

  async function done(instanceId = freshId()): Promise<string> {
    await start(host().client, { instanceId });
    await worker.run(instanceId, [complete('"x"')]);
    return instanceId;
  }

  async function exists(instanceId: string): Promise<boolean> {
    return (await host().client.call(rpc.getInstance, { instanceId })).exists;
  }

  type Query = MessageInitShape<typeof InstanceQuerySchema>;

  async function query(asked: Query) {
    const reply = await host().client.call(rpc.queryInstances, { query: asked });
    return {
      ids: reply.orchestrationState.map(({ instanceId }) => instanceId),
      token: reply.continuationToken,
    };
  }

  // [wp 3.9-last-page]
  it('never answers an empty token', async () => {
    const prefix = freshId('token');
    await done(`${prefix}-1`);
    await done(`${prefix}-2`);
    const empty = await query({ instanceIdPrefix: freshId('nothing') });
    assert.deepEqual([empty.ids, empty.token], [[], undefined]);
    const whole = await query({ instanceIdPrefix: prefix, maxInstanceCount: 2 });
    assert.equal(whole.ids.length, 2);
    if (whole.token !== undefined) {
      assert.ok(whole.token !== '' && whole.token !== '0');
      const last = await query({ instanceIdPrefix: prefix, continuationToken: whole.token });
      assert.deepEqual([last.ids, last.token], [[], undefined]);
    }
  });

  // [wp 3.9-malformed]
  it('refuses a token that it did not make', async () => {
    await assert.rejects(query({ continuationToken: 'made up' }), {
      code: status.INVALID_ARGUMENT,
    });
    await assert.rejects(host().client.call(rpc.listInstanceIds, { lastInstanceKey: 'made up' }), {
      code: status.INVALID_ARGUMENT,
    });
  });

  // [wp 3.9-hub-names]
  it('finds nothing in other hubs', async () => {
    const prefix = freshId('hub');
    await done(prefix);
    assert.deepEqual(
      (await query({ instanceIdPrefix: prefix, taskHubNames: [{ value: 'other' }] })).ids,
      [],
    );
    const mine = {
      instanceIdPrefix: prefix,
      taskHubNames: [{ value: 'other' }, { value: 'default' }],
    };
    assert.deepEqual((await query(mine)).ids, [prefix]);
  });

  // [wp 3.9-order, 3.9-page-size]
  it('lists by creation time, a hundred at a time', async () => {
    const prefix = freshId('order');
    const scheduledStartTimestamp = timestampFromMs(host().clock.now() + 3_600_000);
    const ids: string[] = [];
    for (let n = 0; n < 101; n += 1) {
      const instanceId = `${prefix}-${String(900 - n)}`;
      ids.push(await start(host().client, { instanceId, scheduledStartTimestamp }));
      if (n % 25 === 0) host().clock.advance(1);
    }
    const first = await query({ instanceIdPrefix: prefix });
    assert.equal(first.ids.length, 100);
    const rest = await query({ instanceIdPrefix: prefix, continuationToken: first.token ?? '' });
    assert.equal(new Set([...first.ids, ...rest.ids]).size, 101);
    assert.ok(first.ids.indexOf(ids[0] ?? '') < first.ids.indexOf(ids[60] ?? ''));
  });

  // [wp 3.9-small-pages]
  it('keeps a page with payloads below 4 MiB', async () => {
    const prefix = freshId('large');
    const input = 'x'.repeat(900_000);
    const scheduledStartTimestamp = timestampFromMs(host().clock.now() + 3_600_000);
    for (let n = 0; n < 6; n += 1) {
      const instanceId = `${prefix}-${n}`;
      await start(host().client, { instanceId, input, scheduledStartTimestamp });
    }
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const asked: Query = {
        instanceIdPrefix: prefix,
        fetchInputsAndOutputs: true,
        ...(token !== undefined && { continuationToken: token }),
      };
      const reply = await host().client.call(rpc.queryInstances, { query: asked });
      const bytes = reply.orchestrationState.reduce(
        (sum, { input: text = '' }) => sum + text.length,
        0,
      );
      assert.ok(bytes < 4 * 1024 * 1024, `${bytes} bytes on a page`);
      seen.push(...reply.orchestrationState.map(({ instanceId }) => instanceId));
      token = reply.continuationToken;
    } while (token !== undefined);
    assert.equal(new Set(seen).size, 6);
  });

  // [wp 3.9-list-ids, 3.9-empty-key]
  it('lists ids from an empty key on, within completion times', async () => {
    host().clock.advance(10_000);
    const from = host().clock.now();
    const id = await done();
    const list = async (completedTimeFrom: number, completedTimeTo: number): Promise<string[]> => {
      const reply = await host().client.call(rpc.listInstanceIds, {
        lastInstanceKey: '',
        completedTimeFrom: timestampFromMs(completedTimeFrom),
        completedTimeTo: timestampFromMs(completedTimeTo),
      });
      assert.notEqual(reply.lastInstanceKey, '');
      return reply.instanceIds;
    };
    assert.deepEqual(await list(from, host().clock.now() + 1_000), [id]);
    assert.deepEqual(await list(from - 9_000, from), []);
  });

  // [wp 3.10-nothing-set, 3.10-is-complete]
  it('refuses a purge of nothing in particular, and always says whether it is complete', async () => {
    await assert.rejects(host().client.call(rpc.purgeInstances, {}), {
      code: status.INVALID_ARGUMENT,
    });
    const id = await done();
    for (const expected of [1, 0]) {
      const reply = await host().client.call(rpc.purgeInstances, {
        request: { case: 'instanceId', value: id },
      });
      assert.deepEqual([reply.deletedInstanceCount, reply.isComplete], [expected, true]);
    }
  });

  // [wp 3.10-live, 1.2-wrong-state]
  it('refuses to purge a live orchestration for those who say that it is one', async () => {
    const id = await start(host().client);
    await worker.run(id);
    const request = { case: 'instanceId' as const, value: id };
    await assert.rejects(
      host().client.call(rpc.purgeInstances, { request, isOrchestration: true }),
      { code: status.FAILED_PRECONDITION },
    );
    const other = await host().client.call(rpc.purgeInstances, { request });
    assert.equal(other.deletedInstanceCount, 0);
    assert.ok(await exists(id));
  });

  // [wp 3.10-batch]
  it('purges a batch of five hundred, and refuses one more', async () => {
    const ids = [await done(), await done(), await done()];
    const live = await start(host().client);
    await worker.run(live);
    const missing = Array.from({ length: 496 }, () => freshId('missing'));
    const batch = (instanceIds: string[]) =>
      host().client.call(rpc.purgeInstances, {
        request: { case: 'instanceBatch', value: { instanceIds } },
      });
    await assert.rejects(batch([...ids, live, ...missing, 'one more']), {
      code: status.INVALID_ARGUMENT,
      details: /501 ids; the limit is 500/,
    });
    const reply = await batch([...ids, live, ...missing]);
    assert.deepEqual([reply.deletedInstanceCount, reply.isComplete], [3, true]);
    assert.deepEqual(await Promise.all([...ids, live].map(exists)), [false, false, false, true]);
  });

  // [wp 3.10-timeout]
  it('stops a purge when its time is over, and says so', async () => {
    host().clock.advance(10_000);
    const createdTimeFrom = timestampFromMs(host().clock.now());
    for (let n = 0; n < 3; n += 1) await done();
    const purge = (timeoutMs: number) =>
      host().client.call(rpc.purgeInstances, {
        request: {
          case: 'purgeInstanceFilter',
          value: { createdTimeFrom, timeout: durationFromMs(timeoutMs) },
        },
      });
    const none = await purge(0);
    assert.deepEqual([none.deletedInstanceCount, none.isComplete], [0, false]);
    const all = await purge(60_000);
    assert.deepEqual([all.deletedInstanceCount, all.isComplete], [3, true]);
  });

  // [wp 3.10-recursive]
  it('purges the ended children of what it purges, and leaves live ones', async () => {
    const [parent, gone, live] = [await start(host().client), freshId('gone'), freshId('live')];
    await worker.run(parent, [createChild(1, gone), createChild(2, live)]);
    await worker.run(gone, [complete()]);
    await worker.run(live);
    await worker.run(parent, [complete()]);
    const reply = await host().client.call(rpc.purgeInstances, {
      request: { case: 'instanceId', value: parent },
      recursive: true,
    });
    assert.equal(reply.deletedInstanceCount, 2);
    assert.deepEqual(await Promise.all([parent, gone, live].map(exists)), [false, false, true]);
  });

  // [wp 3.13-skip-graceful, 3.13-stale]
  it('ends orchestrations without their workers, and names those that it did not end', async () => {
    const [held, waiting, finished] = [
      await start(host().client),
      await start(host().client),
      await done(),
    ];
    await worker.run(waiting);
    const turn = await worker.turn(held);
    const missing = freshId('missing');
    const reply = await host().client.call(rpc.skipGracefulOrchestrationTerminations, {
      instanceBatch: { instanceIds: [held, waiting, finished, missing, '@entity@key'] },
      reason: '"now"',
    });
    assert.deepEqual(
      [...reply.unterminatedInstanceIds].sort(),
      ['@entity@key', finished, missing].sort(),
    );
    for (const id of [held, waiting]) {
      const state = await ended(host().client, id);
      assert.deepEqual([state.orchestrationStatus, state.output], [TERMINATED, '"now"']);
      assert.deepEqual(types(await history(host().client, id)).slice(-2), [
        'executionTerminated',
        'executionCompleted',
      ]);
    }
    await assert.rejects(worker.answer(turn, [complete()]), { code: status.NOT_FOUND });
  });

  // [wp 3.13-limit]
  it('refuses to end more than five hundred at a time', async () => {
    const instanceIds = Array.from({ length: 501 }, (_, n) => `id-${n}`);
    await assert.rejects(
      host().client.call(rpc.skipGracefulOrchestrationTerminations, {
        instanceBatch: { instanceIds },
      }),
      { code: status.INVALID_ARGUMENT },
    );
  });

  // [wp 3.8-same-id, 3.8-live-same-id, 3.8-missing]
  it('restarts an ended instance as a new execution, and refuses others', async () => {
    const restart = (instanceId: string) => host().client.call(rpc.restartInstance, { instanceId });
    const id = await done();
    const before = await stateOf(host().client, id);
    assert.equal((await restart(id)).instanceId, id);
    const after = await stateOf(host().client, id);
    assert.notEqual(after.executionId, before.executionId);
    assert.equal(after.completedTimestamp, undefined);
    await assert.rejects(restart(id), { code: status.FAILED_PRECONDITION });
    await assert.rejects(restart(freshId('missing')), { code: status.NOT_FOUND });
    await worker.run(id, [complete()]);
  });

  // [wp 3.8-no-parent]
  it('restarts a child without its parent', async () => {
    const [parent, child] = [await start(host().client), freshId('child')];
    await worker.run(parent, [createChild(1, child)]);
    await worker.run(child, [complete()]);
    await worker.run(parent, [complete()]);
    await host().client.call(rpc.restartInstance, { instanceId: child });
    const { request } = await worker.run(child, [complete()]);
    const started = request.newEvents[1];
    assert.ok(started?.eventType.case === 'executionStarted');
    assert.equal(started.eventType.value.parentInstance, undefined);
  });
});

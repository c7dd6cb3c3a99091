import assert from 'node:assert/strict';
import type { LockHandle, OrchestrationContext } from '@microsoft/durabletask-js';
import { EntityInstanceId } from '@microsoft/durabletask-js';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { entityPeer, eventually, PEERS } from '../support/entity-peers.ts';
import type { Steps } from '../support/entity-peers.ts';

const rpc = TaskHubSidecarService.method;
let count = 0;
/** An account that no other test uses. */
function fresh(): string {
  count += 1;
  return new EntityInstanceId('Account', `${count}`).toString();
}

const idsOf = (texts: readonly string[]): EntityInstanceId[] =>
  texts.map((text) => EntityInstanceId.fromString(text));

/** Locks, waits for `go`, and ends as it is told to. */
async function* hold(
  context: OrchestrationContext,
  [texts, ending]: [texts: string[], ending: string],
): Steps {
  const lock = (yield context.entities.lockEntities(...idsOf(texts))) as LockHandle;
  if (ending === 'terminated') yield context.waitForExternalEvent('never');
  yield context.waitForExternalEvent('go');
  if (ending === 'failed') throw new Error('broken inside');
  if (ending === 'released') lock.release();
  if (ending === 'continued') context.continueAsNew([texts, 'ended'], false);
  if (ending === 'waiting') {
    lock.release();
    yield context.waitForExternalEvent('go');
  }
  return ending;
}

for (const kind of PEERS) {
  describe(`Critical sections of ${kind.name}`, function () {
    this.timeout(20_000);
    const peer = entityPeer(kind);

    peer.entity('Account', (operation) => {
      const balance = operation.state.getState<number>() ?? 0;
      if (operation.name === 'get') return balance;
      if (operation.name === 'set') operation.state.setState(operation.getInput());
      if (operation.name === 'add') {
        operation.state.setState(balance + (operation.getInput<number>() ?? 1));
      }
      return undefined;
    });
    peer.orchestrator('Hold', hold);

    const signal = (id: string, name: string, input?: unknown) =>
      peer.client.signalEntity(EntityInstanceId.fromString(id), name, input);
    const stateIs = (id: string, wanted: unknown) =>
      peer.stateIs(EntityInstanceId.fromString(id), wanted);
    const lockedBy = (id: string, owner: string | undefined) =>
      peer.lockedBy(EntityInstanceId.fromString(id), owner);
    const isFree = async (id: string): Promise<void> => {
      await peer.output('Increment', [id, 1]);
      await lockedBy(id, undefined);
    };

    peer.orchestrator('Increment', async function* (context, [text, times]: [string, number]) {
      const id = EntityInstanceId.fromString(text);
      for (let n = 0; n < times; n += 1) {
        const lock = (yield context.entities.lockEntities(id)) as LockHandle;
        const balance = (yield context.entities.callEntity(id, 'get')) as number;
        yield context.entities.callEntity(id, 'set', balance + 1);
        lock.release();
      }
      return times;
    });
    // [wp 7.5-exclusive]
    it('lose no update of orchestrations that read, then write', async () => {
      const id = fresh();
      await Promise.all(Array.from({ length: 8 }, () => peer.output('Increment', [id, 3])));
      await stateIs(id, 24);
      await lockedBy(id, undefined);
    });

    // [wp 7.5-overtakes, 7.7-locked-by]
    it('let signals of others wait until the release', async () => {
      const id = fresh();
      await signal(id, 'add', 1);
      const owner = await peer.start('Hold', [[id], 'released']);
      await lockedBy(id, owner);
      await signal(id, 'add', 10);
      await eventually(async () => {
        const entity = await peer.client.getEntity(EntityInstanceId.fromString(id));
        assert.equal(entity?.backlogQueueSize, 1);
      });
      assert.equal(await peer.state(EntityInstanceId.fromString(id)), 1);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      await stateIs(id, 11);
      assert.equal(await peer.outputOf(owner), 'released');
    });

    peer.orchestrator('Ask', async function* (context, text: string) {
      return yield context.entities.callEntity(EntityInstanceId.fromString(text), 'get');
    });
    peer.orchestrator('SetInside', async function* (context, text: string) {
      const id = EntityInstanceId.fromString(text);
      const lock = (yield context.entities.lockEntities(id)) as LockHandle;
      yield context.entities.callEntity(id, 'set', 'half');
      yield context.waitForExternalEvent('go');
      yield context.entities.callEntity(id, 'set', 'whole');
      lock.release();
      return 'done';
    });
    it('show nobody what is half done', async () => {
      const id = fresh();
      const owner = await peer.start('SetInside', id);
      await stateIs(id, 'half');
      const asking = await peer.start('Ask', id);
      await peer.client.waitForOrchestrationStart(asking);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      assert.equal(await peer.outputOf(asking), 'whole');
    });

    peer.orchestrator('Transfer', async function* (context, [from, to]: [string, string]) {
      const [one, other] = [EntityInstanceId.fromString(from), EntityInstanceId.fromString(to)];
      const lock = (yield context.entities.lockEntities(one, other)) as LockHandle;
      yield context.entities.callEntity(one, 'add', -1);
      yield context.entities.callEntity(other, 'add', 1);
      lock.release();
      return 'moved';
    });
    // [wp 7.5-order]
    it('do not deadlock when they name the same entities in another order', async () => {
      const [a, b, c] = [fresh(), fresh(), fresh()];
      const pairs = [
        [a, b],
        [b, a],
        [b, c],
        [c, b],
        [c, a],
        [a, c],
      ];
      await Promise.all([...pairs, ...pairs].map((pair) => peer.output('Transfer', pair)));
      for (const id of [a, b, c]) await stateIs(id, 0);
    });

    // [wp 7.5-duplicates]
    it('lock an entity once that is named twice', async () => {
      const [a, b] = [fresh(), fresh()];
      const owner = await peer.start('Hold', [[b, a, b, a], 'released']);
      await lockedBy(a, owner);
      await lockedBy(b, owner);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      await peer.outputOf(owner);
      await isFree(a);
      await isFree(b);
    });

    // [wp 7.5-release]
    it('end with the release, while the orchestration goes on', async () => {
      const id = fresh();
      const owner = await peer.start('Hold', [[id], 'waiting']);
      await lockedBy(id, owner);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      await isFree(id);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      assert.equal(await peer.outputOf(owner), 'waiting');
    });

    // [wp 7.5-transient, 7.7-query-transient]
    it('lock an entity that does not exist, and leave nothing of it', async () => {
      const id = fresh();
      const owner = await peer.start('Hold', [[id], 'released']);
      await lockedBy(id, owner);
      const listed = async (includeTransient: boolean): Promise<number> => {
        const query = { instanceIdStartsWith: id, includeTransient };
        return (await Array.fromAsync(peer.client.getEntities(query))).length;
      };
      assert.deepEqual([await listed(false), await listed(true)], [0, 1]);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      await peer.outputOf(owner);
      await eventually(async () => assert.equal(await listed(true), 0));
    });

    // [wp 7.6-completed, 7.6-failed, 7.6-continued]
    it('end with their orchestration, whether it completes, fails or starts over', async () => {
      for (const ending of ['completed', 'failed', 'continued']) {
        const id = fresh();
        const owner = await peer.start('Hold', [[id], ending]);
        await lockedBy(id, owner);
        await peer.client.raiseOrchestrationEvent(owner, 'go');
        if (ending !== 'continued') {
          await peer.client.waitForOrchestrationCompletion(owner, false, 10);
        } else {
          // The next generation asks for the lock anew.
          await lockedBy(id, owner);
          await peer.client.raiseOrchestrationEvent(owner, 'go');
          assert.equal(await peer.outputOf(owner), 'ended');
        }
        await isFree(id);
      }
    });

    // [wp 7.6-terminated]
    it('end with a termination', async () => {
      const id = fresh();
      const owner = await peer.start('Hold', [[id], 'terminated']);
      await lockedBy(id, owner);
      await peer.client.terminateOrchestration(owner, 'over');
      await isFree(id);
    });

    // [wp 7.6-pending]
    it('are not granted to an orchestration that has ended while it waited', async () => {
      const id = fresh();
      const owner = await peer.start('Hold', [[id], 'released']);
      await lockedBy(id, owner);
      const waiting = await peer.start('Hold', [[id], 'terminated']);
      await peer.client.waitForOrchestrationStart(waiting);
      await peer.client.terminateOrchestration(waiting, 'over');
      await peer.client.waitForOrchestrationCompletion(waiting, false, 10);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      await isFree(id);
    });

    // [wp 3.13-locks]
    it('keep their owner from being ended by force', async () => {
      const id = fresh();
      const owner = await peer.start('Hold', [[id], 'released']);
      await lockedBy(id, owner);
      const forced = await peer.host.client.call(rpc.skipGracefulOrchestrationTerminations, {
        instanceBatch: { instanceIds: [owner] },
      });
      assert.deepEqual(forced.unterminatedInstanceIds, [owner]);
      await peer.client.raiseOrchestrationEvent(owner, 'go');
      assert.equal(await peer.outputOf(owner), 'released');
    });

    peer.orchestrator('Rules', async function* ({ entities }, [a, b, c]: string[]) {
      const [one, two, other] = idsOf([a ?? '', b ?? '', c ?? '']) as [
        EntityInstanceId,
        EntityInstanceId,
        EntityInstanceId,
      ];
      const texts: string[] = [];
      const attempt = (act: () => unknown): void => {
        try {
          act();
        } catch (error) {
          texts.push((error as Error).message);
        }
      };
      attempt(() => entities.lockEntities());
      const asked = entities.lockEntities(one, two);
      attempt(() => entities.callEntity(one, 'get'));
      const lock = (yield asked) as LockHandle;
      attempt(() => entities.lockEntities(other));
      attempt(() => entities.callEntity(other, 'get'));
      attempt(() => {
        entities.signalEntity(one, 'add');
      });
      const first = entities.callEntity(one, 'get');
      attempt(() => entities.callEntity(one, 'get'));
      yield first;
      const { inSection } = entities.isInCriticalSection();
      lock.release();
      texts.push(`${String(inSection)} ${String(entities.isInCriticalSection().inSection)}`);
      return texts;
    });
    it('have rules, and say which was broken', async () => {
      assert.deepEqual(await peer.output('Rules', [fresh(), fresh(), fresh()]), [
        'The list of entities to lock must not be empty.',
        'Must await the completion of the lock request prior to calling any entity.',
        'Must not enter another critical section from within a critical section.',
        'Must not call an entity from a critical section if it is not one of the locked entities.',
        'Must not signal a locked entity from a critical section.',
        'Must not call an entity from a critical section while a prior call to the same entity is still pending.',
        'true false',
      ]);
    });
  });
}

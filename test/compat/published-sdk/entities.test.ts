import assert from 'node:assert/strict';
import type { TaskEntityOperation } from '@microsoft/durabletask-js';
import { EntityInstanceId, whenAll } from '@microsoft/durabletask-js';
import { whenAll as ourWhenAll } from '../../../src/worker/index.ts';
import { entityPeer, eventually, PEERS } from '../support/entity-peers.ts';

let count = 0;
/** An entity that no other test uses. */
function fresh(name: string): EntityInstanceId {
  count += 1;
  return new EntityInstanceId(name, `Key ${count}`);
}

/** Adds numbers; the operations that the tests of both makes need. */
function counter({ name, state, context, getInput }: Plain): unknown {
  const value = state.getState<number>() ?? 0;
  switch (name) {
    case 'add':
      state.setState(value + Number(getInput() ?? 1));
      return value + Number(getInput() ?? 1);
    case 'get':
      return value;
    case 'echo':
      return getInput();
    case 'clear':
      state.setState(null);
      return undefined;
    case 'grow':
      state.setState('x'.repeat(1_100_000));
      return 'grown';
    case 'fail':
      state.setState(-1);
      context.signalEntity(new EntityInstanceId('counter', 'never'), 'add');
      throw new RangeError('no more');
    case 'tell':
      context.signalEntity(new EntityInstanceId('Counter', String(getInput())), 'add', 5);
      return undefined;
    case 'again':
      state.setState(value + 1);
      if (value < 4) context.signalEntity(context.id, 'again');
      return undefined;
    default:
      throw new Error(`unknown operation ${name}`);
  }
}

type Plain = Pick<TaskEntityOperation, 'name' | 'state' | 'context'> & {
  readonly getInput: () => unknown;
};

for (const kind of PEERS) {
  describe(`Entities of ${kind.name}`, function () {
    this.timeout(20_000);
    const peer = entityPeer(kind);
    const both = kind.name.startsWith('our') ? (ourWhenAll as unknown as typeof whenAll) : whenAll;
    const running = new Map<string, number>();
    let most = 0;
    let together = 0;

    peer.entity('Counter', (operation) =>
      counter({
        name: operation.name,
        state: operation.state,
        context: operation.context,
        getInput: () => operation.getInput(),
      }),
    );
    peer.entity('List', ({ name, state }) => {
      const list = state.getState<unknown[]>([]) ?? [];
      if (name === 'get') return list;
      state.setState([...list, name]);
      return undefined;
    });
    peer.entity('Slow', async ({ context, state }) => {
      const key = context.id.toString();
      running.set(key, (running.get(key) ?? 0) + 1);
      most = Math.max(most, running.get(key) ?? 0);
      together = Math.max(
        together,
        [...running.values()].reduce((sum, n) => sum + n, 0),
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
      running.set(key, (running.get(key) ?? 0) - 1);
      state.setState((state.getState<number>() ?? 0) + 1);
    });
    peer.entityMaker('Cart', () => {
      class Cart extends kind.TaskEntity<{ items: string[] }> {
        add(item: string): number {
          return this.state.items.push(item);
        }
        protected override initializeState(): { items: string[] } {
          return { items: [] };
        }
      }
      return new Cart();
    });
    peer.entity('Starter', ({ name, context, state }) => {
      const options = name === 'named' ? { instanceId: `started-by-${context.id.key}` } : {};
      state.setState(context.scheduleNewOrchestration('Echo', context.id.key, options));
    });

    peer.orchestrator('Echo', async function* (_, input) {
      return input;
    });

    // [wp 3.1-entities, 7.7-signal, 7.7-get]
    it('take a signal, which makes them, and show their state', async () => {
      const id = fresh('Counter');
      await peer.client.signalEntity(id, 'add', 5);
      await peer.stateIs(id, 5);

      const entity = await peer.client.getEntity<number>(id);
      assert.equal(entity?.id.toString(), id.toString());
      assert.ok(Date.now() - entity.lastModifiedTime.getTime() < 60_000);
      assert.deepEqual([entity.backlogQueueSize, entity.lockedBy], [0, undefined]);
    });

    // [wp 7.1-name-case]
    it('have names without case and keys with', async () => {
      await peer.client.signalEntity(new EntityInstanceId('COUNTER', 'Case'), 'add', 1);
      await peer.client.signalEntity(new EntityInstanceId('counter', 'case'), 'add', 2);
      await peer.stateIs(new EntityInstanceId('Counter', 'Case'), 1);
      await peer.stateIs(new EntityInstanceId('Counter', 'case'), 2);
    });

    // [wp 7.1-any-key]
    it('may have any key, also an empty one and one with an @', async () => {
      for (const key of ['', 'a@b@', ' spaced ', ':+%/']) {
        const id = new EntityInstanceId('Counter', key);
        await peer.client.signalEntity(id, 'add', 3);
        await peer.stateIs(id, 3);
      }
    });

    // [wp 7.1-length]
    it('refuse ids of more than 100 characters', async () => {
      const id = new EntityInstanceId('Counter', 'x'.repeat(92));
      await assert.rejects(peer.client.signalEntity(id, 'add'), /INVALID_ARGUMENT|100/);
      const longest = new EntityInstanceId('Counter', 'x'.repeat(91));
      await peer.client.signalEntity(longest, 'add');
      await peer.stateIs(longest, 1);
    });

    // [wp 7.2-order]
    it('run the signals of one sender in order, each once', async () => {
      const id = fresh('List');
      const names = Array.from({ length: 60 }, (_, n) => `op${n}`);
      for (const name of names) await peer.client.signalEntity(id, name);
      await peer.stateIs(id, names);
    });

    peer.orchestrator('SignalMany', async function* (context, key: string) {
      const id = new EntityInstanceId('List', key);
      for (let n = 0; n < 30; n += 1) context.entities.signalEntity(id, `op${n}`);
      return yield context.entities.callEntity(id, 'get');
    });
    // [wp 5.5-entity-messages, 7.2-order]
    it('run the signals of an orchestration before the call that it makes after them', async () => {
      assert.deepEqual(
        await peer.output('SignalMany', `many ${kind.name}`),
        Array.from({ length: 30 }, (_, n) => `op${n}`),
      );
    });

    peer.orchestrator('Call', async function* (context, [id, ...call]: [string, string, unknown?]) {
      return yield context.entities.callEntity(EntityInstanceId.fromString(id), ...call);
    });
    const call = (id: EntityInstanceId, name: string, ...input: unknown[]) =>
      peer.output('Call', [id.toString(), name, ...input]);

    // [wp 7.4-result]
    it('answer a call with what the operation returns', async () => {
      const id = fresh('Counter');
      assert.equal(await call(id, 'add', 7), 7);
      assert.equal(await call(id, 'add', 7), 14);
      assert.equal(await call(id, 'get'), 14);
    });

    it('take falsy inputs as they are', async () => {
      const id = fresh('Counter');
      for (const input of [0, false, '', []])
        assert.deepEqual(await call(id, 'echo', input), input);
    });

    peer.orchestrator('Caught', async function* (context, id: string) {
      const target = EntityInstanceId.fromString(id);
      yield context.entities.callEntity(target, 'add', 4);
      let caught: unknown;
      try {
        yield context.entities.callEntity(target, 'fail');
      } catch (error) {
        const { name, message } = error as Error;
        const { failureDetails } = error as { failureDetails?: { errorType?: string } };
        caught = [name, message, failureDetails?.errorType];
      }
      return [caught, yield context.entities.callEntity(target, 'get')];
    });
    // [wp 7.4-failure]
    it('answer a call with what the operation throws, take back what it did, and live on', async () => {
      const id = fresh('Counter');
      assert.deepEqual(await peer.output('Caught', id.toString()), [
        [
          'EntityOperationFailedException',
          `Operation 'fail' of entity '${id.toString()}' failed: no more`,
          'RangeError',
        ],
        4,
      ]);
      assert.equal(await peer.state(new EntityInstanceId('counter', 'never')), undefined);
    });

    it('drop a signal whose operation throws, and run the next', async () => {
      const id = fresh('Counter');
      for (const name of ['add', 'fail', 'nonsense', 'add'])
        await peer.client.signalEntity(id, name);
      await peer.stateIs(id, 2);
    });

    // [wp 7.4-unregistered]
    it('fail a call that no worker has an entity for, and their name says so', async () => {
      const id = fresh('Missing');
      const instanceId = await peer.start('Call', [id.toString(), 'get']);
      const text = `Operation 'get' of entity '${id.toString()}' failed: No entity task named 'missing' was found.`;
      assert.equal(await peer.failureOf(instanceId), text);
    });

    // [wp 2.1-entity-state]
    it('keep their old state when the new one is over the limit', async () => {
      const id = fresh('Counter');
      await call(id, 'add', 3);
      const failure = await peer.failureOf(await peer.start('Call', [id.toString(), 'grow']));
      assert.match(failure ?? '', /^Operation 'grow' of entity '.*' failed: .*limit/);
      assert.equal(await call(id, 'add', 1), 4);
    });

    // [wp 7.4-delete, 7.2-implicit-deletion]
    it('are gone when their state is, and begin anew', async () => {
      const id = fresh('Counter');
      await call(id, 'add', 3);
      await call(id, 'clear');
      assert.equal(await peer.client.getEntity(id), undefined);
      assert.equal(await call(id, 'add', 1), 1);
    });

    // [wp 7.3-scheduled]
    it('get a signal that is meant for later then, and not before', async () => {
      const id = fresh('Counter');
      const signalTime = new Date(peer.host.clock.now() + 60_000);
      await peer.client.signalEntity(id, 'add', 10, { signalTime });
      await peer.client.signalEntity(id, 'add', 1);
      await peer.stateIs(id, 1);
      assert.equal((await peer.client.getEntity(id))?.backlogQueueSize, 0);
      peer.host.clock.advance(61_000);
      await peer.stateIs(id, 11);
    });

    peer.orchestrator('SignalLater', async function* (context, id: string) {
      const target = EntityInstanceId.fromString(id);
      const signalTime = new Date(context.currentUtcDateTime.getTime() + 60_000);
      context.entities.signalEntity(target, 'add', 10, { signalTime });
      context.entities.signalEntity(target, 'add', 1);
      return yield context.entities.callEntity(target, 'get');
    });
    it('get one that an orchestration meant for later', async () => {
      const id = fresh('Counter');
      assert.equal(await peer.output('SignalLater', id.toString()), 1);
      peer.host.clock.advance(61_000);
      await peer.stateIs(id, 11);
    });

    // [wp 7.3-batch-signal]
    it('signal each other, and themselves', async () => {
      const [teller, told] = [fresh('Counter'), fresh('Counter')];
      await peer.client.signalEntity(teller, 'tell', told.key);
      await peer.stateIs(told, 5);
      await peer.client.signalEntity(teller, 'again');
      await peer.stateIs(teller, 5);
    });

    // [wp 7.4-start]
    it('start orchestrations that belong to nobody', async () => {
      const id = fresh('Starter');
      await peer.client.signalEntity(id, 'named');
      await peer.stateIs(id, `started-by-${id.key}`);
      assert.equal(await peer.outputOf(`started-by-${id.key}`), id.key);

      const other = fresh('Starter');
      await peer.client.signalEntity(other, 'unnamed');
      await eventually(async () => assert.equal(typeof (await peer.state(other)), 'string'));
      assert.equal(await peer.outputOf(String(await peer.state(other))), other.key);
    });

    // [wp 7.2-one-batch]
    it('run their operations one by one, and beside other entities', async () => {
      const ids = [fresh('Slow'), fresh('Slow'), fresh('Slow')];
      for (let n = 0; n < 4; n += 1) {
        await Promise.all(ids.map((id) => peer.client.signalEntity(id, 'work')));
      }
      for (const id of ids) await peer.stateIs(id, 4);
      assert.equal(most, 1);
      assert.ok(together > 1, 'entities wait for each other');
    });

    // [wp 7.7-backlog]
    it('count what waits for them', async () => {
      const id = fresh('Slow');
      for (let n = 0; n < 5; n += 1) await peer.client.signalEntity(id, 'work');
      await peer.stateIs(id, 5);
      assert.equal((await peer.client.getEntity(id))?.backlogQueueSize, 0);
    });

    it('may be written as a class', async () => {
      const id = fresh('Cart');
      assert.equal(await call(id, 'Add', 'tea'), 1);
      assert.equal(await call(id, 'ADD', 'milk'), 2);
      assert.deepEqual(await peer.state(id), { items: ['tea', 'milk'] });
      await call(id, 'delete');
      assert.equal(await peer.state(id), undefined);
    });

    peer.orchestrator('FanOut', async function* (context, id: string) {
      const target = EntityInstanceId.fromString(id);
      const calls = Array.from({ length: 20 }, () => context.entities.callEntity(target, 'add', 1));
      return yield both(calls as never);
    });
    it('answer many calls of one orchestration, each once and in order', async () => {
      const id = fresh('Counter');
      const expected = Array.from({ length: 20 }, (_, n) => n + 1);
      assert.deepEqual(await peer.output('FanOut', id.toString()), expected);
    });

    it('add up what many orchestrations add', async () => {
      const id = fresh('Counter');
      await Promise.all(Array.from({ length: 10 }, () => peer.output('FanOut', id.toString())));
      assert.equal(await peer.state(id), 200);
    });

    peer.orchestrator('Generations', async function* (context, [id, n]: [string, number]) {
      const slow = context.entities.callEntity(EntityInstanceId.fromString(id), 'add', 1);
      if (n < 3) {
        context.continueAsNew([id, n + 1], true);
        return undefined;
      }
      return yield slow;
    });
    // [wp 7.4-fenced]
    it('answer only the generation that called', async () => {
      const id = fresh('Counter');
      assert.equal(await peer.output('Generations', [id.toString(), 1]), 3);
    });
  });
}

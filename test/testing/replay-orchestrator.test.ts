import assert from 'node:assert/strict';
import type { Task } from 'durable-functions';
import type { OrchestrationContext } from '../../src/functions/app.ts';
import { EntityId } from '../../src/functions/value-classes.ts';
import { history, replayOrchestrator, TestHub } from '../../src/testing/index.ts';

function* order(context: OrchestrationContext): Generator<Task, unknown, never> {
  const { df } = context;
  try {
    yield df.callActivity('reserve', df.getInput());
    const paid = df.waitForExternalEvent('paid');
    const late = df.createTimer(new Date(df.currentUtcDateTime.getTime() + 3_600_000));
    if ((yield df.Task.any([paid, late])) === late) return 'late';
    df.setCustomStatus('paid');
    return yield df.callSubOrchestrator('ship', paid.result, 'ship-1');
  } catch (error) {
    df.signalEntity(new EntityId('Log', 'all'), 'write', (error as Error).message);
    throw error;
  }
}

const begun = () => history().started('order', 7).scheduled('reserve', 7).turn({ seconds: 1 });

describe('replayOrchestrator', () => {
  it('says what an orchestrator asks for next', async () => {
    const { isComplete, requests } = await replayOrchestrator(
      order,
      history().started('order', 7).events(),
    );

    assert.equal(isComplete, false);
    assert.deepEqual(requests, [{ kind: 'activity', name: 'reserve', input: 7 }]);
  });

  it('says where it stands in the middle', async () => {
    const events = begun().completed().timerCreated(new Date(0)).turn().raised('paid', 10).events();

    const { customStatus, requests } = await replayOrchestrator(order, events);

    assert.equal(customStatus, 'paid');
    assert.deepEqual(requests, [
      { kind: 'subOrchestration', name: 'ship', instanceId: 'ship-1', input: 10 },
    ]);
  });

  it('says how it ends', async () => {
    const waiting = begun().completed().timerCreated(new Date(0)).turn({ hours: 1 });
    const late = await replayOrchestrator(order, waiting.timerFired().events());
    const shipped = await replayOrchestrator(
      order,
      begun()
        .completed()
        .timerCreated(new Date(0))
        .turn()
        .raised('paid')
        .childScheduled('ship')
        .turn()
        .childCompleted('gone')
        .events(),
    );

    assert.deepEqual([late.isComplete, late.output], [true, 'late']);
    assert.deepEqual([shipped.isComplete, shipped.output], [true, 'gone']);
  });

  it('says how it fails, and what it sent before', async () => {
    const { failure, requests } = await replayOrchestrator(
      order,
      begun().failed('RangeError', 'none left').events(),
    );

    assert.deepEqual(failure, {
      errorType: 'TaskFailedError',
      message: 'RangeError: none left',
    });
    assert.deepEqual(
      requests.map(({ kind }) => kind),
      ['entitySignal'],
    );
  });

  it('refuses a history that other code has made', async () => {
    const { failure } = await replayOrchestrator(
      order,
      history().started('order').scheduled('pay').events(),
    );

    assert.equal(failure?.errorType, 'NonDeterminismError');
  });

  it('goes over the recorded history of an instance', async () => {
    const hub = await TestHub.open({
      orchestrators: { order, ship: () => 'gone' },
      activities: { reserve: () => 'ok' },
    });
    try {
      const id = await hub.client.scheduleNewOrchestration('order', 7);
      await hub.client.raiseOrchestrationEvent(id, 'paid', 1);
      await hub.complete(id);
      const recorded = await Array.fromAsync(hub.client.getOrchestrationHistory(id));

      const { isComplete, output, requests } = await replayOrchestrator(order, recorded);

      assert.deepEqual([isComplete, output, requests], [true, 'gone', []]);
    } finally {
      await hub.close();
    }
  });
});

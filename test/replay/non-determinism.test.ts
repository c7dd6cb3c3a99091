import assert from 'node:assert/strict';
import type { HistoryEvent } from '../../src/proto/orchestrator_service_pb.ts';
import { event, executionStarted, START_AT, turnStarted } from './support/events.ts';
import type { ClassicHandler } from './support/orchestrators.ts';
import { classic, lines, now } from './support/orchestrators.ts';

/** The failure text of a replay in which the history recorded `recorded`. */
function failureOf(handler: ClassicHandler, recorded: HistoryEvent): string {
  const pastEvents = [turnStarted(), executionStarted(), recorded];
  const { actions } = now(classic(handler).turn({ pastEvents, newEvents: [turnStarted()] }));
  assert.equal(actions.length, 1);
  return lines(actions)[0] ?? '';
}

const callsA: ClassicHandler = function* ({ df }) {
  yield df.callActivity('A');
};
const childC: ClassicHandler = function* ({ df }) {
  yield df.callSubOrchestrator('C');
};
const waits: ClassicHandler = function* ({ df }) {
  yield df.waitForExternalEvent('go');
};
const sends: ClassicHandler = function* ({ df }) {
  df.sendEvent('other', 'go');
  yield df.waitForExternalEvent('go');
};
const sleeps: ClassicHandler = function* ({ df }) {
  yield df.createTimer(new Date(START_AT));
};

describe('a history that the code does not reproduce', () => {
  it('fails the execution and names both activities', () => {
    const text = failureOf(callsA, event({ case: 'taskScheduled', value: { name: 'B' } }, 1));

    assert.match(
      text,
      /^2 failed NonDeterminismError: .*event 1 .* called activity 'B', but the code.* called activity 'A'\. /,
    );
  });

  it('says so when the code asks for nothing', () => {
    const text = failureOf(waits, event({ case: 'timerCreated', value: {} }, 1));

    assert.match(
      text,
      /created a timer, but .* asked for nothing with that id\. Orchestrators must/,
    );
  });

  it('names a child that history does not know', () => {
    const text = failureOf(childC, event({ case: 'timerCreated', value: {} }, 1));

    assert.match(text, /created a timer, but .* called sub-orchestrator 'C'/);
  });

  it('compares the names of children', () => {
    const recorded = event(
      { case: 'subOrchestrationInstanceCreated', value: { name: 'D', instanceId: 'd' } },
      1,
    );

    assert.match(failureOf(childC, recorded), /called sub-orchestrator 'D', but/);
  });

  it('compares name and target of sent events', () => {
    const recorded = event({ case: 'eventSent', value: { name: 'go', instanceId: 'else' } }, 1);

    assert.match(failureOf(sends, recorded), /sent event 'go' to 'else', but .* to 'other'/);
  });

  it('compares timers by kind', () => {
    const recorded = event({ case: 'taskScheduled', value: { name: 'A' } }, 1);

    assert.match(failureOf(sleeps, recorded), /called activity 'A', but .* created a timer/);
  });

  it('compares operation, target and kind of entity messages', () => {
    const counter = { name: 'Counter', key: 'a' };
    const called = (operation: string): HistoryEvent =>
      event(
        { case: 'entityOperationCalled', value: { operation, targetInstanceId: '@counter@a' } },
        1,
      );
    const asks: readonly [ClassicHandler, HistoryEvent, RegExp][] = [
      [
        callsA,
        called('add'),
        /called operation 'add' of entity '@counter@a', but .*, called activity 'A'/,
      ],
      [
        function* ({ df }) {
          yield df.callEntity(counter, 'get');
        },
        called('add'),
        /called operation 'add' of .*, but .*, called operation 'get' of entity '@counter@a'/,
      ],
      [
        ({ df }) => {
          df.signalEntity(counter, 'add');
        },
        called('add'),
        /, but .*, signalled operation 'add' to entity '@counter@a'/,
      ],
      [
        function* ({ df }) {
          yield df.lock(counter, { name: 'b', key: '' });
        },
        called('add'),
        /, but .*, asked for the locks of @b@, @counter@a/,
      ],
      [
        callsA,
        event({ case: 'entityUnlockSent', value: { targetInstanceId: '@counter@a' } }, 1),
        /let go of the lock of '@counter@a', but/,
      ],
    ];

    for (const [handler, recorded, text] of asks) assert.match(failureOf(handler, recorded), text);
  });

  it('fails when the code has ended before the history has', () => {
    const text = failureOf(
      () => 'early',
      event({ case: 'taskScheduled', value: { name: 'A' } }, 1),
    );

    assert.match(text, /NonDeterminismError.*asked for nothing/);
  });

  it('accepts child ids and fire times that differ', () => {
    const recorded = event(
      { case: 'subOrchestrationInstanceCreated', value: { name: 'C', instanceId: 'old:0001' } },
      1,
    );
    const pastEvents = [turnStarted(), executionStarted(), recorded];

    const { actions } = now(classic(childC).turn({ pastEvents, newEvents: [turnStarted()] }));

    assert.deepEqual(actions, []);
  });

  it('marks the failure as one that a retry cannot help', () => {
    const recorded = event({ case: 'taskScheduled', value: { name: 'B' } }, 1);
    const pastEvents = [turnStarted(), executionStarted(), recorded];

    const { actions } = now(classic(callsA).turn({ pastEvents, newEvents: [] }));
    const type = actions[0]?.orchestratorActionType;

    assert.equal(
      type?.case === 'completeOrchestration' && type.value.failureDetails?.isNonRetriable,
      true,
    );
  });
});

import assert from 'node:assert/strict';
import type { TurnResult } from '../../src/replay/session.ts';
import {
  event,
  eventRaised,
  executionStarted,
  resumed,
  suspended,
  taskCompleted,
  terminated,
  turnStarted,
} from './support/events.ts';
import { classic, core, lines, live, now } from './support/orchestrators.ts';
import type { ClassicHandler } from './support/orchestrators.ts';

const twoActivities: ClassicHandler = function* ({ df }) {
  yield df.callActivity('A');
  yield df.callActivity('B');
};

describe('suspension', () => {
  it('holds events back and asks for nothing until it is over', () => {
    const session = classic(twoActivities);
    live(session, executionStarted());

    const while1 = live(session, suspended(), taskCompleted(1));
    const while2 = live(session, suspended());
    const after = live(session, resumed());

    assert.deepEqual([lines(while1.actions), lines(while2.actions)], [[], []]);
    assert.deepEqual(lines(after.actions), ['2 activity B()']);
  });

  it('keeps back what the first turn asked for', () => {
    const session = classic(twoActivities);

    const first = live(session, executionStarted(), suspended());
    const second = live(session, resumed());

    assert.deepEqual([lines(first.actions), lines(second.actions)], [[], ['1 activity A()']]);
  });

  it('is over at once when it is lifted in the same turn', () => {
    const session = classic(twoActivities);
    live(session, executionStarted());

    const turn = live(session, suspended(), taskCompleted(1), resumed(), resumed());

    assert.deepEqual(lines(turn.actions), ['2 activity B()']);
  });

  it('does not hold back the end of the code', () => {
    const session = classic(() => 'done');

    assert.deepEqual(lines(live(session, executionStarted(), suspended()).actions), [
      '1 completed "done"',
    ]);
  });
});

describe('termination', () => {
  it('ends the execution with the given output, even while it is suspended', () => {
    const session = classic(twoActivities);
    live(session, executionStarted(), suspended());

    const turn = live(session, terminated('stop'));

    assert.deepEqual(lines(turn.actions), ['2 terminated "stop"']);
    assert.equal(turn.isComplete, true);
  });

  it('wins over a completion in the same turn and drops work not yet started', () => {
    const session = classic(function* ({ df }) {
      df.sendEvent('other', 'bye');
      yield df.callActivity('A');
    });

    const turn = live(session, executionStarted(), terminated());

    assert.deepEqual(lines(turn.actions), ['1 event bye() to other', '3 terminated']);
  });

  it('ignores what arrives after it', () => {
    const session = classic(twoActivities);
    live(session, executionStarted());

    const turn = live(session, terminated(), taskCompleted(1), executionStarted());

    assert.deepEqual(lines(turn.actions), ['2 terminated']);
  });

  it('works before the execution has started', () => {
    assert.deepEqual(lines(live(classic(twoActivities), terminated('x')).actions), [
      '1 terminated "x"',
    ]);
  });
});

describe('continueAsNew', () => {
  const loop = (saveEvents?: boolean): ClassicHandler =>
    function* ({ df }, input) {
      yield df.waitForExternalEvent('tick');
      df.continueAsNew(Number(input) + 1, saveEvents);
      yield df.callActivity('never');
    };
  const events = [eventRaised('tick', 1), eventRaised('Tick', 2), eventRaised('other', 3)];
  const carried = ({ actions }: TurnResult): unknown[] => {
    const type = actions.at(-1)?.orchestratorActionType;
    if (type?.case !== 'completeOrchestration') return ['not complete'];
    return type.value.carryoverEvents.map((carry) =>
      carry.eventType.case === 'eventRaised' ? carry.eventType.value.input : carry.eventType.case,
    );
  };

  it('ends at the next yield, with the new input, and drops what is asked for after it', () => {
    const turn = live(classic(loop()), executionStarted({ input: '1' }), ...events);

    assert.deepEqual(lines(turn.actions), ['1 continued 2']);
    assert.deepEqual(carried(turn), []);
  });

  it('carries unconsumed events over in the order of arrival, when asked to', () => {
    const session = classic(loop(true));
    const start = [executionStarted({ input: '1' }), eventRaised('early', 0)];

    const turn = live(session, ...start, ...events);

    assert.deepEqual(carried(turn), ['0', '2', '3']);
  });

  it('carries over events that arrive behind a suspension in the last turn', () => {
    const [first, ...others] = events;
    const session = classic(loop(true));
    live(session, executionStarted({ input: '1' }));

    const turn = live(session, ...(first === undefined ? [] : [first]), suspended(), ...others);

    assert.deepEqual(carried(turn), ['2', '3']);
  });

  it('ignores the return value', () => {
    const session = classic(function* ({ df }) {
      df.continueAsNew('next');
      if (df.isReplaying) yield df.callActivity('A');
      return 'ignored';
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 continued "next"']);
  });

  it('gives way to an error', () => {
    const session = classic(({ df }) => {
      df.continueAsNew('next');
      throw new RangeError('broken');
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), [
      '1 failed RangeError: broken',
    ]);
  });

  it('still sends what core code sends after it', () => {
    const session = core((context) => {
      context.continueAsNew(undefined);
      context.sendEvent('other', 'go', 1);
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), [
      '1 event go(1) to other',
      '2 continued',
    ]);
  });
});

describe('execution start', () => {
  it('is taken once', () => {
    let starts = 0;
    const session = classic(function* ({ df }) {
      starts += 1;
      yield df.callActivity('A');
    });

    live(session, executionStarted(), executionStarted());

    assert.equal(starts, 1);
  });

  it('fails the execution when the input is no JSON', () => {
    const { actions } = live(classic(twoActivities), executionStarted({ input: '{' }));

    assert.deepEqual(lines(actions), [
      "1 failed SyntaxError: The input of orchestrator 'Test' is not valid JSON.",
    ]);
  });

  it('takes an empty input as none', () => {
    const session = classic((_, input) => [input === undefined]);

    assert.deepEqual(lines(live(session, executionStarted({ input: '' })).actions), [
      '1 completed [true]',
    ]);
  });

  it('fails the execution when the context or the handler throws', () => {
    const session = classic(() => {
      throw new TypeError('no');
    });

    assert.deepEqual(lines(live(session, executionStarted()).actions), ['1 failed TypeError: no']);
  });

  it('ignores events that no code can notice', () => {
    const session = classic(twoActivities);
    const noise = [
      event({ case: 'orchestratorCompleted', value: {} }),
      event({ case: 'executionRewound', value: {} }),
      event({ case: 'timerFired', value: { timerId: 9 } }),
      taskCompleted(9),
      event({ case: 'taskFailed', value: { taskScheduledId: 9 } }),
      event({ case: 'orchestratorStarted', value: {} }),
    ];

    const pastEvents = [turnStarted(), executionStarted(), ...noise];
    const { actions } = now(session.turn({ pastEvents, newEvents: [] }));

    assert.deepEqual(lines(actions), ['1 activity A()']);
  });
});

import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import {
  ExecutionStartedEventSchema,
  HistoryEventSchema,
  OrchestrationStatus,
} from '../../src/proto/orchestrator_service_pb.ts';
import { EVENT_NUMBER } from '../../src/wire/events.ts';
import {
  complete,
  completeWith,
  continueAsNew,
  createChild,
  createTimer,
  fail,
  scheduleTask,
  sendEvent,
} from '../support/actions.ts';
import { casesOf, decide, DISPATCHED_AT, eventsOf, historyOf, NOW, stored } from './turns.ts';

const { CANCELED, COMPLETED, FAILED, RUNNING, SUSPENDED, TERMINATED } = OrchestrationStatus;

const suspended = stored({ case: 'executionSuspended', value: {} });
const resumed = stored({ case: 'executionResumed', value: {} });
const raised = stored({ case: 'eventRaised', value: { name: 'x' } });

function msOf({
  timestamp,
}: {
  timestamp?: { seconds: bigint; nanos: number } | undefined;
}): number {
  return Number(timestamp?.seconds) * 1000 + (timestamp?.nanos ?? 0) / 1e6;
}

describe('a turn', () => {
  it('writes its clock, what it consumed, then what it asked for', () => {
    const decision = decide([scheduleTask(1), createTimer(2, NOW)], {
      turn: { consumed: [raised] },
    });
    assert.deepEqual(casesOf(decision), [
      'orchestratorStarted',
      'eventRaised',
      'taskScheduled',
      'timerCreated',
    ]);
    const times = historyOf(decision).map(msOf);
    assert.deepEqual(times, [DISPATCHED_AT, NOW, NOW, NOW]);
    assert.deepEqual(decision.history[1], raised);
    assert.equal(decision.status, RUNNING);
    assert.deepEqual([decision.completion, decision.continuation], [undefined, undefined]);
  });

  it('that asks for nothing is a turn all the same', () => {
    assert.deepEqual(casesOf(decide([])), ['orchestratorStarted']);
  });

  it('sets the custom status; unset and empty clear it', () => {
    assert.deepEqual(decide([], { customStatus: 's' }).customStatus, { value: 's' });
    assert.deepEqual(decide([]).customStatus, { value: undefined });
    assert.deepEqual(decide([], { customStatus: '' }).customStatus, { value: undefined });
  });

  it('keeps the custom status where the worker did not evaluate it', () => {
    assert.deepEqual(decide([fail('E', 'm')]).customStatus, { keep: true });
    assert.deepEqual(decide([continueAsNew()]).customStatus, { keep: true });
    const failedWith = decide([fail('E', 'm')], { customStatus: 's' });
    assert.deepEqual(failedWith.customStatus, { value: 's' });
    const failedLater = decide([scheduleTask(1), fail('E', 'm')]);
    assert.deepEqual(failedLater.customStatus, { value: undefined });
    assert.deepEqual(decide([complete()]).customStatus, { value: undefined });
  });
});

describe('suspension', () => {
  it('follows the last suspend or resume that the turn consumed', () => {
    const cases = [
      { consumed: [suspended], was: false, is: true },
      { consumed: [suspended, resumed], was: false, is: false },
      { consumed: [resumed, suspended, raised], was: false, is: true },
      { consumed: [suspended, suspended], was: true, is: true },
      { consumed: [resumed], was: false, is: false },
      { consumed: [resumed], was: true, is: false },
      { consumed: [raised], was: true, is: true },
    ];
    for (const { consumed, was, is } of cases) {
      const decision = decide([], { turn: { consumed, isSuspended: was } });
      assert.equal(decision.isSuspended, is);
      assert.equal(decision.status, is ? SUSPENDED : RUNNING);
    }
  });

  it('gives way to a completion', () => {
    const decision = decide([complete()], { turn: { isSuspended: true } });
    assert.deepEqual([decision.status, decision.isSuspended], [COMPLETED, false]);
  });
});

describe('a completion', () => {
  it('ends the history with its status and result', () => {
    const decision = decide([complete('"out"')]);
    const [[id, event] = []] = eventsOf(decision.history, 'executionCompleted');
    assert.deepEqual([id, event?.orchestrationStatus, event?.result], [-1, COMPLETED, '"out"']);
    assert.equal(decision.completion?.status, COMPLETED);
    assert.deepEqual(
      [decision.completion.errorType, decision.completion.errorMessage],
      [undefined, undefined],
    );
  });

  it('drops timers, from the history too, and does all else that was asked', () => {
    const decision = decide([
      createTimer(1, NOW),
      scheduleTask(2),
      complete(),
      createChild(3, 'c'),
      sendEvent(4, 'x', 'n'),
    ]);
    assert.deepEqual(casesOf(decision), [
      'orchestratorStarted',
      'taskScheduled',
      'subOrchestrationInstanceCreated',
      'eventSent',
      'executionCompleted',
    ]);
    const { activities, timers, children, messages } = decision;
    assert.deepEqual(
      [activities.length, timers.length, children.length, messages.length],
      [1, 0, 1, 1],
    );
  });

  it('given twice counts as the last says', () => {
    assert.equal(decide([complete('1'), fail('E', 'm')]).status, FAILED);
    assert.equal(decide([fail('E', 'm'), complete('1')]).status, COMPLETED);
  });

  it('tells a parent of the result, an empty one too, and of none', () => {
    for (const result of ['"r"', '', undefined]) {
      const { completion } = decide([complete(result)], { turn: { parentTaskId: 7 } });
      const [[, event] = []] = eventsOf(
        [completion!.parentEvent!],
        'subOrchestrationInstanceCompleted',
      );
      assert.deepEqual([event?.taskScheduledId, event?.result], [7, result]);
    }
  });

  it('tells nobody without a parent', () => {
    assert.equal(decide([complete()]).completion?.parentEvent, undefined);
  });

  it('FAILED has details in history, record and parent, those of the worker or made-up ones', () => {
    const cases = [
      { action: fail('Boom', 'no'), errorType: 'Boom', errorMessage: 'no' },
      {
        action: completeWith(FAILED, { result: '"why"' }),
        errorType: 'Unknown',
        errorMessage: '"why"',
      },
      {
        action: completeWith(FAILED),
        errorType: 'Unknown',
        errorMessage: 'The orchestration failed.',
      },
    ];
    for (const { action, errorType, errorMessage } of cases) {
      const decision = decide([action], { turn: { parentTaskId: 0 } });
      const { completion } = decision;
      assert.deepEqual(
        [completion?.errorType, completion?.errorMessage],
        [errorType, errorMessage],
      );
      const [[, event] = []] = eventsOf(decision.history, 'executionCompleted');
      assert.deepEqual([event?.failureDetails?.errorType, event?.result], [errorType, undefined]);
      const [[, told] = []] = eventsOf(
        [completion!.parentEvent!],
        'subOrchestrationInstanceFailed',
      );
      assert.deepEqual([told?.taskScheduledId, told?.failureDetails?.errorType], [0, errorType]);
    }
  });

  it('TERMINATED and CANCELED keep their output and tell the parent why', () => {
    for (const status of [TERMINATED, CANCELED]) {
      const decision = decide([completeWith(status, { result: 'stop' })], {
        turn: { parentTaskId: 1 },
      });
      const [[, event] = []] = eventsOf(decision.history, 'executionCompleted');
      assert.deepEqual([event?.result, event?.failureDetails], ['stop', undefined]);
      const [[, told] = []] = eventsOf(
        [decision.completion!.parentEvent!],
        'subOrchestrationInstanceFailed',
      );
      assert.equal(told?.failureDetails?.errorType, 'OrchestrationTerminated');
      assert.equal(told.failureDetails.errorMessage, 'The orchestration was terminated: stop');
    }
  });

  it('TERMINATED without a reason has an empty one nowhere', () => {
    for (const rest of [{}, { result: '' }]) {
      const { completion } = decide([completeWith(TERMINATED, rest)]);
      assert.equal(completion?.errorMessage, 'The orchestration was terminated');
    }
  });

  it('TERMINATED with the worker’s own details keeps those', () => {
    const failureDetails = { errorType: 'Mine', errorMessage: 'm' };
    const { completion } = decide([completeWith(TERMINATED, { failureDetails })]);
    assert.equal(completion?.errorType, 'Mine');
  });
});

describe('a recursive terminate', () => {
  const terminated = (recurse: boolean, input?: string) =>
    stored({
      case: 'executionTerminated',
      value: { recurse, ...(input !== undefined && { input }) },
    });

  it('goes on to the children once the execution ends TERMINATED', () => {
    for (const input of ['"why"', undefined]) {
      const consumed = [terminated(true, input)];
      const { completion } = decide([completeWith(TERMINATED)], { turn: { consumed } });
      const [[, event] = []] = eventsOf([completion!.childEvent!], 'executionTerminated');
      assert.deepEqual([event?.recurse, event?.input], [true, input]);
    }
  });

  it('does not if it was not recursive, was not there, or the execution ended otherwise', () => {
    const end = [completeWith(TERMINATED)];
    const turn = { consumed: [terminated(false)] };
    assert.equal(decide(end, { turn }).completion?.childEvent, undefined);
    assert.equal(decide(end).completion?.childEvent, undefined);
    const recursive = { consumed: [terminated(true)] };
    assert.equal(decide([complete()], { turn: recursive }).completion?.childEvent, undefined);
  });

  it('is not made of an event that only says it is one', () => {
    const consumed = [{ type: EVENT_NUMBER.executionTerminated, bytes: raised.bytes }];
    const { completion } = decide([completeWith(TERMINATED)], { turn: { consumed } });
    assert.equal(completion?.childEvent, undefined);
  });
});

describe('continue-as-new', () => {
  const started = create(ExecutionStartedEventSchema, {
    name: 'Loop',
    input: '"old"',
    version: '1',
    tags: { k: 'v' },
    parentInstance: { taskScheduledId: 4, orchestrationInstance: { instanceId: 'p' } },
    parentTraceContext: { traceParent: '00-2' },
  });
  const turn = { name: 'Loop', version: '1', started: () => started };

  it('starts the next generation with the new input and all else as it was', () => {
    const { continuation, ...decision } = decide([continueAsNew('"new"')], { turn });
    assert.deepEqual([decision.status, decision.completion], [RUNNING, undefined]);
    assert.deepEqual(decision.history, []);
    assert.deepEqual(
      [continuation?.executionId, continuation?.name, continuation?.version],
      ['new-1', 'Loop', '1'],
    );
    const [[, event] = []] = eventsOf([continuation!.started], 'executionStarted');
    assert.deepEqual(
      [event?.name, event?.input, event?.version, event?.tags],
      ['Loop', '"new"', '1', { k: 'v' }],
    );
    assert.deepEqual(event?.parentInstance, started.parentInstance);
    assert.deepEqual(event?.parentTraceContext, started.parentTraceContext);
    assert.equal(event?.orchestrationInstance?.executionId, 'new-1');
  });

  it('takes a new version, and none where there is none', () => {
    const next = completeWith(OrchestrationStatus.CONTINUED_AS_NEW, { newVersion: '2' });
    assert.equal(decide([next], { turn }).continuation?.version, '2');
    const { continuation } = decide([continueAsNew()]);
    const [[, event] = []] = eventsOf([continuation!.started], 'executionStarted');
    assert.deepEqual(
      [continuation?.version, event?.version, event?.input],
      ['', undefined, undefined],
    );
  });

  it('carries events over without their times, and nothing but raised events', () => {
    const events = [
      { eventType: { case: 'eventRaised' as const, value: { name: 'a', input: '1' } } },
      { eventType: { case: 'timerFired' as const, value: { timerId: 1 } } },
      { eventType: { case: 'eventRaised' as const, value: { name: 'b' } } },
    ].map((init) => create(HistoryEventSchema, { ...init, timestamp: { seconds: 5n } }));
    const { continuation } = decide([continueAsNew('1', events)]);
    const carried = continuation?.carryover ?? [];
    assert.deepEqual(
      eventsOf(carried, 'eventRaised').map(([id, { name, input }]) => [id, name, input]),
      [
        [-1, 'a', '1'],
        [-1, 'b', undefined],
      ],
    );
    assert.deepEqual(carried.length, 2);
  });

  it('does what else was asked, without timers', () => {
    const decision = decide([
      scheduleTask(1),
      createTimer(2, NOW),
      continueAsNew(),
      sendEvent(3, 'x', 'n'),
      createChild(4, 'c'),
    ]);
    const { activities, timers, children, messages, isSuspended } = decision;
    assert.deepEqual(
      [activities.length, timers.length, children.length, messages.length, isSuspended],
      [1, 0, 1, 1, false],
    );
  });
});

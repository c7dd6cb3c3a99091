/** What holds of every decision, whatever the worker answered. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isTerminal } from '../../src/core/instance.ts';
import {
  OrchestrationStatus,
  type HistoryEvent,
  type OrchestratorAction,
} from '../../src/proto/orchestrator_service_pb.ts';
import { decodeEvent, type EventType } from '../../src/wire/events.ts';
import {
  completeWith,
  createChild,
  createTimer,
  scheduleTask,
  sendEvent,
  terminateOther,
} from '../support/actions.ts';
import { decide, historyOf, NOW, stored } from './turns.ts';

const text = fc.string({ maxLength: 5 });
const id = fc.string({ unit: 'grapheme-ascii', maxLength: 4 });

/** What an orchestrator may ask for, numbered from 1 as the SDKs do. */
const asked: fc.Arbitrary<OrchestratorAction[]> = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('task' as const), name: text, input: text }),
      fc.record({ kind: fc.constant('timer' as const), ms: fc.integer({ min: -5, max: 5 }) }),
      fc.record({ kind: fc.constant('child' as const), child: id }),
      fc.record({ kind: fc.constant('event' as const), target: id, data: text }),
      fc.record({ kind: fc.constant('terminate' as const), target: id }),
    ),
    { maxLength: 12 },
  )
  .map((all) =>
    all.map((one, index) => {
      const number = index + 1;
      switch (one.kind) {
        case 'task':
          return scheduleTask(number, one.name, { input: one.input });
        case 'timer':
          return createTimer(number, NOW + one.ms);
        case 'child':
          return createChild(number, one.child);
        case 'event':
          return sendEvent(number, one.target, 'name', one.data);
        case 'terminate':
          return terminateOther(number, one.target);
      }
    }),
  );

const ending = fc.option(
  fc.constantFrom(
    OrchestrationStatus.COMPLETED,
    OrchestrationStatus.FAILED,
    OrchestrationStatus.TERMINATED,
    OrchestrationStatus.CANCELED,
    OrchestrationStatus.CONTINUED_AS_NEW,
  ),
  { nil: undefined },
);

const consumed = fc
  .array(
    fc.constantFrom<EventType>(
      { case: 'eventRaised', value: { name: 'x' } },
      { case: 'executionSuspended', value: {} },
      { case: 'executionResumed', value: {} },
      { case: 'executionTerminated', value: { recurse: true } },
      { case: 'taskCompleted', value: { taskScheduledId: 1 } },
    ),
    { maxLength: 6 },
  )
  .map((all) => all.map(stored));

const response = fc
  .tuple(asked, ending, fc.nat(12))
  .map(([actions, status, at]) =>
    status === undefined ? actions : actions.toSpliced(at, 0, completeWith(status)),
  );

function idsOf(
  events: readonly HistoryEvent[],
  wanted: HistoryEvent['eventType']['case'],
): number[] {
  return events.flatMap(({ eventId, eventType }) => (eventType.case === wanted ? [eventId] : []));
}

describe('every decision', () => {
  it('holds each task, timer, child and message in its history exactly once', () => {
    fc.assert(
      fc.property(response, consumed, (actions, events) => {
        const decision = decide(actions, { turn: { consumed: events } });
        fc.pre(!decision.continuation);
        const history = historyOf(decision);
        const { activities, timers, children, messages } = decision;
        assert.deepEqual(
          idsOf(history, 'taskScheduled'),
          activities.map(({ taskId }) => taskId),
        );
        assert.deepEqual(
          idsOf(history, 'timerCreated'),
          timers.map(({ timerId }) => timerId),
        );
        const refused = messages.flatMap(({ event }) => {
          const { eventType } = decodeEvent(event);
          return eventType.case === 'subOrchestrationInstanceFailed'
            ? [eventType.value.taskScheduledId]
            : [];
        });
        assert.deepEqual(
          idsOf(history, 'subOrchestrationInstanceCreated').sort(),
          [...children.map(({ taskId }) => taskId), ...refused].sort(),
        );
        const raised = messages.filter(
          ({ event }) => decodeEvent(event).eventType.case === 'eventRaised',
        );
        assert.equal(idsOf(history, 'eventSent').length, raised.length);
      }),
    );
  });

  it('carries out what was asked, in the order of the actions', () => {
    fc.assert(
      fc.property(response, (actions) => {
        const decision = decide(actions);
        const wanted = (kind: string): number[] =>
          actions.flatMap(({ id: number, orchestratorActionType: { case: is } }) =>
            is === kind ? [number] : [],
          );
        assert.deepEqual(
          decision.activities.map(({ taskId }) => taskId),
          wanted('scheduleTask'),
        );
        const isLast = decision.completion ?? decision.continuation;
        assert.deepEqual(
          decision.timers.map(({ timerId }) => timerId),
          isLast ? [] : wanted('createTimer'),
        );
      }),
    );
  });

  it('keeps what was consumed, in order, right behind its clock', () => {
    fc.assert(
      fc.property(response, consumed, (actions, events) => {
        const decision = decide(actions, { turn: { consumed: events } });
        fc.pre(!decision.continuation);
        assert.deepEqual(decision.history.slice(1, 1 + events.length), events);
      }),
    );
  });

  it('ends the execution exactly if it holds one executionCompleted, as its last event', () => {
    fc.assert(
      fc.property(response, consumed, (actions, events) => {
        const decision = decide(actions, { turn: { consumed: events } });
        const cases = historyOf(decision).map(({ eventType }) => eventType.case);
        const at = cases.indexOf('executionCompleted');
        assert.equal(at, decision.completion ? cases.length - 1 : -1);
        assert.equal(isTerminal(decision.status), decision.completion !== undefined);
      }),
    );
  });

  it('is the same for the same turn, answer and environment', () => {
    fc.assert(
      fc.property(response, consumed, (actions, events) => {
        const turn = { consumed: events };
        assert.deepEqual(decide(actions, { turn }), decide(actions, { turn }));
      }),
    );
  });
});

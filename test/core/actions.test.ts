import assert from 'node:assert/strict';
import { create, fromBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { applyAction } from '../../src/core/actions.ts';
import { DecisionDraft } from '../../src/core/decision-draft.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import {
  ActivityRequestSchema,
  OrchestrationStatus,
  OrchestratorActionSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import { decodeEvent, EVENT_NUMBER } from '../../src/wire/events.ts';
import {
  action,
  complete,
  continueAsNew,
  createChild,
  createTimer,
  scheduleTask,
  sendEvent,
  terminateOther,
} from '../support/actions.ts';
import { casesOf, decide, envOf, eventsOf, historyOf, NOW, turnOf } from './turns.ts';

const TRACE = { traceParent: '00-1', traceState: 's' };

describe('scheduling an activity', () => {
  const all = { version: '2', input: '"in"', tags: { k: 'v' }, parentTraceContext: TRACE };

  it('writes the event and the request that the worker will get', () => {
    const decision = decide([scheduleTask(5, 'Work', all)]);
    const [[id, event] = []] = eventsOf(decision.history, 'taskScheduled');
    assert.equal(id, 5);
    assert.deepEqual(
      [event?.name, event?.version, event?.input, event?.tags],
      ['Work', '2', '"in"', { k: 'v' }],
    );
    assert.equal(event?.parentTraceContext?.traceParent, '00-1');
    const [activity] = decision.activities;
    assert.ok(activity);
    assert.deepEqual([activity.taskId, activity.name, activity.version], [5, 'Work', '2']);
    const request = fromBinary(ActivityRequestSchema, activity.request);
    assert.deepEqual(
      [request.name, request.version, request.input, request.taskId, request.tags],
      ['Work', '2', '"in"', 5, { k: 'v' }],
    );
    assert.equal(request.orchestrationInstance?.instanceId, 'parent');
    assert.equal(request.orchestrationInstance.executionId, 'execution');
    assert.equal(request.parentTraceContext?.traceState, 's');
  });

  it('leaves unset what the worker left unset', () => {
    const decision = decide([scheduleTask(0, 'Work')]);
    const [[id, event] = []] = eventsOf(decision.history, 'taskScheduled');
    assert.equal(id, 0);
    assert.deepEqual(
      [event?.version, event?.input, event?.parentTraceContext],
      [undefined, undefined, undefined],
    );
    assert.equal(decision.activities[0]?.version, '');
  });
});

describe('starting a sub-orchestration', () => {
  const rest = { version: '2', input: '1', tags: { k: 'v' }, parentTraceContext: TRACE };
  const turn = { name: 'P', version: '9' };

  it('writes the event and the start of the child', () => {
    const decision = decide([createChild(3, 'child', rest)], { turn });
    const [[id, event] = []] = eventsOf(decision.history, 'subOrchestrationInstanceCreated');
    assert.equal(id, 3);
    assert.deepEqual(
      [event?.instanceId, event?.name, event?.version, event?.input, event?.tags],
      ['child', 'Child', '2', '1', { k: 'v' }],
    );
    const [child] = decision.children;
    assert.ok(child);
    const { started, ...known } = child;
    assert.deepEqual(known, {
      taskId: 3,
      instanceId: 'child',
      executionId: 'new-1',
      name: 'Child',
      version: '2',
      tags: { k: 'v' },
    });
    assert.equal(started.type, EVENT_NUMBER.executionStarted);
  });

  it('tells the child of itself and of its parent', () => {
    const decision = decide([createChild(3, 'child', rest)], { turn });
    const [[, start] = []] = eventsOf([decision.children[0]!.started], 'executionStarted');
    assert.deepEqual([start?.name, start?.input, start?.version], ['Child', '1', '2']);
    assert.equal(start?.orchestrationInstance?.executionId, 'new-1');
    const { parentInstance } = start;
    assert.deepEqual(
      [parentInstance?.taskScheduledId, parentInstance?.name, parentInstance?.version],
      [3, 'P', '9'],
    );
    assert.equal(parentInstance?.orchestrationInstance?.instanceId, 'parent');
  });

  it('makes an id from the parent’s and the action’s where there is none', () => {
    const decision = decide([createChild(26, '')]);
    assert.equal(decision.children[0]?.instanceId, 'parent:001a');
    const [[, event] = []] = eventsOf(decision.history, 'subOrchestrationInstanceCreated');
    assert.equal(event?.instanceId, 'parent:001a');
  });

  it('fails in the parent when the id or the tags cannot be', () => {
    const children = [
      createChild(1, '@entity'),
      createChild(2, 'x'.repeat(101)),
      createChild(3, 'ok', { tags: { k: 'x'.repeat(1000) } }),
    ];
    const decision = decide(children);
    assert.deepEqual(decision.children, []);
    assert.equal(eventsOf(decision.history, 'subOrchestrationInstanceCreated').length, 3);
    const refusals = decision.messages.map(({ instanceId, event }) => {
      const [[, value] = []] = eventsOf([event], 'subOrchestrationInstanceFailed');
      const { taskScheduledId, failureDetails } = value ?? {};
      return [instanceId, taskScheduledId, failureDetails?.errorType];
    });
    assert.deepEqual(refusals, [
      ['parent', 1, 'INVALID_ARGUMENT'],
      ['parent', 2, 'INVALID_ARGUMENT'],
      ['parent', 3, 'INVALID_ARGUMENT'],
    ]);
  });
});

describe('creating a timer', () => {
  it('writes the event, and fires with the id of the action', () => {
    const fireAt = timestampFromMs(NOW + 500);
    const decision = decide([createTimer(4, NOW + 500)]);
    assert.deepEqual(eventsOf(decision.history, 'timerCreated')[0]?.[1].fireAt, fireAt);
    const [timer] = decision.timers;
    assert.deepEqual([timer?.timerId, timer?.dueAt], [4, NOW + 500]);
    const [[id, fired] = []] = eventsOf([timer!.fired], 'timerFired');
    assert.deepEqual([id, fired?.timerId, fired?.fireAt], [-1, 4, fireAt]);
    assert.equal(decodeEvent(timer!.fired).timestamp, undefined);
  });

  it('rounds a fraction of a millisecond up, and keeps it in the events', () => {
    const fireAt = { ...timestampFromMs(NOW), nanos: 1 };
    const decision = decide([action(1, { case: 'createTimer', value: { fireAt } })]);
    assert.equal(decision.timers[0]?.dueAt, NOW + 1);
    assert.equal(eventsOf(decision.history, 'timerCreated')[0]?.[1].fireAt?.nanos, 1);
  });

  it('without a time is due now', () => {
    const decision = decide([action(1, { case: 'createTimer', value: {} })]);
    assert.equal(decision.timers[0]?.dueAt, NOW);
  });
});

describe('sending an event', () => {
  it('writes the event and sends what the target will be raised', () => {
    const decision = decide([sendEvent(2, 'other', 'hi', '"x"')]);
    const [[id, sent] = []] = eventsOf(decision.history, 'eventSent');
    assert.deepEqual([id, sent?.instanceId, sent?.name, sent?.input], [2, 'other', 'hi', '"x"']);
    const [message] = decision.messages;
    assert.equal(message?.instanceId, 'other');
    const [[, raised] = []] = eventsOf([message.event], 'eventRaised');
    assert.deepEqual([raised?.name, raised?.input], ['hi', '"x"']);
  });

  it('without a target goes nowhere, yet stands in the history', () => {
    const decision = decide([action(2, { case: 'sendEvent', value: { name: 'hi' } })]);
    assert.deepEqual(casesOf(decision), ['orchestratorStarted', 'eventSent']);
    assert.equal(decision.messages[0]?.instanceId, '');
  });
});

describe('terminating another instance', () => {
  it('sends the terminate and writes no event', () => {
    const decision = decide([terminateOther(2, 'other', true)]);
    assert.deepEqual(casesOf(decision), ['orchestratorStarted']);
    const [message] = decision.messages;
    const [[, value] = []] = eventsOf([message!.event], 'executionTerminated');
    assert.deepEqual(
      [message?.instanceId, value?.recurse, value?.input],
      ['other', true, '"told to"'],
    );
  });

  it('without a reason sends none', () => {
    const value = { instanceId: 'other', recurse: false };
    const decision = decide([action(2, { case: 'terminateOrchestration', value })]);
    const [[, sent] = []] = eventsOf([decision.messages[0]!.event], 'executionTerminated');
    assert.equal(sent?.input, undefined);
  });
});

describe('actions that cannot be carried out', () => {
  const limits = {
    ...DEFAULT_PAYLOAD_LIMITS,
    activityInput: 4,
    eventData: 4,
    orchestrationInput: 5,
    orchestrationOutput: 3,
    customStatus: 4,
  };
  const long = 'x'.repeat(6);

  function failureOf(actions: Parameters<typeof decide>[0], customStatus?: string) {
    const options = customStatus === undefined ? {} : { customStatus };
    const decision = decide(actions, { ...options, env: { limits } });
    assert.deepEqual(casesOf(decision), ['orchestratorStarted', 'executionCompleted']);
    assert.equal(decision.status, OrchestrationStatus.FAILED);
    assert.deepEqual(decision.customStatus, { keep: true });
    const { activities, timers, children, messages } = decision;
    assert.deepEqual([activities, timers, children, messages], [[], [], [], []]);
    const { eventType } = historyOf(decision)[1]!;
    assert.ok(eventType.case === 'executionCompleted');
    assert.equal(eventType.value.failureDetails?.isNonRetriable, true);
    assert.equal(eventType.value.failureDetails.errorMessage, decision.completion?.errorMessage);
    return decision.completion;
  }

  it('fail the orchestration when a payload is over its limit, whatever else was asked', () => {
    const tooLarge = [
      scheduleTask(2, 'A', { input: long }),
      createChild(2, 'c', { input: long }),
      sendEvent(2, 'x', 'n', long),
      complete(long),
      continueAsNew(long),
    ];
    for (const one of tooLarge) {
      const completion = failureOf([scheduleTask(1), one]);
      assert.equal(completion?.errorType, 'PayloadTooLarge');
      assert.match(completion.errorMessage ?? '', /^Action (2|-1): the .* takes 6 bytes/);
    }
    assert.equal(failureOf([scheduleTask(1)], long)?.errorType, 'PayloadTooLarge');
  });

  it('measure the input of the next generation as an input', () => {
    const decision = decide([continueAsNew('xxxxx')], { env: { limits } });
    assert.ok(decision.continuation);
  });

  it('fail the orchestration when it does not know them', () => {
    const unknown = create(OrchestratorActionSchema, { id: 3 });
    assert.equal(failureOf([unknown])?.errorType, 'InvalidAction');
  });

  it('fail the orchestration when they are messages for entities of a kind that nobody knows', () => {
    const entityMessage = action(3, { case: 'sendEntityMessage', value: {} });
    assert.equal(failureOf([entityMessage])?.errorType, 'InvalidAction');
  });

  it('fail the orchestration when they rewind it to a history that cannot run', () => {
    const rewind = action(3, { case: 'rewindOrchestration', value: {} });
    assert.equal(failureOf([rewind])?.errorType, 'InvalidAction');
  });

  it('fail the orchestration when they complete it with a state that is not final', () => {
    const value = { orchestrationStatus: OrchestrationStatus.RUNNING };
    const running = action(3, { case: 'completeOrchestration', value });
    assert.equal(failureOf([running])?.errorType, 'InvalidAction');
  });

  it('are a mistake of the caller when they get as far as being applied', () => {
    const draft = new DecisionDraft(turnOf(), envOf());
    const refused = [
      create(OrchestratorActionSchema, { id: 3 }),
      action(3, { case: 'sendEntityMessage', value: {} }),
      action(3, { case: 'rewindOrchestration', value: {} }),
    ];
    for (const one of refused) assert.throws(() => applyAction(draft, one), TypeError);
  });
});

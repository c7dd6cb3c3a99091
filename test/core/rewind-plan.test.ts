import assert from 'node:assert/strict';
import { planRewind, splitTurns } from '../../src/core/rewind-plan.ts';
import { OrchestrationStatus } from '../../src/proto/orchestrator_service_pb.ts';
import {
  decodeEvent,
  encodeEvent,
  type EventType,
  type StoredEvent,
} from '../../src/wire/events.ts';

const at = 1_000_000;

function event(eventType: EventType, eventId?: number): StoredEvent {
  return encodeEvent({ eventType, at, ...(eventId !== undefined && { eventId }) });
}

const turn = (): StoredEvent => event({ case: 'orchestratorStarted', value: {} });
const started = (): StoredEvent => event({ case: 'executionStarted', value: { name: 'O' } });
const task = (id: number, name = `Task${id}`): StoredEvent =>
  event({ case: 'taskScheduled', value: { name } }, id);
const taskDone = (taskScheduledId: number): StoredEvent =>
  event({ case: 'taskCompleted', value: { taskScheduledId } });
const taskFailed = (taskScheduledId: number): StoredEvent =>
  event({ case: 'taskFailed', value: { taskScheduledId } });
const child = (id: number, instanceId = `child${id}`): StoredEvent =>
  event({ case: 'subOrchestrationInstanceCreated', value: { name: 'C', instanceId } }, id);
const childDone = (taskScheduledId: number): StoredEvent =>
  event({ case: 'subOrchestrationInstanceCompleted', value: { taskScheduledId } });
const childFailed = (taskScheduledId: number): StoredEvent =>
  event({ case: 'subOrchestrationInstanceFailed', value: { taskScheduledId } });
const timer = (id: number): StoredEvent => event({ case: 'timerCreated', value: {} }, id);
const fired = (timerId: number): StoredEvent => event({ case: 'timerFired', value: { timerId } });
const called = (id: number): StoredEvent =>
  event({ case: 'entityOperationCalled', value: { requestId: `r${id}`, operation: 'add' } }, id);
const answered = (id: number): StoredEvent =>
  event({ case: 'entityOperationCompleted', value: { requestId: `r${id}` } });
const refused = (id: number): StoredEvent =>
  event({ case: 'entityOperationFailed', value: { requestId: `r${id}` } });
const locking = (id: number): StoredEvent =>
  event({ case: 'entityLockRequested', value: { criticalSectionId: `s${id}` } }, id);
const granted = (id: number): StoredEvent =>
  event({ case: 'entityLockGranted', value: { criticalSectionId: `s${id}` } });
const raised = (): StoredEvent => event({ case: 'eventRaised', value: { name: 'go' } });
const sent = (id: number): StoredEvent => event({ case: 'eventSent', value: { name: 'go' } }, id);
const suspended = (): StoredEvent => event({ case: 'executionSuspended', value: {} });
const resumed = (): StoredEvent => event({ case: 'executionResumed', value: {} });
const rewound = (): StoredEvent => event({ case: 'executionRewound', value: {} });
const failed = (errorType = 'Error'): StoredEvent =>
  event({
    case: 'executionCompleted',
    value: { orchestrationStatus: OrchestrationStatus.FAILED, failureDetails: { errorType } },
  });

/** What is left, a turn a line: `taskScheduled 1`, answers with the id that they answer. */
function left(...events: readonly StoredEvent[]): string[] {
  const { dropped } = planRewind(splitTurns(events));
  const lines: string[] = [];
  for (const kept of events.filter((one) => !dropped.has(one))) {
    const { eventId, eventType } = decodeEvent(kept);
    if (eventType.case === 'orchestratorStarted') {
      lines.push('');
      continue;
    }
    const value = eventType.value as { taskScheduledId?: number; timerId?: number };
    const id = value.taskScheduledId ?? value.timerId ?? eventId;
    const words = id === -1 ? String(eventType.case) : `${eventType.case} ${id}`;
    lines[lines.length - 1] = `${lines.at(-1) ?? ''} ${words}`.trim();
  }
  return lines;
}

describe('turns of a history', () => {
  it('begin with orchestratorStarted', () => {
    const events = [turn(), started(), task(1), turn(), taskDone(1)];
    assert.deepEqual(splitTurns(events), [events.slice(0, 3), events.slice(3)]);
    assert.deepEqual(splitTurns([]), []);
  });
});

describe('plan of a rewind', () => {
  it('takes out the activity that failed, and how it ended', () => {
    const history = [turn(), started(), task(1), turn(), taskDone(1), task(2), turn()];
    assert.deepEqual(left(...history, taskFailed(2), failed()), [
      'executionStarted taskScheduled 1',
      'taskCompleted 1',
      '',
    ]);
  });

  it('keeps the child that failed, to be rewound itself', () => {
    assert.deepEqual(left(turn(), started(), child(1), turn(), childFailed(1), failed()), [
      'executionStarted subOrchestrationInstanceCreated 1',
      '',
    ]);
  });

  it('takes out failures in several turns if none was reacted to', () => {
    const fanOut = [turn(), started(), task(1), task(2), task(3), turn(), taskFailed(1)];
    const rest = [turn(), taskDone(2), turn(), taskFailed(3), failed()];
    assert.deepEqual(left(...fanOut, ...rest), [
      'executionStarted taskScheduled 2',
      '',
      'taskCompleted 2',
      '',
    ]);
  });

  it('keeps retries that were used up, but for the last', () => {
    const first = [turn(), started(), task(1, 'A'), turn(), taskFailed(1), timer(2)];
    const second = [turn(), fired(2), task(3, 'A'), turn(), taskFailed(3), failed()];
    assert.deepEqual(left(...first, ...second), [
      'executionStarted taskScheduled 1',
      'taskFailed 1 timerCreated 2',
      'timerFired 2',
      '',
    ]);
  });

  it('takes out what the last turn asked for', () => {
    const history = [turn(), started(), task(1), turn(), taskFailed(1), task(2), sent(3), timer(4)];
    assert.deepEqual(left(...history, failed()), ['executionStarted', '']);
  });

  it('takes out a failure with its compensation when nothing else failed', () => {
    const history = [turn(), started(), task(1), turn(), taskDone(1), task(2)];
    const caught = [turn(), taskFailed(2), task(3), child(4), turn(), childDone(4)];
    assert.deepEqual(left(...history, ...caught, turn(), taskDone(3), failed()), [
      'executionStarted taskScheduled 1',
      'taskCompleted 1',
      '',
      '',
      '',
    ]);
  });

  it('keeps what happened before a compensated failure', () => {
    const retried = [turn(), started(), task(1, 'A'), turn(), taskFailed(1), timer(2)];
    const good = [turn(), fired(2), task(3, 'A'), turn(), taskDone(3), task(4, 'B')];
    const bad = [turn(), taskFailed(4), task(5, 'Undo'), turn(), taskDone(5), failed()];
    assert.deepEqual(left(...retried, ...good, ...bad), [
      'executionStarted taskScheduled 1',
      'taskFailed 1 timerCreated 2',
      'timerFired 2 taskScheduled 3',
      'taskCompleted 3',
      '',
      '',
    ]);
  });

  it('runs only the last turn again when every failure was made good', () => {
    const retried = [turn(), started(), task(1, 'A'), turn(), taskFailed(1), timer(2)];
    const good = [turn(), fired(2), task(3, 'A'), turn(), taskDone(3), task(4), failed()];
    const kept = [
      'executionStarted taskScheduled 1',
      'taskFailed 1 timerCreated 2',
      'timerFired 2 taskScheduled 3',
      'taskCompleted 3',
    ];
    assert.deepEqual(left(...retried, ...good), kept);
    assert.deepEqual(left(...retried, ...good.slice(0, 3), failed()).slice(0, 3), [
      'executionStarted',
      '',
      '',
    ]);
  });

  it('spares also failures that were made good after a rewind without effect', () => {
    const retried = [turn(), started(), task(1, 'A'), turn(), taskFailed(1), task(2, 'A')];
    const fruitless = [turn(), taskDone(2), rewound(), turn(), failed()];
    assert.deepEqual(left(...retried, ...fruitless), ['executionStarted', '', '', '']);
  });

  it('starts over when the last rewind left a history that does not fit the code', () => {
    const steps = [turn(), started(), task(1), turn(), taskDone(1), raised(), child(2)];
    const rest = [turn(), childDone(2), rewound(), turn(), failed('NonDeterminismError')];
    const nothing = ['executionStarted', 'eventRaised', '', ''];
    assert.deepEqual(left(...steps, ...rest), nothing);
    const first = [turn(), childDone(2), failed('NonDeterminismError')];
    assert.equal(left(...steps, ...first).join(), left(...steps, turn(), childDone(2)).join());
  });

  it('asks again for activities and timers that had no answer yet', () => {
    const history = [turn(), started(), task(1), task(2), timer(3), timer(4), child(5)];
    assert.deepEqual(left(...history, turn(), fired(4), taskFailed(2), failed()), [
      'executionStarted timerCreated 4 subOrchestrationInstanceCreated 5',
      'timerFired 4',
    ]);
  });

  it('asks again for calls and locks that had no answer yet, and keeps those that had', () => {
    const first = [turn(), started(), task(1), called(2), called(3), locking(4), locking(5)];
    const answers = [turn(), answered(3), granted(5)];
    assert.deepEqual(left(...first, ...answers, turn(), taskFailed(1), failed()), [
      'executionStarted entityOperationCalled 3 entityLockRequested 5',
      'entityOperationCompleted entityLockGranted',
      '',
    ]);
  });

  it('calls again what failed in an entity, unless it was made good', () => {
    const first = [turn(), started(), called(1), turn(), refused(1), failed()];
    assert.deepEqual(left(...first), ['executionStarted', '']);
    const reacted = [turn(), started(), called(1), turn(), refused(1), called(2)];
    const last = [turn(), answered(2), task(3), turn(), taskFailed(3), failed()];
    assert.deepEqual(left(...reacted, ...last), [
      'executionStarted entityOperationCalled 1',
      'entityOperationFailed entityOperationCalled 2',
      'entityOperationCompleted',
      '',
    ]);
  });

  it('takes out the answers to calls that it takes out', () => {
    const history = [turn(), started(), task(1), turn(), taskFailed(1), called(2)];
    assert.deepEqual(
      left(...history, turn(), answered(2), task(3), turn(), taskDone(3), failed()),
      ['executionStarted', '', '', ''],
    );
  });

  it('lifts a suspension that nobody has lifted', () => {
    const history = [turn(), started(), task(1), turn(), suspended(), turn(), resumed()];
    assert.deepEqual(left(...history, turn(), suspended(), taskFailed(1), failed()), [
      'executionStarted',
      'executionSuspended',
      'executionResumed',
      '',
    ]);
  });

  it('leaves a history without failures as it was, but for its end', () => {
    assert.deepEqual(left(turn(), started(), failed()), ['executionStarted']);
    const unknown = event({ case: 'executionCompleted', value: {} });
    assert.deepEqual(left(turn(), started(), turn(), unknown), ['executionStarted', '']);
    assert.deepEqual(left(turn(), started(), turn()), ['executionStarted', '']);
  });
});

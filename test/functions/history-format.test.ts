import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { formatHistory } from '../../src/functions/history-format.ts';
import {
  HistoryEventSchema,
  OrchestrationStatus,
} from '../../src/proto/orchestrator_service_pb.ts';
import type { HistoryEvent } from '../../src/proto/orchestrator_service_pb.ts';

type EventType = NonNullable<MessageInitShape<typeof HistoryEventSchema>['eventType']>;

const START_AT = Date.UTC(2026, 0, 2);

/** Event number n happens n seconds after the start. */
function history(...types: readonly (EventType & { eventId?: number })[]): HistoryEvent[] {
  return types.map(({ eventId = -1, ...eventType }, index) =>
    create(HistoryEventSchema, {
      eventId,
      timestamp: timestampFromMs(START_AT + index * 1000),
      eventType: eventType,
    }),
  );
}

const ALL = { showInput: true, showOutput: true };
const NOTHING = { showInput: false, showOutput: false };

describe('formatHistory', () => {
  it('folds a scheduled activity into its completion', () => {
    const events = history(
      { case: 'taskScheduled', value: { name: 'sayHello', input: '"Tokyo"' }, eventId: 1 },
      { case: 'taskCompleted', value: { taskScheduledId: 1, result: '"Hello Tokyo!"' } },
    );

    assert.deepEqual(formatHistory(events, ALL), [
      {
        EventType: 'TaskCompleted',
        Timestamp: '2026-01-02T00:00:01.000Z',
        ScheduledTime: '2026-01-02T00:00:00.000Z',
        FunctionName: 'sayHello',
        Input: 'Tokyo',
        Result: 'Hello Tokyo!',
      },
    ]);
  });

  it('shows an activity that has not completed', () => {
    const events = history({ case: 'taskScheduled', value: { name: 'sayHello' }, eventId: 1 });

    const names = formatHistory(events, NOTHING).map((event) => event['EventType']);

    assert.deepEqual(names, ['TaskScheduled']);
  });

  it('leaves out the marks of turns', () => {
    const events = history(
      { case: 'orchestratorStarted', value: {} },
      { case: 'executionStarted', value: { name: 'Hello' } },
      { case: 'orchestratorCompleted', value: {} },
    );

    const names = formatHistory(events, NOTHING).map((event) => event['EventType']);

    assert.deepEqual(names, ['ExecutionStarted']);
  });

  it('shows inputs and results only when asked to', () => {
    const events = history(
      { case: 'executionStarted', value: { name: 'Hello', input: '1' } },
      { case: 'eventRaised', value: { name: 'Go', input: '2' } },
      {
        case: 'executionCompleted',
        value: { orchestrationStatus: OrchestrationStatus.COMPLETED, result: '3' },
      },
    );

    const shown = formatHistory(events, NOTHING).flatMap((event) => Object.keys(event));

    assert.ok(!shown.includes('Input') && !shown.includes('Result'));
    assert.deepEqual(
      formatHistory(events, ALL).map((event) => event['Input'] ?? event['Result']),
      [1, 2, 3],
    );
  });

  it('tells what failed, with its causes', () => {
    const innerFailure = { errorType: 'RangeError', errorMessage: 'too far' };
    const properties = { code: { kind: { case: 'numberValue' as const, value: 7 } } };
    const failureDetails = { errorType: 'Error', errorMessage: 'boom', properties, innerFailure };
    const events = history({ case: 'taskFailed', value: { taskScheduledId: 1, failureDetails } });

    const [failed] = formatHistory(events, NOTHING);

    assert.equal(failed?.['Reason'], 'boom');
    assert.deepEqual(failed['FailureDetails'], {
      ErrorType: 'Error',
      ErrorMessage: 'boom',
      IsNonRetriable: false,
      Properties: { code: 7 },
      InnerFailure: { ErrorType: 'RangeError', ErrorMessage: 'too far', IsNonRetriable: false },
    });
  });

  it('tells what entities were asked and answered', () => {
    const failureDetails = { errorType: 'Error', errorMessage: 'boom' };
    const events = history(
      { case: 'entityOperationCalled', value: { operation: 'add', input: '1' } },
      { case: 'entityOperationCompleted', value: { output: '2' } },
      { case: 'entityOperationFailed', value: { failureDetails } },
    );

    const shown = formatHistory(events, ALL).map(({ EventType, Name, Input, Result, Reason }) => [
      ...[EventType, Name ?? Reason, Input ?? Result],
    ]);

    assert.deepEqual(shown, [
      ['EntityOperationCalled', 'add', 1],
      ['EntityOperationCompleted', undefined, 2],
      ['EntityOperationFailed', 'boom', undefined],
    ]);
  });

  it('tells when a timer fires and how an orchestration ended', () => {
    const fireAt = timestampFromMs(START_AT);
    const events = history(
      { case: 'timerFired', value: { timerId: 1, fireAt } },
      {
        case: 'executionCompleted',
        value: { orchestrationStatus: OrchestrationStatus.CONTINUED_AS_NEW },
      },
    );

    const [timer, end] = formatHistory(events, NOTHING);

    assert.equal(timer?.['FireAt'], '2026-01-02T00:00:00.000Z');
    assert.equal(end?.['OrchestrationStatus'], 'ContinuedAsNew');
  });
});

import assert from 'node:assert/strict';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { decideEntityBatch, guidOf, type EntityDecision } from '../../src/core/entity.ts';
import { callMessage, signalMessage } from '../../src/core/entity-message.ts';
import { DEFAULT_PAYLOAD_LIMITS, ENTITY_BATCH_FAILURES_MAX } from '../../src/core/limits.ts';
import {
  EntityBatchResultSchema,
  type OperationResultSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import { decodeEvent, type StoredEvent } from '../../src/wire/events.ts';

const CALLER = { instanceId: 'caller', executionId: 'execution' };
const HEX = '0123456789abcdef0123456789abcdef';

const call = (requestId: string): StoredEvent =>
  callMessage({ requestId, operation: 'get', targetInstanceId: '@a@1' }, CALLER).event;
const signal = (requestId: string): StoredEvent =>
  signalMessage('@a@1', { requestId, operation: 'add' }).event;

type Result = MessageInitShape<typeof OperationResultSchema>;
const ok = (result?: string): Result => ({
  resultType: { case: 'success', value: result === undefined ? {} : { result } },
});
const failed: Result = {
  resultType: {
    case: 'failure',
    value: { failureDetails: { errorType: 'Broken', errorMessage: 'broken' } },
  },
};

interface Options {
  readonly failures?: number;
  readonly limits?: Partial<typeof DEFAULT_PAYLOAD_LIMITS>;
}

function decide(
  operations: readonly StoredEvent[],
  result: MessageInitShape<typeof EntityBatchResultSchema>,
  { failures = 0, limits = {} }: Options = {},
): EntityDecision {
  return decideEntityBatch({ operations, failures }, create(EntityBatchResultSchema, result), {
    limits: { ...DEFAULT_PAYLOAD_LIMITS, ...limits },
    newId: () => HEX,
  });
}

/** `request: result` or `request: error type` of each answer. */
function answersOf({ answers }: EntityDecision): readonly string[] {
  return answers.map(({ event }) => {
    const { eventType } = decodeEvent(event);
    if (eventType.case === 'entityOperationCompleted') {
      return `${eventType.value.requestId}: ${eventType.value.output ?? 'nothing'}`;
    }
    assert.ok(eventType.case === 'entityOperationFailed');
    return `${eventType.value.requestId}: ${eventType.value.failureDetails?.errorType ?? ''}`;
  });
}

describe('the result of an entity batch', () => {
  it('answers calls and nobody else', () => {
    const decision = decide([signal('s'), call('c1'), call('c2')], {
      results: [ok(), ok('5'), failed],
      entityState: '7',
    });
    assert.deepEqual(answersOf(decision), ['c1: 5', 'c2: Broken']);
    assert.deepEqual(
      decision.answers.map(({ index, executionId }) => [index, executionId]),
      [
        [1, 'execution'],
        [2, 'execution'],
      ],
    );
    assert.deepEqual([decision.consumed, decision.state], [3, { value: '7' }]);
  });

  it('keeps an empty result apart from none', () => {
    const decision = decide([call('a'), call('b')], { results: [ok(''), ok()] });
    assert.deepEqual(answersOf(decision), ['a: ', 'b: nothing']);
  });

  it('deletes the state when it returns none', () => {
    assert.deepEqual(decide([signal('s')], { results: [ok()] }).state, { value: undefined });
  });

  it('leaves operations without a result where they were, and ignores results too many', () => {
    const fewer = decide([call('a'), call('b')], { results: [ok('1')] });
    assert.deepEqual([fewer.consumed, answersOf(fewer)], [1, ['a: 1']]);
    const more = decide([call('a')], { results: [ok('1'), ok('2')] });
    assert.deepEqual([more.consumed, answersOf(more)], [1, ['a: 1']]);
  });

  it('fails a call whose result says nothing', () => {
    const decision = decide([call('a'), call('b')], {
      results: [{}, { resultType: { case: 'failure', value: {} } }],
    });
    assert.deepEqual(answersOf(decision), ['a: InvalidResult', 'b: InvalidResult']);
  });

  it('fails a call whose result is over the limit, and only that call', () => {
    const decision = decide(
      [call('a'), call('b')],
      { results: [ok('12345'), ok('1')], entityState: '7' },
      { limits: { entityOutput: 3 } },
    );
    assert.deepEqual(answersOf(decision), ['a: PayloadTooLarge', 'b: 1']);
    assert.deepEqual(decision.state, { value: '7' });
  });

  it('is rolled back as a whole when the state is over the limit', () => {
    const decision = decide(
      [call('a'), signal('s'), call('b')],
      {
        results: [ok('1'), ok()],
        entityState: '12345',
        actions: [{ operationActionType: sendSignal('@b@1') }],
      },
      { limits: { entityState: 3 } },
    );
    assert.deepEqual(answersOf(decision), ['a: PayloadTooLarge']);
    assert.deepEqual([decision.consumed, decision.state], [2, { keep: true }]);
    assert.deepEqual([decision.signals, decision.starts], [[], []]);
  });

  it('is rolled back as a whole when an action cannot be carried out', () => {
    const wrong = [
      { id: 1 },
      { operationActionType: sendSignal('order') },
      { operationActionType: startNew({ name: '' }) },
      { operationActionType: startNew({ instanceId: '@a@1' }) },
    ];
    for (const action of wrong) {
      const decision = decide([call('a')], { results: [ok('1')], actions: [action] });
      assert.deepEqual(answersOf(decision), ['a: InvalidAction']);
    }
    const limits = { entityInput: 3, orchestrationInput: 3 };
    const large = [sendSignal('@b@1', '12345'), startNew({ input: '12345' })];
    for (const operationActionType of large) {
      const actions = [{ operationActionType }];
      const decision = decide([call('a')], { results: [ok('1')], actions }, { limits });
      assert.deepEqual(answersOf(decision), ['a: PayloadTooLarge']);
    }
  });
});

describe('a batch that the worker could not run', () => {
  const failureDetails = { errorType: 'NotFound', errorMessage: 'no such entity' };

  it('is handed out again', () => {
    const decision = decide([call('a'), signal('s')], { failureDetails });
    assert.deepEqual([decision.isRetry, decision.consumed, decision.answers], [true, 0, []]);
  });

  it('fails its calls and drops its signals when it has happened too often', () => {
    const failures = ENTITY_BATCH_FAILURES_MAX - 1;
    const decision = decide([call('a'), signal('s')], { failureDetails }, { failures });
    assert.deepEqual([decision.isRetry, decision.consumed], [false, 2]);
    assert.deepEqual(answersOf(decision), ['a: NotFound']);
    assert.deepEqual(decision.state, { keep: true });
  });

  it('may also be one without results', () => {
    assert.equal(decide([signal('s')], {}).isRetry, true);
  });
});

describe('what an entity sets off', () => {
  it('is a signal with a request id of its own', () => {
    const scheduledTime = timestampFromMs(5000);
    const decision = decide([signal('s')], {
      results: [ok()],
      actions: [
        { operationActionType: sendSignal('@B@1', '1') },
        {
          operationActionType: {
            case: 'sendSignal',
            value: { instanceId: '@b@2', name: 'add', scheduledTime },
          },
        },
      ],
    });
    assert.deepEqual(
      decision.signals.map(({ entityId, requestId, scheduledAt }) => [
        entityId,
        requestId,
        scheduledAt,
      ]),
      [
        ['@b@1', guidOf(HEX), undefined],
        ['@b@2', guidOf(HEX), 5000],
      ],
    );
    assert.match(guidOf(HEX), /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/);
  });

  it('is an orchestration without a parent', () => {
    const scheduledTime = timestampFromMs(5000);
    const decision = decide([signal('s')], {
      results: [ok()],
      actions: [
        {
          operationActionType: startNew({
            instanceId: 'o',
            version: '2',
            input: '1',
            scheduledTime,
          }),
        },
        { operationActionType: startNew({}) },
      ],
    });
    const [first, second] = decision.starts;
    assert.deepEqual(
      [first?.instanceId, first?.version, first?.scheduledAt, first?.executionId],
      ['o', '2', 5000, HEX],
    );
    assert.deepEqual(
      [second?.instanceId, second?.version, second?.scheduledAt],
      [HEX, '', undefined],
    );
    const { eventType } = decodeEvent(first?.started ?? signal('s'));
    assert.ok(eventType.case === 'executionStarted');
    assert.deepEqual([eventType.value.input, eventType.value.parentInstance], ['1', undefined]);
  });
});

function sendSignal(instanceId: string, input?: string) {
  const value = { instanceId, name: 'add', ...(input !== undefined && { input }) };
  return { case: 'sendSignal' as const, value };
}

function startNew(rest: {
  readonly instanceId?: string;
  readonly name?: string;
  readonly version?: string;
  readonly input?: string;
  readonly scheduledTime?: ReturnType<typeof timestampFromMs>;
}) {
  return { case: 'startNewOrchestration' as const, value: { name: 'Orchestrator', ...rest } };
}

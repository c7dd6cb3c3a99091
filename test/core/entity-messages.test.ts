import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { DecisionDraft } from '../../src/core/decision-draft.ts';
import { sendEntityMessage } from '../../src/core/entity-action.ts';
import { entityMessage, messageProblem } from '../../src/core/entity-message.ts';
import { DEFAULT_PAYLOAD_LIMITS } from '../../src/core/limits.ts';
import { SendEntityMessageActionSchema } from '../../src/proto/orchestrator_service_pb.ts';
import { decodeEvent } from '../../src/wire/events.ts';
import {
  callEntity,
  complete,
  lockEntities,
  signalEntity,
  unlockEntity,
} from '../support/actions.ts';
import { casesOf, decide, envOf, eventsOf, NOW, turnOf } from './turns.ts';

const GUID = '00000000-0000-4000-8000-000000000001';

describe('messages of an orchestration to entities', () => {
  it('stand in its history with their target and the id of their action', () => {
    const decision = decide([
      callEntity(1, '@a@1', 'get'),
      signalEntity(2, '@a@1', 'add', { input: '1' }),
      lockEntities(3, 'section', ['@a@1']),
      unlockEntity(4, 'section', '@a@1'),
    ]);
    assert.deepEqual(casesOf(decision), [
      'orchestratorStarted',
      'entityOperationCalled',
      'entityOperationSignaled',
      'entityLockRequested',
      'entityUnlockSent',
    ]);
    const [[id, called] = []] = eventsOf(decision.history, 'entityOperationCalled');
    assert.deepEqual([id, called?.targetInstanceId], [1, '@a@1']);
  });

  it('tell the entity who calls, and not where the message went', () => {
    const decision = decide([callEntity(1, '@A@1', 'get', { input: '5' })]);
    const [message] = decision.entityMessages;
    assert.ok(message?.kind === 'operation');
    assert.deepEqual([message.entityId, message.requestId], ['@a@1', GUID]);
    const { eventType } = decodeEvent(message.event);
    assert.ok(eventType.case === 'entityOperationCalled');
    const { parentInstanceId, parentExecutionId, targetInstanceId, input } = eventType.value;
    assert.deepEqual(
      [parentInstanceId, parentExecutionId, targetInstanceId, input],
      ['parent', 'execution', undefined, '5'],
    );
  });

  it('keep the time that they are scheduled for', () => {
    const scheduledTime = timestampFromMs(NOW + 5);
    const decision = decide([
      signalEntity(1, '@a@1', 'add', { scheduledTime }),
      callEntity(2, '@a@1', 'add', { scheduledTime }),
      signalEntity(3, '@a@1', 'add'),
    ]);
    assert.deepEqual(
      decision.entityMessages.map((message) =>
        message.kind === 'operation' ? message.scheduledAt : 'none',
      ),
      [NOW + 5, NOW + 5, undefined],
    );
  });

  it('lock in one order, each entity once', () => {
    const decision = decide([lockEntities(1, 'section', ['@B@1', '@a@1', '@b@1'])]);
    assert.deepEqual(decision.entityMessages, [
      { kind: 'lock', section: 'section', lockSet: ['@a@1', '@b@1'] },
    ]);
  });

  it('are sent together with a completion', () => {
    const decision = decide([complete('1'), unlockEntity(2, 'section', '@A@1')]);
    assert.deepEqual(decision.entityMessages, [
      { kind: 'unlock', entityId: '@a@1', section: 'section' },
    ]);
  });

  it('fail a call to something that is no entity, and only the call', () => {
    const decision = decide([callEntity(1, 'order', 'get')]);
    assert.equal(decision.completion, undefined);
    assert.deepEqual(decision.entityMessages, []);
    const [message] = decision.messages;
    assert.equal(message?.instanceId, 'parent');
    const { eventType } = decodeEvent(message.event);
    assert.ok(eventType.case === 'entityOperationFailed');
    assert.equal(eventType.value.requestId, GUID);
    assert.match(eventType.value.failureDetails?.errorMessage ?? '', /names no entity/);
  });

  it('fail the orchestration where nobody waits for an answer', () => {
    const wrong = [
      signalEntity(1, 'order', 'add'),
      lockEntities(1, 'section', []),
      lockEntities(1, '', ['@a@1']),
      lockEntities(1, 'section', ['@a@1', 'order']),
    ];
    for (const one of wrong) {
      assert.equal(decide([one]).completion?.errorType, 'InvalidAction');
    }
  });

  it('fail the orchestration when an input is over the limit', () => {
    const limits = { ...DEFAULT_PAYLOAD_LIMITS, entityInput: 3 };
    for (const send of [callEntity, signalEntity]) {
      const large = decide([send(1, '@a@1', 'add', { input: '12345' })], { env: { limits } });
      assert.equal(large.completion?.errorType, 'PayloadTooLarge');
    }
    const lock = decide([lockEntities(1, 'section', ['@a@1'])], { env: { limits } });
    assert.equal(lock.completion, undefined);
  });

  it('have targets even when the worker forgets them', () => {
    const called = create(SendEntityMessageActionSchema, {
      EntityMessageType: { case: 'entityOperationCalled', value: { requestId: GUID } },
    });
    const draft = new DecisionDraft(turnOf(), envOf());
    sendEntityMessage(draft, 1, called);
    assert.equal(draft.messages.length, 1);
    const signaled = create(SendEntityMessageActionSchema, {
      EntityMessageType: { case: 'entityOperationSignaled', value: { requestId: GUID } },
    }).EntityMessageType;
    const caller = { instanceId: 'a', executionId: 'b' };
    assert.match(messageProblem(signaled) ?? '', /targetInstanceId/);
    assert.deepEqual(entityMessage(signaled, caller)?.kind, 'operation');
    const unlocked = create(SendEntityMessageActionSchema, {
      EntityMessageType: { case: 'entityUnlockSent', value: { criticalSectionId: 's' } },
    }).EntityMessageType;
    assert.deepEqual(entityMessage(unlocked, caller), {
      kind: 'unlock',
      entityId: '',
      section: 's',
    });
  });
});

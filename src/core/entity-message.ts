/** What goes to an entity: an operation, a lock request, or the end of a lock (wire-protocol 7.3). */
import { create } from '@bufbuild/protobuf';
import {
  EntityOperationCalledEventSchema,
  EntityOperationSignaledEventSchema,
  type EntityOperationCalledEvent,
  type EntityOperationSignaledEvent,
  type SendEntityMessageAction,
  type TraceContext,
} from '../proto/orchestrator_service_pb.ts';
import { carryTrace, operationTrace } from '../wire/entity-trace.ts';
import { encodeEvent, type StoredEvent } from '../wire/events.ts';
import { dueAt } from './due-at.ts';
import { entityIdProblem, normalEntityId } from './entity-id.ts';
import { lockOrder } from './entity-queue.ts';
import { optional } from './optional.ts';

export interface OperationMessage {
  readonly kind: 'operation';
  readonly entityId: string;
  /** Once applied, the same id from the same execution is not applied again. */
  readonly requestId: string;
  /** `entityOperationSignaled` or `entityOperationCalled` as the entity's worker gets it, without a time. */
  readonly event: StoredEvent;
  /** Epoch ms; `undefined`: now. */
  readonly scheduledAt: number | undefined;
}

export interface LockMessage {
  readonly kind: 'lock';
  readonly section: string;
  /** In the order of locking, each entity once. */
  readonly lockSet: readonly string[];
}

export interface UnlockMessage {
  readonly kind: 'unlock';
  readonly entityId: string;
  readonly section: string;
}

export type EntityMessage = OperationMessage | LockMessage | UnlockMessage;

type Signal = Pick<
  EntityOperationSignaledEvent,
  'requestId' | 'operation' | 'input' | 'scheduledTime'
> & {
  /** The span that it is sent from. */
  readonly trace?: TraceContext | undefined;
};

/** A signal, whoever sends it. */
export function signalMessage(entityId: string, signal: Signal): OperationMessage {
  const { requestId, operation, input, scheduledTime, trace } = signal;
  const value = create(EntityOperationSignaledEventSchema, {
    requestId,
    operation,
    ...optional('input', input),
    ...optional('scheduledTime', scheduledTime),
  });
  return {
    kind: 'operation',
    entityId: normalEntityId(entityId),
    requestId,
    event: encodeEvent({
      eventType: { case: 'entityOperationSignaled', value: carryTrace(value, trace) },
    }),
    scheduledAt: scheduledTime && dueAt(scheduledTime),
  };
}

/** The orchestration that calls. */
export interface Caller {
  readonly instanceId: string;
  readonly executionId: string;
}

type Call = Pick<
  EntityOperationCalledEvent,
  'requestId' | 'operation' | 'input' | 'scheduledTime' | 'targetInstanceId'
> & {
  /** The span that it is sent from. */
  readonly trace?: TraceContext | undefined;
};

/** A call; its answer goes to this execution of the caller and no other. */
export function callMessage(call: Call, caller: Caller): OperationMessage {
  const { requestId, operation, input, scheduledTime, targetInstanceId = '', trace } = call;
  const value = create(EntityOperationCalledEventSchema, {
    requestId,
    operation,
    ...optional('input', input),
    ...optional('scheduledTime', scheduledTime),
    parentInstanceId: caller.instanceId,
    parentExecutionId: caller.executionId,
  });
  return {
    kind: 'operation',
    entityId: normalEntityId(targetInstanceId),
    requestId,
    event: encodeEvent({
      eventType: { case: 'entityOperationCalled', value: carryTrace(value, trace) },
    }),
    scheduledAt: scheduledTime && dueAt(scheduledTime),
  };
}

type MessageCase = SendEntityMessageAction['EntityMessageType'];

function traced<T extends EntityOperationCalledEvent | EntityOperationSignaledEvent>(
  operation: T,
): T & { readonly trace: TraceContext | undefined } {
  return { ...operation, trace: operationTrace(operation) };
}

/** The message that an orchestration's action sends; `undefined` for one without a known type. */
export function entityMessage(type: MessageCase, caller: Caller): EntityMessage | undefined {
  switch (type.case) {
    case 'entityOperationSignaled':
      return signalMessage(type.value.targetInstanceId ?? '', traced(type.value));
    case 'entityOperationCalled':
      return callMessage(traced(type.value), caller);
    case 'entityLockRequested': {
      const lockSet = lockOrder(type.value.lockSet.map(normalEntityId));
      return { kind: 'lock', section: type.value.criticalSectionId, lockSet };
    }
    case 'entityUnlockSent': {
      const entityId = normalEntityId(type.value.targetInstanceId ?? '');
      return { kind: 'unlock', entityId, section: type.value.criticalSectionId };
    }
    case undefined:
      return undefined;
  }
}

/** Why an action cannot be carried out; a call with a wrong target is answered instead. */
export function messageProblem(type: MessageCase): string | undefined {
  switch (type.case) {
    case 'entityOperationSignaled':
      return entityIdProblem(type.value.targetInstanceId ?? '', 'targetInstanceId');
    case 'entityLockRequested': {
      const { lockSet, criticalSectionId } = type.value;
      if (lockSet.length === 0) return 'the lock set is empty; name at least one entity';
      if (criticalSectionId === '') return 'criticalSectionId must not be empty';
      for (const id of lockSet) {
        const problem = entityIdProblem(id, 'lockSet');
        if (problem !== undefined) return problem;
      }
      return undefined;
    }
    case 'entityOperationCalled':
    case 'entityUnlockSent':
      return undefined;
    case undefined:
      return 'an entity message needs a type that this scheduler knows; is the worker newer than the scheduler?';
  }
}

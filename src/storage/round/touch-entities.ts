/** Which rows the messages of a commit lead to. */
import { normalEntityId, parseEntityId } from '../../core/entity-id.ts';
import {
  entityMessage,
  type EntityMessage,
  type OperationMessage,
} from '../../core/entity-message.ts';
import type {
  EntityBatchResult,
  SendEntityMessageAction,
} from '../../proto/orchestrator_service_pb.ts';
import { KIND } from '../sql/rows.ts';
import type { TurnCommit } from '../store.ts';
import { entityType, requestKey } from './entity.ts';
import type { RowKeys } from './keys.ts';
import type { Entry } from './state.ts';

/** Whose message it is does not matter for the rows that it touches. */
const NOBODY = { instanceId: '', executionId: '' };

/** The entities of a message, which may have to be made. */
export function touchMessage(keys: RowKeys, message: EntityMessage, hub: number): void {
  for (const id of message.kind === 'lock' ? message.lockSet : [message.entityId]) {
    keys.addId(hub, id);
    if (parseEntityId(id)) keys.addType(entityType(hub, id));
  }
}

/** Callers as the worker names them, and what the entity sends and starts. */
export function touchResult(keys: RowKeys, result: EntityBatchResult, hub: number): void {
  for (const { responseDestination } of result.operationInfos) {
    if (responseDestination) keys.addId(hub, responseDestination.instanceId);
  }
  for (const { operationActionType: type } of result.actions) {
    if (type.case === 'sendSignal') {
      const id = normalEntityId(type.value.instanceId);
      keys.addId(hub, id);
      if (parseEntityId(id)) keys.addType(entityType(hub, id));
    } else if (type.case === 'startNewOrchestration') {
      const { name, version = '', instanceId } = type.value;
      if (name !== '') keys.addType({ hub, kind: KIND.orchestration, name, version });
      if (instanceId !== '') keys.addId(hub, instanceId);
    }
  }
}

export function touchEntityAction(
  keys: RowKeys,
  { EntityMessageType: type }: SendEntityMessageAction,
  hub: number,
): void {
  const message = entityMessage(type, NOBODY);
  if (message) touchMessage(keys, message, hub);
}

/** What a turn has locked, and the requests that it repeats. */
export function touchLocks(
  keys: RowKeys,
  { actions }: TurnCommit,
  { instance: { hub, rid }, run }: Entry,
  find: (hub: number, id: string) => Entry | undefined,
): void {
  if (run?.locking === 1) keys.addLocked(hub, rid);
  for (const { orchestratorActionType: type } of actions) {
    if (type.case !== 'sendEntityMessage') continue;
    const message = entityMessage(type.value.EntityMessageType, NOBODY);
    if (message?.kind !== 'operation') continue;
    touchRequest(keys, message, find(hub, message.entityId), run?.execution_id);
  }
}

/** Whether the entity has seen the request. */
export function touchRequest(
  keys: RowKeys,
  message: OperationMessage,
  entity: Entry | undefined,
  executionId?: string,
): void {
  if (!entity || message.requestId === '') return;
  const { hub, rid } = entity.instance;
  keys.addRequest({ hub, rid, id: requestKey(message, executionId) });
}

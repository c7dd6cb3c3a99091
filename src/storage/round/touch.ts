/** Which rows the commits will look at: known before the lock step, so that all are locked in one order. */
import { KIND } from '../sql/rows.ts';
import type { RowKeys } from './keys.ts';
import { parseToken, ridKey } from './keys.ts';
import type { RowCommit } from './apply.ts';
import type { EntityCommit, FreeLocksCommit, SignalCommit } from '../store.ts';
import type { Entry } from './state.ts';
import {
  touchEntityAction,
  touchLocks,
  touchMessage,
  touchRequest,
  touchResult,
} from './touch-entities.ts';
import type { OrchestratorAction } from '../../proto/orchestrator_service_pb.ts';

/** What the commit itself names. */
export function touch(keys: RowKeys, commit: RowCommit, hub: number): void {
  switch (commit.kind) {
    case 'start':
    case 'restart':
      keys.addId(hub, commit.instanceId);
      keys.addType({ hub, kind: KIND.orchestration, name: commit.name, version: commit.version });
      return;
    case 'deliver':
    case 'rewind':
    case 'purge':
    case 'end':
      keys.addId(hub, commit.instanceId);
      return;
    case 'turn': {
      const rows = parseToken(commit.token, 'orchestration');
      if (!rows) return;
      keys.addRid(hub, rows.rid);
      for (const action of commit.actions) touchAction(keys, action, hub);
      return;
    }
    case 'activity':
      touchToken(keys, hub, commit.token, 'activity');
      return;
    case 'abandon':
    case 'release':
      touchToken(keys, hub, commit.token, commit.work);
      return;
    default:
      touchEntityCommit(keys, commit, hub);
  }
}

function touchEntityCommit(
  keys: RowKeys,
  commit: SignalCommit | EntityCommit | FreeLocksCommit,
  hub: number,
): void {
  if (commit.kind === 'signal') touchMessage(keys, commit.message, hub);
  else if (commit.kind === 'freeLocks') keys.addId(hub, commit.entityId);
  else {
    touchToken(keys, hub, commit.token, 'entity');
    touchResult(keys, commit.result, hub);
  }
}

function touchToken(
  keys: RowKeys,
  hub: number,
  token: string,
  work: 'orchestration' | 'activity' | 'entity',
): void {
  const rows = parseToken(token, work);
  if (!rows) return;
  keys.addRid(hub, rows.rid);
  if (rows.aid !== undefined) keys.addActivity(hub, rows.aid);
}

function touchAction(keys: RowKeys, action: OrchestratorAction, hub: number): void {
  const { orchestratorActionType: type } = action;
  switch (type.case) {
    case 'scheduleTask': {
      const { name, version = '' } = type.value;
      keys.addType({ hub, kind: KIND.activity, name, version });
      return;
    }
    case 'createSubOrchestration': {
      const { name, version = '', instanceId } = type.value;
      keys.addType({ hub, kind: KIND.orchestration, name, version });
      if (instanceId !== '') keys.addId(hub, instanceId);
      return;
    }
    case 'sendEvent':
      keys.addId(hub, type.value.instance?.instanceId ?? '');
      return;
    case 'terminateOrchestration':
      keys.addId(hub, type.value.instanceId);
      return;
    case 'sendEntityMessage':
      touchEntityAction(keys, type.value, hub);
      return;
    default:
      return;
  }
}

export interface Found {
  readonly entries: ReadonlyMap<string, Entry | undefined>;
  readonly find: (hub: number, id: string) => Entry | undefined;
}

/** What the rows of a commit lead to: consumed events of a turn, the parent of one that may end. */
export function touchFurther(
  keys: RowKeys,
  commit: RowCommit,
  hub: number,
  { entries, find }: Found,
): void {
  if (commit.kind === 'signal')
    touchRequest(keys, commit.message, find(hub, commit.message.entityId));
  if (commit.kind !== 'turn' && commit.kind !== 'entity') return;
  const rows = parseToken(commit.token, commit.kind === 'turn' ? 'orchestration' : 'entity');
  const entry = rows && entries.get(ridKey(hub, rows.rid));
  if (entry?.run?.token !== commit.token) return;
  keys.addConsumed(hub, rows?.rid ?? 0);
  if (entry.run.parent_rid !== null) keys.addRid(hub, entry.run.parent_rid);
  if (commit.kind !== 'turn') return;
  touchLocks(keys, commit, entry, find);
}

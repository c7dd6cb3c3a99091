import { timestampMs } from '@bufbuild/protobuf/wkt';
import type {
  OrchestratorAction,
  SendEntityMessageAction,
} from '../../src/proto/orchestrator_service_pb.ts';
import type { OracleAction } from './oracle.ts';

/**
 * One line for an action of either side, the same for the same request; `undefined` for what only one
 * side has a word for: waits for events and ends.
 */
export function actionKey(action: OrchestratorAction | OracleAction): string | undefined {
  return 'actionType' in action ? oracleKey(action) : ourKey(action);
}

/** How a line begins that lets go of locks: ours names the section, theirs the turn of the code it is. */
export const RELEASE = 'release';

/** True for the waits between two attempts: the engine's own, which end on whole seconds. */
export function isRetryWait(key: string): boolean {
  return key.startsWith('timer') && key.endsWith('.000Z');
}

function ourKey({ orchestratorActionType: type }: OrchestratorAction): string | undefined {
  switch (type.case) {
    case 'scheduleTask':
      return `activity ${type.value.name}(${type.value.input ?? ''})`;
    case 'createSubOrchestration': {
      const { name, input, instanceId, version } = type.value;
      return childKey(name, input, instanceId, version);
    }
    case 'createTimer': {
      const { fireAt } = type.value;
      return `timer ${fireAt === undefined ? '?' : new Date(timestampMs(fireAt)).toISOString()}`;
    }
    case 'sendEntityMessage':
      return entityKey(type.value);
    default:
      return undefined;
  }
}

function entityKey({ EntityMessageType: message }: SendEntityMessageAction): string | undefined {
  switch (message.case) {
    case 'entityOperationCalled':
    case 'entityOperationSignaled': {
      const verb = message.case === 'entityOperationCalled' ? 'call' : 'signal';
      const { targetInstanceId = '', operation, input = '' } = message.value;
      return `${verb} ${targetInstanceId} ${operation}(${input})`;
    }
    case 'entityLockRequested':
      return `lock ${message.value.criticalSectionId} ${message.value.lockSet.join(' ')}`;
    case 'entityUnlockSent':
      return `${RELEASE} ${message.value.criticalSectionId}`;
    default:
      return undefined;
  }
}

function oracleKey(action: OracleAction): string | undefined {
  const { actionType, functionName = '', input, instanceId, version, fireAt } = action;
  switch (actionType) {
    case 0:
    case 1:
      return `activity ${functionName}(${JSON.stringify(input)})`;
    case 2:
    case 3:
      return childKey(functionName, JSON.stringify(input), instanceId, version);
    case 5:
      return `timer ${String(fireAt)}`;
    default:
      return oracleEntityKey(action);
  }
}

function oracleEntityKey(action: OracleAction): string | undefined {
  const { actionType, instanceId = '', operation = '', input } = action;
  switch (actionType) {
    case 7:
      return `call ${instanceId} ${operation}(${JSON.stringify(input)})`;
    case 9:
      return `signal ${instanceId} ${operation}(${JSON.stringify(input)})`;
    case 13: {
      const { lockRequestId = '', lockSet = [] } = action;
      const ids = lockSet.map(({ name, key }) => `@${name.toLowerCase()}@${key}`);
      return `lock ${lockRequestId} ${ids.join(' ')}`;
    }
    case 14:
      return RELEASE;
    default:
      return undefined;
  }
}

/** Ids that were not given are made up by the host, and by us. */
function childKey(name: string, input = '', id = '', version = ''): string {
  const given = id.startsWith('child-') ? ` as ${id}` : '';
  return `child ${name}(${input})${given}${version === '' ? '' : ` version ${version}`}`;
}

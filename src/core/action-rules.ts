/** Which actions an orchestration fails on, rather than being handed out for ever. */
import {
  OrchestrationStatus,
  type CompleteOrchestrationAction,
  type OrchestratorAction,
  type SendEntityMessageAction,
} from '../proto/orchestrator_service_pb.ts';
import { messageProblem } from './entity-message.ts';
import { isTerminal } from './instance.ts';
import type { PayloadKind, PayloadLimits } from './limits.ts';
import { payloadProblem } from './validation.ts';

export interface ActionProblem {
  readonly errorType: string;
  readonly message: string;
}

export function actionProblem(
  action: OrchestratorAction,
  limits: PayloadLimits,
): ActionProblem | undefined {
  const tooLarge = payloadProblemOf(action, limits);
  if (tooLarge !== undefined) {
    return { errorType: 'PayloadTooLarge', message: `Action ${action.id}: ${tooLarge}` };
  }
  const { orchestratorActionType: type } = action;
  if (type.case === undefined) {
    return {
      errorType: 'InvalidAction',
      message: `Action ${action.id} has no type that this scheduler knows; is the worker newer than the scheduler?`,
    };
  }
  if (type.case === 'rewindOrchestration') {
    return {
      errorType: 'InvalidAction',
      message: `Action ${action.id} rewinds to a history without executionStarted, which cannot run`,
    };
  }
  if (type.case === 'sendEntityMessage') {
    const problem = messageProblem(type.value.EntityMessageType);
    if (problem !== undefined) {
      return { errorType: 'InvalidAction', message: `Action ${action.id}: ${problem}` };
    }
  }
  if (type.case === 'completeOrchestration' && !isFinal(type.value)) {
    return {
      errorType: 'InvalidAction',
      message: `Action ${action.id} completes the orchestration with status ${type.value.orchestrationStatus}, which is not a final one`,
    };
  }
  return undefined;
}

function payloadProblemOf(action: OrchestratorAction, limits: PayloadLimits): string | undefined {
  const { orchestratorActionType: type } = action;
  switch (type.case) {
    case 'scheduleTask':
      return payloadProblem(type.value.input, 'activityInput', limits);
    case 'createSubOrchestration':
      return payloadProblem(type.value.input, 'orchestrationInput', limits);
    case 'sendEvent':
      return payloadProblem(type.value.data, 'eventData', limits);
    case 'sendEntityMessage':
      return payloadProblem(entityInput(type.value), 'entityInput', limits);
    case 'completeOrchestration':
      return payloadProblem(type.value.result, resultKind(type.value), limits);
    default:
      return undefined;
  }
}

function entityInput({ EntityMessageType: type }: SendEntityMessageAction): string | undefined {
  const isOperation =
    type.case === 'entityOperationCalled' || type.case === 'entityOperationSignaled';
  return isOperation ? type.value.input : undefined;
}

/** The result of a generation that goes on is the input of the next. */
function resultKind(action: CompleteOrchestrationAction): PayloadKind {
  return action.orchestrationStatus === OrchestrationStatus.CONTINUED_AS_NEW
    ? 'orchestrationInput'
    : 'orchestrationOutput';
}

function isFinal(action: CompleteOrchestrationAction): boolean {
  return (
    isTerminal(action.orchestrationStatus) ||
    action.orchestrationStatus === OrchestrationStatus.CONTINUED_AS_NEW
  );
}

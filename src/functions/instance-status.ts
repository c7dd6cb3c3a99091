import type { OrchestrationState } from '../client/orchestration-state.ts';
import { isTerminal } from '../core/instance.ts';
import { OrchestrationStatus } from '../proto/orchestrator_service_pb.ts';
import { DurableOrchestrationStatus, OrchestrationRuntimeStatus } from './value-classes.ts';

const STATUS_NAMES: Readonly<Record<number, OrchestrationRuntimeStatus>> = {
  [OrchestrationStatus.RUNNING]: OrchestrationRuntimeStatus.Running,
  [OrchestrationStatus.COMPLETED]: OrchestrationRuntimeStatus.Completed,
  [OrchestrationStatus.CONTINUED_AS_NEW]: OrchestrationRuntimeStatus.ContinuedAsNew,
  [OrchestrationStatus.FAILED]: OrchestrationRuntimeStatus.Failed,
  [OrchestrationStatus.CANCELED]: OrchestrationRuntimeStatus.Canceled,
  [OrchestrationStatus.TERMINATED]: OrchestrationRuntimeStatus.Terminated,
  [OrchestrationStatus.PENDING]: OrchestrationRuntimeStatus.Pending,
  [OrchestrationStatus.SUSPENDED]: OrchestrationRuntimeStatus.Suspended,
};

/** What a status shows beside names, times and results. */
export interface ShowOptions {
  readonly showInput: boolean;
  /** The formatted history, when it was asked for. */
  readonly history?: readonly unknown[] | undefined;
}

/** The status object of `getStatus()`. Absent values are `null` there, as with durable-functions. */
export function toDurableOrchestrationStatus(
  state: OrchestrationState,
  { showInput, history }: ShowOptions,
): DurableOrchestrationStatus {
  return new DurableOrchestrationStatus({
    name: state.name,
    instanceId: state.instanceId,
    createdTime: state.createdAt,
    lastUpdatedTime: state.lastUpdatedAt,
    input: showInput ? valueOf(state.serializedInput) : null,
    output: outputOf(state),
    runtimeStatus: runtimeStatusOf(state.runtimeStatus),
    customStatus: valueOf(state.serializedCustomStatus),
    history,
  });
}

/** The JSON body of the HTTP status endpoint: camelCase, times to the second. */
export function toStatusBody(
  state: OrchestrationState,
  { showInput, history }: ShowOptions,
): Record<string, unknown> {
  return {
    name: state.name,
    instanceId: state.instanceId,
    runtimeStatus: runtimeStatusOf(state.runtimeStatus),
    input: showInput ? valueOf(state.serializedInput) : null,
    customStatus: valueOf(state.serializedCustomStatus),
    output: outputOf(state),
    createdTime: toSeconds(state.createdAt),
    lastUpdatedTime: toSeconds(state.lastUpdatedAt),
    ...(history !== undefined && { historyEvents: history }),
  };
}

/** The text of a status. One that only a newer scheduler knows reads as running: it has not ended. */
export function runtimeStatusOf(status: OrchestrationStatus): OrchestrationRuntimeStatus {
  return STATUS_NAMES[status] ?? OrchestrationRuntimeStatus.Running;
}

/** The status that a text names, in any case; `undefined` for a text that names none. */
export function statusFromName(name: string): OrchestrationStatus | undefined {
  const wanted = name.trim().toLowerCase();
  const found = Object.entries(STATUS_NAMES).find(([, text]) => text.toLowerCase() === wanted);
  return found === undefined ? undefined : (Number(found[0]) as OrchestrationStatus);
}

/** The text that stands for the output of a failed instance, in statuses and in its parent. */
export function orchestratorFailureText(name: string, message: string): string {
  return `Orchestrator function '${name}' failed: ${message}`;
}

function outputOf(state: OrchestrationState): unknown {
  if (state.runtimeStatus === OrchestrationStatus.FAILED) {
    return orchestratorFailureText(state.name, state.failureDetails?.message ?? 'Unknown error');
  }
  return isTerminal(state.runtimeStatus) ? valueOf(state.serializedOutput) : null;
}

/** Payloads are JSON by convention of the SDKs, not by rule: other text is shown as it is. */
export function valueOf(text: string | undefined): unknown {
  if (text === undefined || text === '') return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A time as the durable HTTP API writes it. */
export function toSeconds(time: Date): string {
  return time.toISOString().replace(/\.\d+Z$/, 'Z');
}

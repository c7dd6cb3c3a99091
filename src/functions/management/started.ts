import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { OrchestrationState } from '../../client/orchestration-state.ts';
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { waitForEnd } from '../durable-client.ts';
import { toStatusBody } from '../instance-status.ts';
import type { ManagementOptions } from './options.ts';
import { readFlag } from './parameters.ts';

export interface StartedOptions {
  readonly request: HttpRequest;
  /** How long to wait for the end; `undefined`: not at all. */
  readonly waitMs: number | undefined;
  readonly options: ManagementOptions;
}

/** The answer to a start or restart: the output when it ended in time, the links otherwise. */
export async function answerStarted(
  instanceId: string,
  { request, waitMs, options }: StartedOptions,
): Promise<HttpResponseInit> {
  if (waitMs !== undefined) {
    const state = await waitForEnd(options.client, instanceId, waitMs);
    if (state !== 'running' && state !== undefined) return endedResponse(state, request);
  }
  const links = options.linksFor(instanceId, request);
  return {
    status: 202,
    headers: { Location: links.statusQueryGetUri, 'Retry-After': '10' },
    jsonBody: links,
  };
}

/** Whether a failed instance is to be answered with 500. */
export function isServerError(state: OrchestrationState, request: HttpRequest): boolean {
  return (
    state.runtimeStatus === OrchestrationStatus.FAILED &&
    readFlag(request, 'returnInternalServerErrorOnFailure', false)
  );
}

/** As the status endpoint answers, except that a completed instance gives its output alone. */
function endedResponse(state: OrchestrationState, request: HttpRequest): HttpResponseInit {
  const body = toStatusBody(state, { showInput: true });
  if (state.runtimeStatus === OrchestrationStatus.COMPLETED) {
    return { status: 200, jsonBody: body['output'] };
  }
  return { status: isServerError(state, request) ? 500 : 200, jsonBody: body };
}

import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { invalidArgument } from '../../core/errors.ts';
import { isTerminal } from '../../core/instance.ts';
import { OrchestrationStatus } from '../../proto/orchestrator_service_pb.ts';
import { isNotFound } from '../durable-client.ts';
import type { ManagementOptions } from './options.ts';
import { readFlag, readWait } from './parameters.ts';
import { answerStarted } from './started.ts';

/** 202; 404 for a missing instance, 410 for one that ended without a failure, 412 for a live one. */
export async function answerRewind(
  instanceId: string,
  request: HttpRequest,
  { client }: ManagementOptions,
): Promise<HttpResponseInit> {
  const state = await client.getOrchestrationState(instanceId, false);
  if (state === undefined) return { status: 404 };
  const { runtimeStatus } = state;
  if (isTerminal(runtimeStatus) && runtimeStatus !== OrchestrationStatus.FAILED) {
    return { status: 410 };
  }
  try {
    await client.rewindInstance(instanceId, request.query.get('reason') ?? '');
    return { status: 202 };
  } catch (error) {
    // Purged since we looked.
    if (isNotFound(error)) return { status: 404 };
    throw error;
  }
}

/** As a start is answered; under a new id unless the caller asks for the old one. */
export async function answerRestart(
  instanceId: string,
  request: HttpRequest,
  options: ManagementOptions,
): Promise<HttpResponseInit> {
  const waitMs = readWait(request);
  const withNewId = readFlag(request, 'restartWithNewInstanceId', true);
  const id = await restart(instanceId, withNewId, options);
  return answerStarted(id, { request, waitMs, options });
}

async function restart(
  instanceId: string,
  withNewId: boolean,
  { client }: ManagementOptions,
): Promise<string> {
  try {
    return await client.restartOrchestration(instanceId, withNewId);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    throw invalidArgument('InstanceId does not match a valid orchestration instance.');
  }
}

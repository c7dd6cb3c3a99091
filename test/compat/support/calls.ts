/** The calls that nearly every test of the wire makes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  TaskHubSidecarService,
  type CreateInstanceRequestSchema,
  type HistoryEvent,
  type OrchestrationState,
} from '../../../src/proto/orchestrator_service_pb.ts';
import type { RawClient } from '../../server/support/raw-client.ts';

const rpc = TaskHubSidecarService.method;

/** An id that no other test has. */
export function freshId(prefix = 'i'): string {
  return `${prefix}-${randomUUID().slice(0, 13)}`;
}

export async function start(
  client: RawClient,
  request: MessageInitShape<typeof CreateInstanceRequestSchema> = {},
): Promise<string> {
  const asked = { instanceId: freshId(), name: 'Orchestrator', ...request };
  const reply = await client.call(rpc.startInstance, asked);
  return reply.instanceId;
}

/** The state, payloads included, of an instance that exists. */
export async function stateOf(client: RawClient, instanceId: string): Promise<OrchestrationState> {
  const { orchestrationState } = await client.call(rpc.getInstance, {
    instanceId,
    getInputsAndOutputs: true,
  });
  assert.ok(orchestrationState, `instance ${instanceId} is missing`);
  return orchestrationState;
}

export async function ended(client: RawClient, instanceId: string): Promise<OrchestrationState> {
  const { orchestrationState } = await client.call(
    rpc.waitForInstanceCompletion,
    { instanceId, getInputsAndOutputs: true },
    { deadline: Date.now() + 8_000 },
  );
  assert.ok(orchestrationState, `instance ${instanceId} is gone`);
  return orchestrationState;
}

export async function history(
  client: RawClient,
  instanceId: string,
  rest: { readonly executionId?: string; readonly forWorkItemProcessing?: boolean } = {},
): Promise<HistoryEvent[]> {
  const stream = client.stream(rpc.streamInstanceHistory, { instanceId, ...rest });
  const events: HistoryEvent[] = [];
  for (let chunk = await stream.next(); chunk; chunk = await stream.next()) {
    events.push(...chunk.events);
  }
  return events;
}

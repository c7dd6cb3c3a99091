/** Entities, as a client calls them. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import {
  TaskHubSidecarService,
  type EntityMetadata,
  type EntityQuerySchema,
  type SignalEntityRequestSchema,
} from '../../../src/proto/orchestrator_service_pb.ts';
import { callEntity, complete } from '../../support/actions.ts';
import type { RawClient } from '../../server/support/raw-client.ts';
import { start } from './calls.ts';
import type { Batch, HandWorker, Turn } from './hand-worker.ts';

const rpc = TaskHubSidecarService.method;

export async function signal(
  client: RawClient,
  instanceId: string,
  rest: MessageInitShape<typeof SignalEntityRequestSchema> = {},
): Promise<void> {
  await client.call(rpc.signalEntity, { name: 'add', ...rest, instanceId });
}

/** With its state; `undefined` when it does not exist. */
export async function entityOf(
  client: RawClient,
  instanceId: string,
  includeState = true,
): Promise<EntityMetadata | undefined> {
  return (await client.call(rpc.getEntity, { instanceId, includeState })).entity;
}

export async function query(
  client: RawClient,
  asked: MessageInitShape<typeof EntityQuerySchema>,
): Promise<{ readonly entities: readonly EntityMetadata[]; readonly token: string | undefined }> {
  const reply = await client.call(rpc.queryEntities, { query: asked });
  return { entities: reply.entities, token: reply.continuationToken };
}

/** Signals an entity and commits the batch with this state. */
export async function withState(
  worker: HandWorker,
  entityId: string,
  entityState: string,
): Promise<Batch> {
  await signal(worker.client, entityId);
  const batch = await worker.batch(entityId);
  await worker.settle(batch, ['1'], { entityState });
  return batch;
}

/** An orchestration that calls the entity, and what it calls with. */
export async function calling(
  worker: HandWorker,
  entityId: string,
): Promise<{ readonly id: string; readonly turn: Turn; readonly batch: Batch }> {
  const id = await start(worker.client);
  const turn = await worker.run(id, [callEntity(1, entityId, 'get', { input: '5' })]);
  return { id, turn, batch: await worker.batch(entityId) };
}

/** The next turn of the orchestration, which ends it. */
export async function told(worker: HandWorker, id: string): Promise<Turn> {
  const turn = await worker.turn(id);
  await worker.answer(turn, [complete('"told"')]);
  return turn;
}

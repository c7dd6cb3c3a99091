/** Entities for the store contract: signals as clients send them, batches as workers answer them. */
import assert from 'node:assert/strict';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { signalMessage } from '../../../src/core/entity-message.ts';
import { EntityBatchResultSchema } from '../../../src/proto/orchestrator_service_pb.ts';
import type {
  ClaimedEntity,
  ClaimedOrchestration,
  EntityCommit,
  SignalCommit,
} from '../../../src/storage/store.ts';
import { decodeEvent } from '../../../src/wire/events.ts';
import { HUB, newEventsOf, type Bench, type TakeOptions } from './bench.ts';

export function signal(
  entityId: string,
  requestId: string,
  rest: { readonly scheduledTime?: Timestamp } = {},
): SignalCommit {
  const message = signalMessage(entityId, { requestId, operation: 'add', ...rest });
  return { kind: 'signal', hub: HUB, message };
}

interface DoneOptions {
  /** Operations that were run; all by default. */
  readonly count?: number;
  readonly rest?: MessageInitShape<typeof EntityBatchResultSchema>;
}

export function batchDone(
  { hub, token, operations }: ClaimedEntity,
  entityState: string | undefined,
  { count = operations.length, rest = {} }: DoneOptions = {},
): EntityCommit {
  const results = Array.from({ length: count }, (_, at) => ({
    resultType: { case: 'success' as const, value: { result: `"${at}"` } },
  }));
  const result = create(EntityBatchResultSchema, {
    results,
    ...(entityState !== undefined && { entityState }),
    ...rest,
  });
  return { kind: 'entity', hub, token, result };
}

export async function takeBatch(bench: Bench, rest: TakeOptions = {}): Promise<ClaimedEntity> {
  const claimed = await bench.take({ orchestrations: 0, activities: 0, entities: 100, ...rest });
  const [item] = claimed;
  assert.equal(claimed.length, 1, 'exactly one entity is ready');
  assert.ok(item?.kind === 'entity');
  return item;
}

export async function takeNoBatch(bench: Bench): Promise<void> {
  const room = { orchestrations: 0, activities: 0, entities: 100 };
  assert.deepEqual(await bench.take(room), []);
}

/** Request ids, in order. */
export function operationsOf({ operations }: ClaimedEntity): readonly string[] {
  return operations.map((event) => {
    const { eventType: type } = decodeEvent(event);
    assert.ok(type.case === 'entityOperationCalled' || type.case === 'entityOperationSignaled');
    return type.value.requestId;
  });
}

export function stateOf({ state }: ClaimedEntity): string | undefined {
  return state && new TextDecoder().decode(state);
}

/** Types of what a turn was told, without what every turn is told, and without events raised by the test. */
export function eventsTaken(item: ClaimedOrchestration): readonly (string | undefined)[] {
  return newEventsOf(item)
    .map(({ eventType }) => eventType.case)
    .filter((type) => type !== 'orchestratorStarted' && type !== 'eventRaised');
}

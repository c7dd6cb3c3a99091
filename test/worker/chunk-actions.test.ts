import assert from 'node:assert/strict';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import type { OrchestratorAction } from '../../src/proto/orchestrator_service_pb.ts';
import {
  OrchestratorActionSchema,
  OrchestratorResponseSchema,
} from '../../src/proto/orchestrator_service_pb.ts';
import { chunkActions } from '../../src/worker/chunk-actions.ts';

const LIMIT_BYTES = 2_000;

function schedule(
  id: number,
  input: string,
  tags: Record<string, string> = {},
): OrchestratorAction {
  return create(OrchestratorActionSchema, {
    id,
    orchestratorActionType: { case: 'scheduleTask', value: { name: 'A', input, tags } },
  });
}

const turns = fc.array(
  fc.record({
    input: fc.string({ maxLength: 900, unit: 'grapheme' }),
    tags: fc.dictionary(fc.string({ maxLength: 5 }), fc.string({ maxLength: 20 }), { maxKeys: 2 }),
  }),
  { maxLength: 12 },
);

describe('chunkActions', () => {
  it('keeps every action, in order, in messages below the limit', () => {
    fc.assert(
      fc.property(turns, (turn) => {
        const actions = turn.map(({ input, tags }, id) => schedule(id, input, tags));

        const chunks = chunkActions(actions, LIMIT_BYTES);

        assert.deepEqual(chunks.flat(), actions);
        for (const chunk of chunks) {
          const message = create(OrchestratorResponseSchema, { actions: [...chunk] });
          const bytes = toBinary(OrchestratorResponseSchema, message).byteLength;
          assert.ok(chunk.length === 1 || bytes <= LIMIT_BYTES, `${bytes} bytes`);
        }
      }),
    );
  });

  it('leaves a small turn, an empty one too, in one message', () => {
    assert.equal(chunkActions([], LIMIT_BYTES).length, 1);
    assert.equal(chunkActions([schedule(1, 'x'), schedule(2, 'y')], LIMIT_BYTES).length, 1);
  });

  it('gives an action that is too large a message of its own', () => {
    const actions = [schedule(1, 'a'), schedule(2, 'b'.repeat(3_000)), schedule(3, 'c')];

    const chunks = chunkActions(actions, LIMIT_BYTES);

    assert.deepEqual(
      chunks.map((chunk) => chunk.map(({ id }) => id)),
      [[1], [2], [3]],
    );
  });
});

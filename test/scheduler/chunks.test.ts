/* eslint-disable @typescript-eslint/no-deprecated -- deprecated for clients; servers must still read them */
import assert from 'node:assert/strict';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  OrchestratorResponseSchema,
  type OrchestratorResponse,
} from '../../src/proto/orchestrator_service_pb.ts';
import { Chunks, isPart } from '../../src/scheduler/chunks.ts';
import { complete, scheduleTask } from '../support/actions.ts';

type Init = Omit<MessageInitShape<typeof OrchestratorResponseSchema>, '$typeName'>;

function response(init: Init): OrchestratorResponse {
  return create(OrchestratorResponseSchema, { completionToken: 't', ...init });
}

function part(chunkIndex: number, id = chunkIndex): OrchestratorResponse {
  return response({ isPartial: true, chunkIndex, actions: [scheduleTask(id)] });
}

function idsOf(whole: OrchestratorResponse | undefined): number[] | undefined {
  return whole?.actions.map(({ id }) => id);
}

describe('chunks of a completion', () => {
  it('are told from whole ones', () => {
    assert.equal(isPart(part(0)), true);
    assert.equal(isPart(response({})), false);
  });

  it('leave a completion that comes whole as it is', () => {
    const whole = response({ actions: [complete()], numEventsProcessed: 3 });
    assert.deepEqual(new Chunks().join(whole), whole);
  });

  it('are joined in the order of their indexes, however they arrive', () => {
    const chunks = new Chunks();
    for (const index of [1, 0, 2]) chunks.add(part(index));
    assert.deepEqual(
      idsOf(chunks.join(response({ chunkIndex: 3, actions: [complete()] }))),
      [0, 1, 2, -1],
    );
  });

  it('take the scalar fields of the first: later ones say 0', () => {
    const chunks = new Chunks();
    chunks.add(response({ isPartial: true, chunkIndex: 0, customStatus: 's' }));
    const whole = chunks.join(response({ chunkIndex: 1, numEventsProcessed: 0 }));
    assert.equal(whole?.numEventsProcessed, undefined);
    assert.equal(whole?.customStatus, 's');
    assert.equal(isPart(whole), false);
  });

  it('replace a chunk that comes again', () => {
    const chunks = new Chunks();
    chunks.add(part(0, 7));
    chunks.add(part(0, 8));
    assert.deepEqual(idsOf(chunks.join(response({ chunkIndex: 1 }))), [8]);
  });

  it('join a last one without an index behind the others', () => {
    const chunks = new Chunks();
    chunks.add(part(0));
    assert.deepEqual(idsOf(chunks.join(response({ actions: [complete()] }))), [0, -1]);
  });

  it('are no completion while one is missing', () => {
    const chunks = new Chunks();
    const last = response({ chunkIndex: 2, actions: [complete()] });
    assert.equal(chunks.join(last), undefined);
    chunks.add(part(1));
    assert.equal(chunks.join(last), undefined);
    chunks.add(part(0));
    assert.deepEqual(idsOf(chunks.join(last)), [0, 1, -1]);
  });

  it('are kept until they are dropped, so that a last one that comes again is whole', () => {
    const chunks = new Chunks();
    chunks.add(part(0));
    const last = response({ chunkIndex: 1 });
    assert.deepEqual(idsOf(chunks.join(last)), [0]);
    assert.deepEqual(idsOf(chunks.join(last)), [0]);
    chunks.drop('t');
    assert.equal(chunks.join(last), undefined);
  });

  it('are bounded for each completion', () => {
    const chunks = new Chunks();
    for (let index = 0; index < 256; index += 1) chunks.add(part(index));
    assert.throws(() => chunks.add(part(256)), { code: 'INVALID_ARGUMENT' });
    chunks.add(part(255));
  });

  it('are bounded over all completions: the oldest gives way', () => {
    const chunks = new Chunks();
    for (let n = 0; n <= 1000; n += 1) {
      chunks.add(response({ completionToken: `t${n}`, isPartial: true, chunkIndex: 0 }));
    }
    const last = (token: string) => response({ completionToken: token, chunkIndex: 1 });
    assert.equal(chunks.join(last('t0')), undefined);
    assert.ok(chunks.join(last('t1')));
  });
});

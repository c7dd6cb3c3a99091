import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { openGrpcFixture, type GrpcFixture } from '../support/grpc-fixture.ts';

const rpc = TaskHubSidecarService.method;
const refused = { code: status.RESOURCE_EXHAUSTED, details: 'too loud' };

describe('a task hub that is over its rate', () => {
  let fixture: GrpcFixture;
  beforeEach(async () => {
    fixture = await openGrpcFixture();
    fixture.engine.doorRefusal = 'too loud';
  });
  afterEach(() => fixture.close());

  it('is refused what makes new work before anybody reads it', async () => {
    const { client, engine } = fixture;
    await assert.rejects(client.call(rpc.startInstance, { instanceId: 'a', name: 'A' }), refused);
    await assert.rejects(client.call(rpc.raiseEvent, { instanceId: 'a', name: 'go' }), refused);
    await assert.rejects(client.call(rpc.signalEntity, { instanceId: '@a@b' }), refused);
    await assert.rejects(client.call(rpc.restartInstance, { instanceId: 'a' }), refused);
    await assert.rejects(client.call(rpc.rewindInstance, { instanceId: 'a' }), refused);
    assert.deepEqual(engine.calls, []);
  });

  it('is served everything else', async () => {
    const { client, engine } = fixture;
    await client.call(rpc.terminateInstance, { instanceId: 'a' });
    await client.call(rpc.suspendInstance, { instanceId: 'a' });
    assert.deepEqual(
      engine.calls.map(([name]) => name),
      ['terminate', 'suspend'],
    );
  });

  it('does not stop its connection with large requests that nobody reads', async () => {
    const { client, engine } = fixture;
    const input = 'x'.repeat(1_000_000);
    for (let n = 0; n < 20; n += 1) {
      await assert.rejects(
        client.call(rpc.startInstance, { instanceId: 'a', name: 'A', input }),
        refused,
      );
    }
    engine.doorRefusal = undefined;
    await client.call(rpc.startInstance, { instanceId: 'a', name: 'A', input });
    assert.equal(engine.calls.length, 1);
  });
});

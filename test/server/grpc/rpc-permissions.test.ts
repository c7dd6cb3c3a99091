import assert from 'node:assert/strict';
import { TaskHubSidecarService } from '../../../src/proto/orchestrator_service_pb.ts';
import { serviceDefinition } from '../../../src/server/grpc/grpc-server.ts';
import { RPC_PERMISSIONS } from '../../../src/server/grpc/rpc-permissions.ts';

const names = TaskHubSidecarService.methods.map(({ localName }) => localName);

describe('RPC', () => {
  it('declares the permission it needs, each of them', () => {
    assert.deepEqual(Object.keys(RPC_PERMISSIONS).sort(), [...names].sort());
    assert.equal(names.length, 29);
  });

  it('has a path without a package', () => {
    const paths = Object.values(serviceDefinition()).map(({ path }) => path);

    assert.equal(paths.length, 29);
    for (const path of paths) assert.match(path, /^\/TaskHubSidecarService\/[A-Z]\w+$/);
  });

  it('lets nobody receive or finish work without the permission to work', () => {
    const work = names.filter((name) => /^(?:getWorkItems|complete|abandon)/.test(name));

    assert.deepEqual(
      new Set(work.map((name) => RPC_PERMISSIONS[name as keyof typeof RPC_PERMISSIONS])),
      new Set(['work']),
    );
  });
});

import assert from 'node:assert/strict';
import { gatherLargeResults } from '../support/large-messages.ts';
import { NodeProcess } from '../support/node-process.ts';

describe('a fan-in larger than a gRPC message', function () {
  this.timeout(45_000);
  let scheduler: NodeProcess;

  before(() => {
    const ports = ['--grpc-port', '0', '--http-port', '0'];
    scheduler = NodeProcess.cli(['start', '--json', '--storage', 'memory', ...ports]);
  });

  after(async () => {
    await scheduler.end('SIGKILL');
  });

  it('completes, also on a worker that has to be given the whole history', async () => {
    const { grpc } = await scheduler.ready();
    const result = await gatherLargeResults({ endpoint: grpc, count: 20, size: 900_000 });
    assert.equal(result.historyBytes, 20 * 900_002);
  });
});

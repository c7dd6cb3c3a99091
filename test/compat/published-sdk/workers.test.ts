import assert from 'node:assert/strict';
import {
  OrchestrationStatus,
  VersionFailureStrategy,
  VersionMatchStrategy,
  type TaskHubGrpcWorker,
  type TaskHubGrpcWorkerOptions,
} from '@microsoft/durabletask-js';
import { PublishedSdk } from '../support/published-sdk.ts';

const { COMPLETED, FAILED, PENDING } = OrchestrationStatus;

describe('Workers of the published SDK', function () {
  this.timeout(20_000);
  const sdk = new PublishedSdk();
  const workers: TaskHubGrpcWorker[] = [];
  const stopping: Promise<void>[] = [];
  before(() => sdk.open());
  after(async () => {
    await Promise.all(stopping);
    await sdk.close();
  });
  afterEach(() => {
    // Each stop takes the SDK a second after it has closed its stream; nobody needs to wait for that.
    stopping.push(...workers.splice(0).map((worker) => worker.stop()));
  });

  sdk.activity('Say', (_, text: string) => text);
  sdk.orchestrator('Version', async function* (context) {
    yield* [];
    return context.version;
  });
  sdk.orchestrator('Child', async function* (context, version: string) {
    return yield context.callSubOrchestrator('Version', undefined, { version });
  });
  sdk.orchestrator('Compare', async function* (context, other: string) {
    yield* [];
    return Math.sign(context.compareVersionTo(other));
  });
  sdk.orchestrator('CallSay', async function* (context) {
    return yield context.callActivity('Say', 'hi');
  });

  async function started(options: TaskHubGrpcWorkerOptions = {}): Promise<TaskHubGrpcWorker> {
    const worker = sdk.makeWorker(options);
    workers.push(worker);
    await worker.start();
    return worker;
  }

  // [wp 3.3-version]
  it('see the version of the start, and an empty one where there is none', async () => {
    await started();
    assert.equal(await sdk.output('Version', undefined, { version: '3.1.4' }), '3.1.4');
    assert.equal(await sdk.output('Version'), '');
    assert.equal(await sdk.output('Compare', '2.0.0', { version: '10.0.0' }), 1);
  });

  // [wp 5.5-sub-orchestration]
  it('see the version that a parent gives its child', async () => {
    await started();
    assert.equal(await sdk.output('Child', '7.0'), '7.0');
  });

  // [wp 5.12-fail]
  it('fail an orchestration of another version when told to', async () => {
    await started({
      versioning: {
        version: '1.0',
        matchStrategy: VersionMatchStrategy.Strict,
        failureStrategy: VersionFailureStrategy.Fail,
      },
    });
    const other = await sdk.run('Version', undefined, { version: '2.0' });
    assert.equal(other.runtimeStatus, FAILED);
    assert.equal(other.failureDetails?.errorType, 'VersionMismatch');
    assert.equal(await sdk.output('Version', undefined, { version: '1.0' }), '1.0');
  });

  // [wp 5.12-reject, 4.8-back-off]
  it('leave an orchestration of another version to a worker that takes it', async () => {
    const versioning = (version: string): TaskHubGrpcWorkerOptions => ({
      versioning: {
        version,
        matchStrategy: VersionMatchStrategy.Strict,
        failureStrategy: VersionFailureStrategy.Reject,
      },
    });
    await started(versioning('1.0'));
    const id = await sdk.start('Version', undefined, { version: '2.0' });
    assert.equal(await sdk.output('Version', undefined, { version: '1.0' }), '1.0');
    assert.equal((await sdk.state(id)).runtimeStatus, PENDING);
    await started(versioning('2.0'));
    assert.equal((await sdk.ended(id)).serializedOutput, '"2.0"');
  });

  // [wp 4.3-unwanted]
  it('leave what their filters do not name, and nothing fails', async () => {
    await started({ workItemFilters: { orchestrations: [{ name: 'Version' }] } });
    const id = await sdk.start('Compare', '1.0');
    assert.equal(await sdk.output('Version'), '');
    assert.equal((await sdk.state(id)).runtimeStatus, PENDING);
    await started();
    assert.equal((await sdk.ended(id)).runtimeStatus, COMPLETED);
  });

  // [wp 4.3-versions]
  it('take only the versions that their filters name', async () => {
    await started({
      workItemFilters: { orchestrations: [{ name: 'Version', versions: ['1.0'] }] },
    });
    const id = await sdk.start('Version', undefined, { version: '2.0' });
    assert.equal(await sdk.output('Version', undefined, { version: '1.0' }), '1.0');
    assert.equal((await sdk.state(id)).runtimeStatus, PENDING);
    await sdk.client.terminateOrchestration(id);
  });

  // [wp 4.3-names]
  it('make filters of what is registered, and share the work by them', async () => {
    await started({ workItemFilters: { orchestrations: [{ name: 'CallSay' }] } });
    await started({ workItemFilters: { activities: [{ name: 'Say' }] } });
    assert.equal(await sdk.output('CallSay'), 'hi');
  });

  it('make filters by themselves', async () => {
    await started({ workItemFilters: 'auto' });
    const id = await sdk.start('NotRegisteredAnywhere');
    assert.equal(await sdk.output('CallSay'), 'hi');
    assert.equal((await sdk.state(id)).runtimeStatus, PENDING);
    await sdk.client.terminateOrchestration(id);
  });

  // [wp 4.1-many-streams]
  it('may be several, and each orchestration ends once', async () => {
    await Promise.all([started(), started(), started()]);
    const outputs = await Promise.all(Array.from({ length: 30 }, () => sdk.output('CallSay')));
    assert.deepEqual(new Set(outputs), new Set(['hi']));
  });

  // [wp 3.3-pending]
  it('may come later: what was started stays pending until then', async () => {
    const id = await sdk.start('CallSay');
    await sdk.state(id);
    assert.equal((await sdk.state(id)).runtimeStatus, PENDING);
    await started();
    assert.equal((await sdk.ended(id)).serializedOutput, '"hi"');
  });

  // [wp 4.6-stream-end]
  it('may stop between two turns, and another takes over', async () => {
    const first = await started();
    const id = await sdk.running('Late');
    await first.stop();
    workers.length = 0;
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 'handed over');
    await started();
    assert.equal((await sdk.ended(id)).serializedOutput, '"handed over"');
  });
  sdk.orchestrator('Late', async function* (context) {
    const said = yield context.waitForExternalEvent('Go');
    return yield context.callActivity('Say', said);
  });
});

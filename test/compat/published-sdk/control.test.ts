import assert from 'node:assert/strict';
import { HistoryEventType, OrchestrationStatus, terminateOptions } from '@microsoft/durabletask-js';
import { freshId } from '../support/calls.ts';
import { publishedSdk } from '../support/published-sdk.ts';

const NOT_FOUND = 5;
const { COMPLETED, PENDING, RUNNING, SUSPENDED, TERMINATED } = OrchestrationStatus;

describe('Terminate, suspend and resume of the published SDK', function () {
  this.timeout(15_000);
  const sdk = publishedSdk();
  sdk.orchestrator('Wait', async function* (context) {
    return yield context.waitForExternalEvent('Go');
  });
  sdk.orchestrator('Parent', async function* (context, ids: string[]) {
    const [instanceId, ...rest] = ids;
    if (instanceId === undefined) return yield context.waitForExternalEvent('Go');
    return yield context.callSubOrchestrator('Parent', rest, { instanceId });
  });
  sdk.orchestrator('Sleep', async function* (context, seconds: number) {
    yield context.createTimer(seconds);
    return 'awake';
  });

  const status = async (id: string): Promise<OrchestrationStatus> =>
    (await sdk.state(id)).runtimeStatus;

  async function suspended(name: string, input?: unknown): Promise<string> {
    const id = await sdk.running(name, input);
    await sdk.client.suspendOrchestration(id);
    await sdk.reaches(id, ({ runtimeStatus }) => runtimeStatus === SUSPENDED);
    return id;
  }

  // [wp 3.7-terminate, 5.8-output]
  it('terminate a running orchestration with an output', async () => {
    const id = await sdk.running('Wait');
    await sdk.client.terminateOrchestration(id, { because: 'test' });
    const state = await sdk.ended(id);
    assert.equal(state.runtimeStatus, TERMINATED);
    assert.equal(state.serializedOutput, '{"because":"test"}');
    assert.equal(state.failureDetails, undefined);
  });

  it('terminate without an output', async () => {
    const id = await sdk.running('Wait');
    await sdk.client.terminateOrchestration(id);
    assert.equal((await sdk.ended(id)).runtimeStatus, TERMINATED);
  });

  // [wp 3.7-never-started]
  it('terminate what is scheduled for later', async () => {
    const startAt = new Date(sdk.host.clock.now() + 3_600_000);
    const id = await sdk.start('Wait', undefined, { startAt });
    await sdk.client.terminateOrchestration(id, 'no more');
    const state = await sdk.ended(id);
    assert.equal(state.runtimeStatus, TERMINATED);
    assert.equal(state.serializedOutput, '"no more"');
  });

  // [wp 5.8-suspended]
  it('terminate a suspended orchestration', async () => {
    const id = await suspended('Wait');
    await sdk.client.terminateOrchestration(id, 'enough');
    assert.equal((await sdk.ended(id)).runtimeStatus, TERMINATED);
  });

  // [wp 3.1-terminate-terminal]
  it('leave an ended orchestration as it is', async () => {
    const id = await sdk.running('Wait');
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 1);
    await sdk.ended(id);
    await sdk.client.terminateOrchestration(id, 'late');
    await sdk.client.suspendOrchestration(id);
    await sdk.client.resumeOrchestration(id);
    const state = await sdk.state(id);
    assert.deepEqual([state.runtimeStatus, state.serializedOutput], [COMPLETED, '1']);
  });

  // [wp 3.1-terminate-missing, 3.1-suspend-missing]
  it('are refused for nobody', async () => {
    const id = freshId('missing');
    const refusal = { code: NOT_FOUND };
    await assert.rejects(sdk.client.terminateOrchestration(id), refusal);
    await assert.rejects(sdk.client.suspendOrchestration(id), refusal);
    await assert.rejects(sdk.client.resumeOrchestration(id), refusal);
  });

  // [wp 5.8-recursive]
  it('terminate children and their children when asked to', async () => {
    const ids = [freshId('child'), freshId('grandchild')];
    const parent = await sdk.start('Parent', ids);
    for (const id of ids) await sdk.client.waitForOrchestrationStart(id, false, 10);
    const options = terminateOptions({ recursive: true, output: 'all of you' });
    await sdk.client.terminateOrchestration(parent, options);
    for (const id of [parent, ...ids]) {
      const state = await sdk.ended(id);
      assert.deepEqual([state.runtimeStatus, state.serializedOutput], [TERMINATED, '"all of you"']);
    }
  });

  // [wp 5.8-not-recursive]
  it('leave children alone otherwise', async () => {
    const child = freshId('child');
    const parent = await sdk.start('Parent', [child]);
    await sdk.client.waitForOrchestrationStart(child, false, 10);
    await sdk.client.terminateOrchestration(parent, terminateOptions({ recursive: false }));
    await sdk.ended(parent);
    assert.equal(await status(child), RUNNING);
    await sdk.client.raiseOrchestrationEvent(child, 'Go', 'alone');
    assert.equal((await sdk.ended(child)).serializedOutput, '"alone"');
  });

  // [wp 5.9-suspended, 5.9-resumed]
  it('suspend and resume', async () => {
    const id = await suspended('Wait');
    await sdk.client.resumeOrchestration(id);
    await sdk.reaches(id, ({ runtimeStatus }) => runtimeStatus === RUNNING);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 1);
    assert.equal((await sdk.ended(id)).serializedOutput, '1');
  });

  // [wp 5.9-twice]
  it('do nothing the second time', async () => {
    const id = await suspended('Wait');
    await sdk.client.suspendOrchestration(id);
    await sdk.client.resumeOrchestration(id);
    await sdk.client.resumeOrchestration(id);
    await sdk.reaches(id, ({ runtimeStatus }) => runtimeStatus === RUNNING);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 2);
    assert.equal((await sdk.ended(id)).serializedOutput, '2');
  });

  // [wp 3.1-resume-running]
  it('do nothing when what is resumed was not suspended', async () => {
    const id = await sdk.running('Wait');
    await sdk.client.resumeOrchestration(id);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 3);
    assert.equal((await sdk.ended(id)).serializedOutput, '3');
  });

  // [wp 5.9-timers]
  it('hold a timer that fires meanwhile', async () => {
    const id = await suspended('Sleep', 600);
    sdk.host.clock.advance(601_000);
    const fired = async (): Promise<boolean> =>
      (await sdk.history(id)).some(({ type }) => type === HistoryEventType.TimerFired);
    while (!(await fired()));
    assert.equal(await status(id), SUSPENDED);
    await sdk.client.resumeOrchestration(id);
    assert.equal((await sdk.ended(id)).serializedOutput, '"awake"');
  });

  // [wp 5.9-order]
  it('keep the order of the events that arrive meanwhile', async () => {
    const id = await suspended('Collect', 5);
    for (let n = 0; n < 5; n += 1) await sdk.client.raiseOrchestrationEvent(id, 'Item', n);
    await sdk.client.resumeOrchestration(id);
    assert.equal((await sdk.ended(id)).serializedOutput, '[0,1,2,3,4]');
  });
  sdk.orchestrator('Collect', async function* (context, count: number) {
    const seen: unknown[] = [];
    while (seen.length < count) seen.push(yield context.waitForExternalEvent('Item'));
    return seen;
  });

  // [wp 5.9-pending]
  it('suspend what has not begun, at its first turn', async () => {
    const startAt = new Date(sdk.host.clock.now() + 60_000);
    const id = await sdk.start('Wait', undefined, { startAt });
    await sdk.client.suspendOrchestration(id);
    assert.equal(await status(id), PENDING);
    sdk.host.clock.advance(61_000);
    await sdk.reaches(id, ({ runtimeStatus }) => runtimeStatus === SUSPENDED);
    await sdk.client.resumeOrchestration(id);
    await sdk.client.raiseOrchestrationEvent(id, 'Go', 4);
    assert.equal((await sdk.ended(id)).serializedOutput, '4');
  });

  // [wp 3.3-scheduled]
  it('leave a scheduled start pending until its time', async () => {
    const startAt = new Date(sdk.host.clock.now() + 60_000);
    const id = await sdk.start('Sleep', 0, { startAt });
    assert.equal(await status(id), PENDING);
    sdk.host.clock.advance(61_000);
    assert.equal((await sdk.ended(id)).runtimeStatus, COMPLETED);
  });

  it('start at once what is scheduled for the past', async () => {
    const startAt = new Date(sdk.host.clock.now() - 60_000);
    assert.equal(await sdk.output('Sleep', 0, { startAt }), 'awake');
  });

  // [wp 3.3-taken]
  it('refuse a second start of a live instance', async () => {
    const id = await sdk.running('Wait');
    await assert.rejects(sdk.start('Wait', undefined, { instanceId: id }), (error: Error) =>
      error.message.endsWith(`An Orchestration instance with the ID ${id} already exists.`),
    );
    await sdk.client.terminateOrchestration(id);
  });

  // [wp 3.3.1-default-terminal]
  it('allow a second start of an ended instance', async () => {
    const { instanceId } = await sdk.run('Sleep', 0);
    assert.equal(await sdk.output('Sleep', 0, { instanceId }), 'awake');
  });

  // [wp 3.4-missing]
  it('find no state of nobody', async () => {
    assert.equal(await sdk.client.getOrchestrationState(freshId('missing')), undefined);
  });

  // [wp 3.4-payloads]
  it('show payloads only to those who ask', async () => {
    const { instanceId } = await sdk.run('Sleep', 0);
    const bare = await sdk.client.getOrchestrationState(instanceId, false);
    assert.equal(bare?.serializedInput ?? '', '');
    assert.equal(bare?.serializedOutput ?? '', '');
    assert.equal((await sdk.state(instanceId)).serializedOutput, '"awake"');
  });
});

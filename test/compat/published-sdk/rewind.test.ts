import assert from 'node:assert/strict';
import {
  HistoryEventType,
  OrchestrationStatus,
  RetryPolicy,
  whenAll,
} from '@microsoft/durabletask-js';
import { freshId } from '../support/calls.ts';
import { publishedSdk } from '../support/published-sdk.ts';

const { COMPLETED, FAILED } = OrchestrationStatus;

describe('Rewind by the published SDK', function () {
  this.timeout(20_000);
  const sdk = publishedSdk();
  /** Instances whose work succeeds from now on. */
  const mended = new Set<string>();
  const runs = new Map<string, number>();

  sdk.activity('Work', (_, key: string) => {
    runs.set(key, (runs.get(key) ?? 0) + 1);
    if (!mended.has(key)) throw new Error(`${key} is broken`);
    return `${key} works`;
  });
  sdk.activity('Count', (_, key: string) => {
    runs.set(key, (runs.get(key) ?? 0) + 1);
    return key;
  });
  sdk.orchestrator('Steps', async function* (context, key: string) {
    const before = yield context.callActivity('Count', `${key}-before`);
    const work = yield context.callActivity('Work', key);
    return [before, work];
  });
  sdk.orchestrator(
    'Nested',
    async function* (context, { ids, key }: { ids: string[]; key: string }) {
      const [instanceId, ...rest] = ids;
      if (instanceId === undefined) return yield context.callActivity('Work', key);
      return yield context.callSubOrchestrator('Nested', { ids: rest, key }, { instanceId });
    },
  );

  async function failed(name: string, input: unknown): Promise<string> {
    const state = await sdk.run(name, input);
    assert.equal(state.runtimeStatus, FAILED);
    return state.instanceId;
  }

  async function rewound(id: string): Promise<unknown> {
    await sdk.client.rewindInstance(id, 'mended');
    const state = await sdk.ended(id);
    assert.equal(state.failureDetails, undefined);
    assert.equal(state.runtimeStatus, COMPLETED);
    return JSON.parse(state.serializedOutput ?? 'null');
  }

  // [wp 6.3-activity, 6.4-dispatch]
  it('runs a failed activity again, and only that', async () => {
    const key = freshId('key');
    const id = await failed('Steps', key);
    mended.add(key);
    assert.deepEqual(await rewound(id), [`${key}-before`, `${key} works`]);
    assert.deepEqual([runs.get(key), runs.get(`${key}-before`)], [2, 1]);
  });

  // [wp 6.4-twice]
  it('can be asked for twice', async () => {
    const key = freshId('key');
    const id = await failed('Steps', key);
    await sdk.client.rewindInstance(id, 'too early');
    assert.equal((await sdk.ended(id)).runtimeStatus, FAILED);
    mended.add(key);
    assert.deepEqual(await rewound(id), [`${key}-before`, `${key} works`]);
    assert.equal(runs.get(key), 3);
  });

  // [wp 6.4-children]
  it('goes down through failed children', async () => {
    const key = freshId('key');
    const ids = [freshId('child'), freshId('grandchild')];
    const id = await failed('Nested', { ids, key });
    mended.add(key);
    assert.equal(await rewound(id), `${key} works`);
    for (const child of ids) assert.equal((await sdk.state(child)).runtimeStatus, COMPLETED);
  });

  // [wp 6.4-purged-child]
  it('starts a purged child again', async () => {
    const key = freshId('key');
    const child = freshId('child');
    const id = await failed('Nested', { ids: [child], key });
    await sdk.client.purgeOrchestration(child);
    mended.add(key);
    assert.equal(await rewound(id), `${key} works`);
    assert.equal((await sdk.state(child)).runtimeStatus, COMPLETED);
  });

  sdk.orchestrator('Retry', async function* (context, key: string) {
    const retry = new RetryPolicy({ maxNumberOfAttempts: 2, firstRetryIntervalInMilliseconds: 5 });
    return yield context.callActivity('Work', key, { retry });
  });
  // [wp 6.3-retries]
  it('goes through retries that were used up', async () => {
    const key = freshId('key');
    const id = await failed('Retry', key);
    mended.add(key);
    assert.equal(await rewound(id), `${key} works`);
  });

  sdk.orchestrator('AfterTimer', async function* (context, key: string) {
    yield context.createTimer(0.01);
    const first = yield context.callActivity('Count', `${key}-first`);
    yield context.createTimer(0.01);
    return [first, yield context.callActivity('Work', key)];
  });
  // [wp 6.3-keeps]
  it('keeps timers and results that came before the failure', async () => {
    const key = freshId('key');
    const id = await failed('AfterTimer', key);
    mended.add(key);
    assert.deepEqual(await rewound(id), [`${key}-first`, `${key} works`]);
    assert.equal(runs.get(`${key}-first`), 1);
  });

  sdk.orchestrator('FanOut', async function* (context, keys: string[]) {
    return yield whenAll(keys.map((key) => context.callActivity('Work', key)));
  });
  it('runs again what failed in a fan-out', async () => {
    const keys = [freshId('a'), freshId('b'), freshId('c')];
    const [, broken = ''] = keys;
    for (const key of keys) if (key !== broken) mended.add(key);
    const id = await failed('FanOut', keys);
    mended.add(broken);
    assert.deepEqual(
      await rewound(id),
      keys.map((key) => `${key} works`),
    );
    assert.equal(runs.get(broken), 2);
  });

  sdk.orchestrator('Wait', async function* (context) {
    return yield context.waitForExternalEvent('Go');
  });
  // [wp 6.1-running, 6.1-other-terminal, 6.1-missing]
  it('is refused for what has not failed', async () => {
    const live = await sdk.running('Wait');
    await assert.rejects(sdk.client.rewindInstance(live, 'no'), /not allow|precondition|running/i);
    await sdk.client.terminateOrchestration(live);
    await sdk.ended(live);
    await assert.rejects(sdk.client.rewindInstance(live, 'no'), /TERMINATED/);
    await assert.rejects(sdk.client.rewindInstance(freshId('missing'), 'no'));
  });

  // [wp 6.3-rewound-event, 6.3-execution-id]
  it('leaves its mark in the history, with a new execution id', async () => {
    const key = freshId('key');
    const id = await failed('Steps', key);
    const before = await sdk.history(id);
    mended.add(key);
    await rewound(id);
    const after = await sdk.history(id);
    assert.ok(after.some(({ type }) => type === HistoryEventType.ExecutionRewound));
    assert.ok(!after.some(({ type }) => type === HistoryEventType.TaskFailed));
    const execution = (events: typeof after): string | undefined =>
      events.flatMap((event) =>
        event.type === HistoryEventType.ExecutionStarted
          ? [event.orchestrationInstance?.executionId]
          : [],
      )[0];
    assert.match(execution(after) ?? '', /^[0-9a-f]{32}$/);
    assert.notEqual(execution(after), execution(before));
  });
});

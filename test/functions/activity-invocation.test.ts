import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import type { ActivityHandler } from '../../src/index.ts';
import { app } from '../../src/index.ts';
import { systemIds } from '../../src/base/ids.ts';
import { activityInvoker } from '../../src/functions/activity-invocation.ts';

function invoke(handler: ActivityHandler, serializedInput?: string): Promise<string | undefined> {
  return activityInvoker(
    handler,
    systemIds,
  )({
    name: 'sayHello',
    version: undefined,
    instanceId: 'abc',
    taskId: 1,
    serializedInput,
    tags: {},
    traceParent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    traceState: undefined,
    signal: new AbortController().signal,
  });
}

describe('activityInvoker', () => {
  afterEach(() => {
    app.setExceptionPropertiesProvider(undefined);
  });

  it('gives the handler its input and an invocation context', async () => {
    const result = await invoke(
      (input: unknown, context) => [
        input,
        context instanceof azureFunctions.InvocationContext,
        context.functionName,
        context.triggerMetadata?.['instanceId'],
        context.traceContext?.traceParent?.slice(0, 2),
      ],
      '{"city":"Tokyo"}',
    );

    assert.deepEqual(JSON.parse(result ?? ''), [{ city: 'Tokyo' }, true, 'sayHello', 'abc', '00']);
  });

  it('waits for an asynchronous handler', async () => {
    assert.equal(await invoke(async (input: unknown) => input, '1'), '1');
  });

  it('has no result when the handler returns nothing', async () => {
    assert.equal(await invoke(() => undefined), undefined);
  });

  it('lets the error of the handler through', async () => {
    const error = new RangeError('too far');

    await assert.rejects(
      invoke(() => {
        throw error;
      }),
      (thrown) => thrown === error,
    );
  });

  it("adds the facts of the app's provider to the error", async () => {
    app.setExceptionPropertiesProvider({ getExceptionProperties: () => ({ retryAfter: 5 }) });

    await assert.rejects(
      invoke(() => {
        throw new RangeError('too far');
      }),
      { name: 'RangeError', message: 'too far', properties: { retryAfter: 5 } },
    );
  });

  it('does not let a broken provider hide the error', async () => {
    app.setExceptionPropertiesProvider({
      getExceptionProperties: () => {
        throw new Error('broken provider');
      },
    });

    await assert.rejects(
      invoke(() => {
        throw new RangeError('too far');
      }),
      { message: 'too far' },
    );
  });
});

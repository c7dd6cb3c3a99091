import assert from 'node:assert/strict';
import { InvocationContext } from '@azure/functions';
import { createCoreModule, createCoreState } from '../../src/devhost/core-module.ts';
import type { CoreHook, CoreModule } from '../../src/functions/core-module.ts';
import {
  callWithHooks,
  hasInvocationHooks,
  wrapRegisterHook,
} from '../../src/functions/invocation-hooks.ts';
import { durableRegistry } from '../../src/functions/registry.ts';

type Hook = Parameters<CoreModule['registerHook']>[1];

describe('the hooks of an app', () => {
  const state = createCoreState();
  let core: CoreModule;
  beforeEach(() => {
    durableRegistry().state.clear();
    core = createCoreModule(state, { log: () => undefined }) as CoreModule;
    wrapRegisterHook(core);
    wrapRegisterHook(core);
  });
  afterEach(() => {
    durableRegistry().state.clear();
    for (const hooks of Object.values(state.hooks)) hooks.length = 0;
  });

  function hook(name: string, callback: Hook): { dispose: () => void } {
    return core.registerHook(name, callback) as { dispose: () => void };
  }

  const context = new InvocationContext({ functionName: 'f', invocationId: '1' });
  const call = (
    callback: (...args: never[]) => unknown,
    inputs: unknown[] = [],
  ): Promise<unknown> => callWithHooks({ context, inputs, callback });

  it('reach the host as well, and us until they are disposed of', () => {
    const before = hook('preInvocation', () => undefined);
    const after = hook('postInvocation', () => undefined);
    hook('log', () => undefined);

    assert.equal(state.hooks.preInvocation.length, 1);
    assert.equal(hasInvocationHooks(), true);
    before.dispose();
    after.dispose();
    assert.equal(hasInvocationHooks(), false);
    assert.equal(state.hooks.preInvocation.length, 0);
  });

  it('see the context, share their data, and may change inputs and function', async () => {
    const appHookData = { app: 1 };
    for (const start of state.hooks.appStart) await start({ appHookData });
    const seen: unknown[] = [];
    hook('preInvocation', (given) => {
      const each = given as { inputs: unknown[]; functionCallback: unknown };
      Object.assign(given['hookData'] as object, { own: 1 });
      each.inputs = ['changed'];
      each.functionCallback = (input: unknown, last: unknown) => [input, last === context];
    });
    hook('postInvocation', (given) => {
      seen.push(given['result'], given['hookData'], given['appHookData'], given['inputs']);
      seen.push(given['invocationContext'] === context, given['error']);
    });

    const result = await call(() => 'never', ['given']);

    assert.deepEqual(result, ['changed', true]);
    assert.deepEqual(seen, [
      ['changed', true],
      { own: 1 },
      appHookData,
      ['changed'],
      true,
      undefined,
    ]);
  });

  it('may turn a failure into a result, and a result into a failure', async () => {
    const flip: CoreHook = (given) => {
      const each = given as { result: unknown; error: unknown };
      const { error } = each;
      each.error = error === undefined ? new Error('flipped') : undefined;
      each.result = error;
    };
    hook('postInvocation', flip);

    await assert.rejects(
      call(() => 1),
      { message: 'flipped' },
    );
    const boom = new Error('boom');
    const result = await call(() => {
      throw boom;
    });
    assert.equal(result, boom);
  });

  it('fail the call when they throw, before or after it', async () => {
    const calls: string[] = [];
    const before = hook('preInvocation', () => {
      throw new Error('before');
    });
    await assert.rejects(
      call(() => calls.push('called')),
      { message: 'before' },
    );
    before.dispose();
    hook('postInvocation', () => {
      throw new Error('after');
    });
    await assert.rejects(
      call(() => calls.push('called')),
      { message: 'after' },
    );

    assert.deepEqual(calls, ['called']);
  });

  it('do not hide what a function throws, whatever it is', async () => {
    for (const thrown of ['text', undefined, null]) {
      await assert.rejects(
        call(() => {
          // eslint-disable-next-line @typescript-eslint/only-throw-error -- as careless apps do
          throw thrown;
        }),
        (error) => String(error).includes(String(thrown)),
      );
    }
  });
});

import assert from 'node:assert/strict';
import { createCoreModule, createCoreState } from '../../src/devhost/core-module.ts';
import type { CoreState } from '../../src/devhost/core-module.ts';
import type { FunctionMetadata } from '../../src/devhost/core-types.ts';

interface Disposable {
  dispose(): void;
}

interface Core {
  readonly version: string;
  readonly hostVersion: string;
  readonly Disposable: {
    new (dispose: () => void): Disposable;
    from(...items: Disposable[]): Disposable;
  };
  registerFunction(metadata: FunctionMetadata, callback: () => void): Disposable;
  registerHook(name: string, callback: () => void): Disposable;
  setProgrammingModel(model: object): void;
  getProgrammingModel(): object | undefined;
  log(level: string, category: string, message: string): void;
}

function openCore(): { core: Core; state: CoreState; logged: unknown[] } {
  const state = createCoreState();
  const logged: unknown[] = [];
  const core = createCoreModule(state, { log: (...args) => logged.push(args) }) as Core;
  return { core, state, logged };
}

const METADATA: FunctionMetadata = { name: 'f', bindings: {} };
const nothing = (): void => undefined;

describe('core module of the dev host', () => {
  it('registers functions until the app has started', () => {
    const { core, state } = openCore();
    core.registerFunction(METADATA, nothing);
    state.isLocked = true;
    assert.throws(() => core.registerFunction({ ...METADATA, name: 'g' }, nothing), {
      message: 'A function can only be registered during app startup.',
      isAzureFunctionsSystemError: true,
    });
    assert.throws(() => {
      core.setProgrammingModel({});
    }, /can only be set during app startup/);
    assert.deepEqual([...state.functions.keys()], ['f']);
  });

  it('refuses a second function of the same id', () => {
    const { core } = openCore();
    core.registerFunction(METADATA, nothing);
    assert.throws(() => core.registerFunction(METADATA, nothing), {
      message: 'A function with id "f" has already been registered.',
    });
    core.registerFunction({ ...METADATA, functionId: 'other' }, nothing);
  });

  it('forgets a function whose registration is disposed of, during startup only', () => {
    const { core, state } = openCore();
    const kept = core.registerFunction({ ...METADATA, name: 'kept' }, nothing);
    core.registerFunction(METADATA, nothing).dispose();
    state.isLocked = true;
    assert.throws(() => {
      kept.dispose();
    }, /can only be disposed during app startup/);
    assert.deepEqual([...state.functions.keys()], ['kept']);
  });

  it('registers hooks in order and forgets those disposed of', () => {
    const { core, state } = openCore();
    const [first, second] = [(): void => undefined, (): void => undefined];
    core.registerHook('appStart', first);
    const registered = core.registerHook('appStart', second);
    assert.deepEqual(state.hooks.appStart, [first, second]);
    registered.dispose();
    registered.dispose();
    assert.deepEqual(state.hooks.appStart, [first]);
  });

  it('refuses a hook that it does not know with a RangeError of the worker', () => {
    const { core } = openCore();
    assert.throws(() => core.registerHook('whenever', nothing), {
      name: 'RangeError',
      message: 'Unrecognized hook "whenever"',
      isAzureFunctionsSystemError: true,
    });
  });

  it('keeps the programming model, passes logs on and has the versions that the library wants', () => {
    const { core, logged } = openCore();
    const model = {};
    core.setProgrammingModel(model);
    core.log('debug', 'system', 'text');
    assert.equal(core.getProgrammingModel(), model);
    assert.deepEqual(logged, [['debug', 'system', 'text']]);
    assert.match(core.version, /^3\.\d+\.\d+$/);
    assert.match(core.hostVersion, /^4\.10\d\d\.\d+$/);
  });

  it('has a Disposable that disposes of several others', () => {
    const { core } = openCore();
    const done: string[] = [];
    const one = new core.Disposable(() => done.push('one'));
    const two = new core.Disposable(() => done.push('two'));
    core.Disposable.from(one, two).dispose();
    assert.deepEqual(done, ['one', 'two']);
  });
});

import assert from 'node:assert/strict';
import { createCoreModule, createCoreState } from '../../src/devhost/core-module.ts';
import type { CoreModule, CoreFunctionMetadata } from '../../src/functions/core-module.ts';
import { wrapRegisterFunction } from '../../src/functions/registration-wrap.ts';
import { durableRegistry } from '../../src/functions/registry.ts';

const HTTP = {
  httpTrigger1: { type: 'httpTrigger', direction: 'in', name: 'httpTrigger1' },
  $return: { type: 'http', direction: 'out', name: '$return' },
};
const CLIENT = { type: 'durableClient', direction: 'in', name: 'durableClientInput1' };

function openHost(): { core: CoreModule; seenByHost: () => CoreFunctionMetadata[] } {
  const state = createCoreState();
  const core = createCoreModule(state, { log: () => undefined }) as CoreModule;
  wrapRegisterFunction(core);
  const seenByHost = (): CoreFunctionMetadata[] =>
    [...state.functions.values()].map(({ metadata }) => metadata as CoreFunctionMetadata);
  return { core, seenByHost };
}

describe('wrapRegisterFunction', () => {
  afterEach(() => {
    durableRegistry().orchestrators.clear();
    durableRegistry().activities.clear();
    durableRegistry().entities.clear();
  });

  it('takes durable client inputs out of what the host sees', () => {
    const { core, seenByHost } = openHost();
    const bindings = { ...HTTP, durableClientInput1: CLIENT };

    core.registerFunction({ name: 'start', bindings }, () => undefined);

    assert.deepEqual(seenByHost(), [{ name: 'start', bindings: HTTP }]);
  });

  it('takes the older orchestrationClient input out too, in any case', () => {
    const { core, seenByHost } = openHost();
    const old = { type: 'OrchestrationClient', direction: 'in', name: 'starter' };

    core.registerFunction({ name: 'start', bindings: { ...HTTP, starter: old } }, () => undefined);

    assert.deepEqual(seenByHost(), [{ name: 'start', bindings: HTTP }]);
  });

  it('passes any other function on as it is', () => {
    const { core, seenByHost } = openHost();
    const metadata = { name: 'plain', bindings: HTTP, retryOptions: { maxRetryCount: 1 } };

    core.registerFunction(metadata, () => undefined);

    assert.equal(seenByHost()[0], metadata);
  });

  it('keeps an orchestration from the host and registers it', () => {
    const { core, seenByHost } = openHost();
    const orchestrator = function* () {
      yield undefined;
    };
    const trigger = { type: 'orchestrationTrigger', direction: 'in', name: 'context' };

    core.registerFunction({ name: 'wrapped-o', bindings: { context: trigger } }, orchestrator);

    assert.deepEqual(seenByHost(), []);
    assert.equal(durableRegistry().orchestrators.get('wrapped-o'), orchestrator);
  });

  it('keeps an activity from the host and registers it, client input or not', () => {
    const { core, seenByHost } = openHost();
    const handler = (): string => 'done';
    const trigger = { type: 'activityTrigger', direction: 'in', name: 'input' };

    core.registerFunction({ name: 'a', bindings: { input: trigger, client: CLIENT } }, handler);

    assert.deepEqual(seenByHost(), []);
    assert.equal(durableRegistry().activities.get('a'), handler);
  });

  it('refuses an activity with an input that only a host could fill', () => {
    const { core } = openHost();
    const trigger = { type: 'activityTrigger', direction: 'in', name: 'input' };
    const blob = { type: 'blob', direction: 'in', name: 'blobInput1' };

    assert.throws(
      () =>
        core.registerFunction({ name: 'a', bindings: { input: trigger, blob } }, () => undefined),
      /Activity "a" has the extra input "blobInput1" of type "blob".*remove it from extraInputs/,
    );
  });

  it('refuses an orchestration that the published durable-functions has wrapped', () => {
    const { core } = openHost();
    const trigger = { type: 'orchestrationTrigger', direction: 'in', name: 'context' };

    assert.throws(
      () => core.registerFunction({ name: 'o', bindings: { context: trigger } }, () => undefined),
      /registered by another copy of durable-functions.*durabletask-scheduler\/register/,
    );
  });

  it('keeps an entity from the host and registers it', () => {
    const { core, seenByHost } = openHost();
    const trigger = { type: 'entityTrigger', direction: 'in', name: 'context' };
    const entity = (): void => undefined;

    core.registerFunction({ name: 'Counter', bindings: { context: trigger } }, entity);

    assert.deepEqual(seenByHost(), []);
    assert.equal(durableRegistry().entities.get('Counter'), entity);
  });

  it('refuses an entity that another copy of durable-functions has wrapped', () => {
    const { core } = openHost();
    const trigger = { type: 'entityTrigger', direction: 'in', name: 'context' };
    const wrapped = (entityTrigger: never, context: never): unknown => [entityTrigger, context];

    assert.throws(
      () => core.registerFunction({ name: 'e', bindings: { context: trigger } }, wrapped),
      /Entity "e" was registered by another copy of durable-functions.*app\.entity/,
    );
  });

  it('refuses a second durable function of the same name', () => {
    const { core } = openHost();
    const trigger = { type: 'activityTrigger', direction: 'in', name: 'input' };
    const register = (): unknown =>
      core.registerFunction({ name: 'twice', bindings: { input: trigger } }, () => undefined);
    register();

    assert.throws(register, /"twice" is registered twice.*rename one of them/);
  });

  it('refuses a name that differs only in case: a host does not tell them apart', () => {
    const { core } = openHost();
    const trigger = { type: 'activityTrigger', direction: 'in', name: 'input' };
    const register = (name: string): unknown =>
      core.registerFunction({ name, bindings: { input: trigger } }, () => undefined);
    register('SayHello');

    assert.throws(() => register('sayhello'), /"sayhello" is registered twice/);
  });

  it('wraps a core once, however often it is asked to', () => {
    const { core } = openHost();
    const { registerFunction } = core;

    wrapRegisterFunction(core);

    assert.equal(core.registerFunction, registerFunction);
  });
});

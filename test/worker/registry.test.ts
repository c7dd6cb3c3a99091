import assert from 'node:assert/strict';
import { Registry } from '../../src/worker/registry.ts';

const invoke = (): Promise<undefined> => Promise.resolve(undefined);

describe('Registry', () => {
  it('prefers the registration of that very version to the one for every version', () => {
    const registry = new Registry();
    const general = { name: 'A', version: undefined, invoke };
    const second = { name: 'A', version: '2', invoke };
    registry.addActivity(general);
    registry.addActivity(second);

    assert.equal(registry.findActivity('A', '2'), second);
    assert.equal(registry.findActivity('A', '1'), general);
    assert.equal(registry.findActivity('A'), general);
    assert.equal(registry.findActivity('a'), undefined);
  });

  it('finds nothing for a version that only others are registered for', () => {
    const registry = new Registry();
    registry.addActivity({ name: 'A', version: '2', invoke });

    assert.equal(registry.findActivity('A', '1'), undefined);
    assert.equal(registry.findActivity('A'), undefined);
  });

  it('refuses a name that is taken and a name that is empty', () => {
    const registry = new Registry();
    registry.addActivity({ name: 'A', version: undefined, invoke });
    registry.addActivity({ name: 'A', version: '1', invoke });

    assert.throws(() => registry.addActivity({ name: 'A', version: '1', invoke }), {
      code: 'INVALID_ARGUMENT',
      message: "An activity named 'A' with version '1' already exists",
    });
    assert.throws(() => registry.addActivity({ name: '', version: undefined, invoke }), {
      message: 'A non-empty activity name is required',
    });
  });

  it('compares names without case when it is told so, and keeps them as they were written', () => {
    const registry = new Registry({ ignoresCase: true });
    const registration = { name: 'SayHello', version: undefined, invoke };
    registry.addActivity(registration);

    assert.equal(registry.findActivity('sayHELLO', '1'), registration);
    assert.deepEqual(registry.activityFilters(), [{ name: 'SayHello', versions: [] }]);
    assert.throws(() => registry.addActivity({ ...registration, name: 'sayhello' }), {
      message: "An activity named 'sayhello' already exists",
    });
  });
});

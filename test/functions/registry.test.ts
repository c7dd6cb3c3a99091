import assert from 'node:assert/strict';
import {
  durableRegistry,
  hasOrchestrator,
  registerOrchestrator,
} from '../../src/functions/registry.ts';

describe('the registry of durable functions', () => {
  afterEach(() => {
    durableRegistry().orchestrators.delete('HelloCities');
  });

  it('knows an orchestrator by its name in any case, as a host does', () => {
    registerOrchestrator('HelloCities', () => 1, { isHosted: false });

    const known = ['HelloCities', 'hellocities', 'HELLOcities', 'Hello'].map(hasOrchestrator);

    assert.deepEqual(known, [true, true, true, false]);
  });
});

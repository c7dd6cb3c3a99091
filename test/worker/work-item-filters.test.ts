import assert from 'node:assert/strict';
import { coreStyle } from '../../src/worker/core-style.ts';
import { Registry } from '../../src/worker/registry.ts';
import type { VersioningOptions } from '../../src/worker/versioning.ts';
import { resolveVersioning, VersionMatchStrategy } from '../../src/worker/versioning.ts';
import { encodeFilters } from '../../src/worker/work-item-filters.ts';

function registryOf(
  orchestrators: readonly (readonly [string, string?])[],
  activities: readonly (readonly [string, string?])[],
): Registry {
  const registry = new Registry();
  for (const [name, version] of orchestrators) {
    registry.addOrchestrator({ ...coreStyle(undefined), name, version, handler: () => 1 });
  }
  for (const [name, version] of activities) {
    registry.addActivity({ name, version, invoke: () => Promise.resolve(undefined) });
  }
  return registry;
}

function auto(registry: Registry, options: VersioningOptions = {}) {
  return encodeFilters('auto', { registry, versioning: resolveVersioning(options) });
}

describe('encodeFilters', () => {
  const registry = registryOf(
    [['Any'], ['One', '1'], ['Both', '1'], ['Both', '2'], ['Mixed'], ['Mixed', '2']],
    [['Act'], ['Old', '1']],
  );

  it('asks for everything when there are no filters', () => {
    assert.equal(
      encodeFilters(undefined, { registry, versioning: resolveVersioning() }),
      undefined,
    );
  });

  it('asks for what is registered, with its versions', () => {
    assert.deepEqual(auto(registry), {
      orchestrations: [
        { name: 'Any', versions: [] },
        { name: 'One', versions: ['1'] },
        { name: 'Both', versions: ['1', '2'] },
        { name: 'Mixed', versions: [] },
      ],
      activities: [
        { name: 'Act', versions: [] },
        { name: 'Old', versions: ['1'] },
      ],
      entities: [],
    });
  });

  it('asks for orchestrations of its own version alone when the match is strict', () => {
    const strict = auto(registry, { version: '2', matchStrategy: VersionMatchStrategy.Strict });

    assert.deepEqual(strict?.orchestrations, [
      { name: 'Any', versions: ['2'] },
      { name: 'Both', versions: ['2'] },
      { name: 'Mixed', versions: ['2'] },
    ]);
    assert.deepEqual(strict.activities, auto(registry)?.activities);
  });

  it('sends filters of the caller as they are, and nothing of a kind that is left out', () => {
    const filters = { orchestrations: [{ name: 'A' }, { name: 'B', versions: ['', '1'] }] };

    assert.deepEqual(encodeFilters(filters, { registry, versioning: resolveVersioning() }), {
      orchestrations: [
        { name: 'A', versions: [] },
        { name: 'B', versions: ['', '1'] },
      ],
      activities: [],
      entities: [],
    });
  });

  it('asks for entities by name alone, in lower case', () => {
    const own = registryOf([], []);
    own.addEntity('Counter', () => ({ run: () => undefined }));

    assert.deepEqual(auto(own)?.entities, [{ name: 'counter' }]);
    assert.deepEqual(
      encodeFilters(
        { entities: [{ name: 'Cart' }] },
        { registry: own, versioning: resolveVersioning() },
      )?.entities,
      [{ name: 'cart' }],
    );
  });
});

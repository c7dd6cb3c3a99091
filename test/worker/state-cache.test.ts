import assert from 'node:assert/strict';
import { StateCache } from '../../src/worker/state-cache.ts';

describe('StateCache', () => {
  it('gives a state under its own name only', () => {
    const cache = new StateCache(10_000);
    cache.put('@a@1', 'n1', '1');

    assert.equal(cache.get('@a@1', 'n1'), '1');
    assert.equal(cache.get('@a@1', 'n2'), undefined);
    assert.equal(cache.get('@a@2', 'n1'), undefined);
  });

  it('keeps the last state of an entity', () => {
    const cache = new StateCache(10_000);
    cache.put('@a@1', 'n1', '1');
    cache.put('@a@1', 'n2', '2');

    assert.deepEqual([cache.get('@a@1', 'n1'), cache.get('@a@1', 'n2')], [undefined, '2']);
  });

  it('keeps nothing of an entity without a state', () => {
    const cache = new StateCache(10_000);
    for (const none of [undefined, '']) {
      cache.put('@a@1', 'n1', '1');
      assert.equal(cache.put('@a@1', 'n2', none), false);
      assert.deepEqual([cache.get('@a@1', 'n1'), cache.bytes], [undefined, 0]);
    }
  });

  it('forgets the least recently used beyond its bytes', () => {
    const cache = new StateCache(6000);
    const state = 'x'.repeat(1000);
    for (const id of ['@a@1', '@a@2']) assert.equal(cache.put(id, 'n', state), true);
    cache.get('@a@1', 'n');
    cache.put('@a@3', 'n', state);

    const kept = ['@a@1', '@a@2', '@a@3'].filter((id) => cache.get(id, 'n') !== undefined);
    assert.deepEqual(kept, ['@a@1', '@a@3']);
    assert.ok(cache.bytes <= 6000);
  });

  it('does not keep a state that is larger than its bytes', () => {
    const cache = new StateCache(1000);
    cache.put('@a@1', 'n1', '1');

    assert.equal(cache.put('@a@1', 'n2', 'x'.repeat(1000)), false);
    assert.deepEqual([cache.get('@a@1', 'n2'), cache.bytes], [undefined, 0]);
  });

  it('drops a state only while it is the one of that name', () => {
    const cache = new StateCache(10_000);
    cache.put('@a@1', 'n1', '1');
    cache.put('@a@1', 'n2', '2');

    cache.drop('@a@1', 'n1');
    assert.equal(cache.get('@a@1', 'n2'), '2');
    cache.drop('@a@1', 'n2');
    assert.equal(cache.get('@a@1', 'n2'), undefined);
    assert.equal(cache.bytes, 0);
  });
});

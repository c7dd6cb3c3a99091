import assert from 'node:assert/strict';
import fc from 'fast-check';
import { RecentKeys } from '../../src/scheduler/recent-keys.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

describe('recent keys', () => {
  it('forget the oldest beyond their limit', () => {
    const keys = new RecentKeys(2);
    for (const key of ['a', 'b', 'c']) keys.add(key);
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => keys.has(key)),
      [false, true, true],
    );
  });

  it('count a key that is added again as new', () => {
    const keys = new RecentKeys(2);
    for (const key of ['a', 'b', 'a', 'c']) keys.add(key);
    assert.deepEqual(
      ['a', 'b', 'c'].map((key) => keys.has(key)),
      [true, false, true],
    );
  });

  it('can be told to forget', () => {
    const keys = new RecentKeys();
    keys.add('a');
    keys.delete('a');
    keys.delete('never added');
    assert.equal(keys.has('a'), false);
  });

  it('hold the last distinct keys, whatever was added', () => {
    const names = fc.array(fc.constantFrom(...NAMES), { maxLength: 30 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 5 }), (added, limit) => {
        const keys = new RecentKeys(limit);
        for (const key of added) keys.add(key);
        const last = [...new Set([...added].reverse())].slice(0, limit);
        for (const key of NAMES) {
          assert.equal(keys.has(key), last.includes(key), key);
        }
      }),
    );
  });
});

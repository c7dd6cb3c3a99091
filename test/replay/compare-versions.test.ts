import assert from 'node:assert/strict';
import { compareVersions as published } from '@microsoft/durabletask-js';
import fc from 'fast-check';
import { compareVersions } from '../../src/replay/compare-versions.ts';

const part = fc.oneof(fc.nat({ max: 12 }).map(String), fc.constantFrom('a', 'B', 'b', ''));
const version = fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.'));

describe('compareVersions', () => {
  it('orders like durabletask-js', () => {
    fc.assert(
      fc.property(version, version, (one, other) => {
        assert.equal(Math.sign(compareVersions(one, other)), Math.sign(published(one, other)));
      }),
    );
  });

  it('fills missing parts with zero and compares text without case', () => {
    assert.deepEqual(
      [
        compareVersions('1', '1.0.0.0'),
        compareVersions('1.0.1', '1'),
        compareVersions('1', '1.1'),
        compareVersions('b', 'A'),
        compareVersions('b', 'B'),
      ],
      [0, 1, -1, 1, 0],
    );
  });

  it('takes no version as the oldest', () => {
    assert.deepEqual(
      [
        compareVersions(undefined, ' '),
        compareVersions(undefined, '1'),
        compareVersions('1', undefined),
      ],
      [0, -1, 1],
    );
  });
});

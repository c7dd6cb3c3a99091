import assert from 'node:assert/strict';
import type { VersioningOptions } from '../../src/worker/versioning.ts';
import {
  onlyVersion,
  resolveVersioning,
  VersionFailureStrategy,
  VersionMatchStrategy,
  versionMismatch,
} from '../../src/worker/versioning.ts';

function matches(options: VersioningOptions, versions: readonly (string | undefined)[]): boolean[] {
  const versioning = resolveVersioning(options);
  return versions.map((version) => versionMismatch(versioning, version) === undefined);
}

describe('versioning', () => {
  const versions = [undefined, '', '1.9', '2.0', '2', '2.0.1', '10.0'];

  it('lets every version pass unless a strategy and a version say otherwise', () => {
    const all = versions.map(() => true);

    assert.deepEqual(matches({}, versions), all);
    assert.deepEqual(matches({ version: '2.0' }, versions), all);
    assert.deepEqual(matches({ matchStrategy: VersionMatchStrategy.Strict }, versions), all);
  });

  it('is strict about everything but the notation', () => {
    const options = { version: '2.0', matchStrategy: VersionMatchStrategy.Strict };

    assert.deepEqual(matches(options, versions), [false, false, false, true, true, false, false]);
  });

  it('takes current and older versions, and those without one', () => {
    const options = { version: '2.0', matchStrategy: VersionMatchStrategy.CurrentOrOlder };

    assert.deepEqual(matches(options, versions), [true, true, true, true, true, false, false]);
  });

  it('says which versions do not go together, as the published SDK does', () => {
    const strict = resolveVersioning({ version: '1', matchStrategy: VersionMatchStrategy.Strict });
    const older = resolveVersioning({
      version: '1',
      matchStrategy: VersionMatchStrategy.CurrentOrOlder,
    });

    assert.equal(
      versionMismatch(strict, '2'),
      "The orchestration version '2' does not match the worker version '1'.",
    );
    assert.equal(
      versionMismatch(older, '2'),
      "The orchestration version '2' is greater than the worker version '1'.",
    );
  });

  it('serves one version only when it is strict and has one', () => {
    const { Strict, CurrentOrOlder } = VersionMatchStrategy;
    const only = (options: VersioningOptions) => onlyVersion(resolveVersioning(options));

    assert.equal(only({ version: ' 1 ', matchStrategy: Strict }), '1');
    assert.equal(only({ matchStrategy: Strict }), undefined);
    assert.equal(only({ version: '1', matchStrategy: CurrentOrOlder }), undefined);
  });

  it('rejects by default, and refuses a strategy that does not exist', () => {
    assert.equal(resolveVersioning().failureStrategy, VersionFailureStrategy.Reject);
    assert.throws(() => resolveVersioning({ matchStrategy: 9 as never }), {
      message:
        'versioning.matchStrategy must be one of 0 (None), 1 (Strict), 2 (CurrentOrOlder), got 9',
    });
  });
});

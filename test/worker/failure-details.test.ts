import assert from 'node:assert/strict';
import { toJson } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import { decodeFailureDetails } from '../../src/client/failure-details.ts';
import { encodeFailure } from '../../src/worker/failure-details.ts';

describe('failure of an activity', () => {
  it('arrives at the client as it was thrown', () => {
    const error = Object.assign(new RangeError('outer', { cause: new TypeError('inner') }), {
      isNonRetriable: true,
      properties: { order: 5, nested: { list: [1, 'a', null] } },
    });

    const details = decodeFailureDetails(encodeFailure(error));

    assert.equal(details.errorType, 'RangeError');
    assert.equal(details.message, 'outer');
    assert.equal(details.stackTrace, error.stack);
    assert.equal(details.isNonRetriable, true);
    assert.equal(details.innerFailure?.errorType, 'TypeError');
    assert.deepEqual(details.properties, error.properties);
  });

  it('survives properties that JSON cannot hold', () => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;

    const failure = encodeFailure(Object.assign(new Error('e'), { properties: cycle }));

    assert.deepEqual(failure.properties, {});
  });

  it('takes no properties from what is no record', () => {
    for (const properties of ['text', 5, null, undefined, [1]]) {
      assert.deepEqual(encodeFailure(Object.assign(new Error('e'), { properties })).properties, {});
    }
  });

  it('drops only what JSON drops from properties', () => {
    const properties = { kept: 1, dropped: () => 1 };

    const failure = encodeFailure(Object.assign(new Error('e'), { properties }));

    const json = Object.entries(failure.properties).map(([key, value]) => [
      key,
      toJson(ValueSchema, value),
    ]);
    assert.deepEqual(json, [['kept', 1]]);
  });

  it('describes what is thrown without being an error', () => {
    assert.equal(encodeFailure('text').errorMessage, 'text');
  });
});

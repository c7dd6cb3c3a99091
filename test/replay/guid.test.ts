import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { classicGuid, coreGuid } from '../../src/replay/guid.ts';

const sha1 = (data: Uint8Array): Uint8Array => createHash('sha1').update(data).digest();
const AT = Date.UTC(2020, 0, 1);

describe('classicGuid', () => {
  it('gives the values of durable-functions', () => {
    assert.deepEqual(
      [classicGuid(`abc_${AT}_0`, sha1), classicGuid(`abc_${AT}_1`, sha1)],
      ['c79da3a3-18e4-5c7a-bf95-ce9b1b9ac5f1', 'ef9f8953-0715-53f9-add1-d9bf6bfc7b68'],
    );
  });
});

describe('coreGuid', () => {
  it('gives a version 5 UUID of the seed in the namespace of all SDKs', () => {
    const namespace = Buffer.from(
      '9e952958-5e33-4daf-827f-2fa12937b875'.replaceAll('-', ''),
      'hex',
    );
    const expected = sha1(Buffer.concat([namespace, Buffer.from('seed')]));

    const guid = coreGuid('seed', sha1);

    assert.match(guid, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(guid.slice(0, 8), Buffer.from(expected).toString('hex', 0, 4));
    assert.equal(guid.slice(-12), Buffer.from(expected).toString('hex', 10, 16));
  });
});

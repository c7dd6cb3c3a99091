import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodePageToken, encodePageToken } from '../../src/core/page-token.ts';

describe('page tokens', () => {
  it('read back as they were, whatever the order of the list', () => {
    const at = fc.maxSafeInteger();
    const token = fc.oneof(fc.tuple(at, at), fc.tuple(fc.string({ unit: 'binary' })));
    fc.assert(
      fc.property(token, (given) => {
        assert.deepEqual(decodePageToken(encodePageToken(given)), given);
      }),
    );
  });

  it('that are absent or empty are the first page', () => {
    assert.equal(decodePageToken(undefined), undefined);
    assert.equal(decodePageToken(''), undefined);
  });

  it('that are not ours are refused', () => {
    const hex = (text: string): string =>
      `p1.${Buffer.from(text, 'utf16le').swap16().toString('hex')}`;
    const wrong = [
      'nonsense',
      'p1.',
      'p1.zz',
      hex('{}'),
      hex('[1]'),
      hex('[1,"x"]'),
      hex('not json'),
    ];
    for (const text of [...wrong, hex('[1,2,3]'), hex('[0.5,1]')]) {
      assert.throws(() => decodePageToken(text), { code: 'INVALID_ARGUMENT' });
    }
  });
});

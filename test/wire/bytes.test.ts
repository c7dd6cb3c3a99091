import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  concat,
  fieldSize,
  joinFields,
  lengthDelimited,
  readVarint,
  utf8,
} from '../../src/wire/bytes.ts';

describe('hand-written protobuf', () => {
  it('writes fields that read back as they were, whatever their size', () => {
    const field = fc.record({
      number: fc.integer({ min: 1, max: 2 ** 20 }),
      size: fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 16_383, 16_384)),
    });
    fc.assert(
      fc.property(fc.array(field, { maxLength: 5 }), (fields) => {
        const given = fields.map(({ number, size }) => ({
          tag: lengthDelimited(number),
          bytes: new Uint8Array(size).fill(number),
        }));
        const joined = joinFields(given);
        assert.equal(
          joined.length,
          given.reduce((sum, one) => sum + fieldSize(one), 0),
        );
        let at = 0;
        for (const { tag, bytes } of given) {
          const readTag = readVarint(joined, at);
          const readLength = readVarint(joined, readTag.next);
          assert.equal(readTag.value, tag);
          at = readLength.next + readLength.value;
          assert.deepEqual(joined.slice(readLength.next, at), bytes);
        }
        assert.equal(at, joined.length);
      }),
    );
  });

  it('reads varints of ten bytes, as negative numbers take', () => {
    const minusOne = Uint8Array.of(...Array.from({ length: 9 }, () => 0xff), 1);
    assert.equal(readVarint(minusOne, 0).next, 10);
  });

  it('says so when bytes are cut off', () => {
    assert.throws(() => readVarint(Uint8Array.of(0x80), 0), RangeError);
    assert.throws(() => readVarint(new Uint8Array(), 0), RangeError);
  });

  it('puts parts together, a single one without copying', () => {
    const one = utf8('one');
    assert.equal(concat([one]), one);
    assert.deepEqual(concat([]), new Uint8Array());
    assert.deepEqual(concat([one, utf8('ü')]), utf8('oneü'));
  });
});

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DEFAULT_PAYLOAD_LIMITS, type PayloadKind } from '../../src/core/limits.ts';
import {
  assertInstanceId,
  assertName,
  assertPayload,
  assertTags,
  payloadProblem,
  textBytes,
} from '../../src/core/validation.ts';

function refuses(check: () => void, message: RegExp): void {
  assert.throws(check, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.match(error.message, message);
    return true;
  });
}

describe('assertInstanceId', () => {
  it('accepts printable ASCII of up to 100 characters', () => {
    const printable = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 100 });
    fc.assert(
      fc.property(printable, (id) => {
        fc.pre(!id.startsWith('@'));
        assertInstanceId(id);
      }),
    );
  });

  it('refuses an empty id, naming the field', () => {
    refuses(() => assertInstanceId('', 'newId'), /^newId must not be empty$/);
  });

  it('refuses more than 100 characters, with length and limit, the id shortened', () => {
    refuses(() => assertInstanceId('x'.repeat(101)), /x{40}…' has a length of 101 .* limit is 100/);
  });

  it('refuses characters outside printable ASCII', () => {
    for (const id of ['a\tb', 'ü', 'a\n', '\u007f', '😀']) {
      refuses(() => assertInstanceId(id), /printable ASCII/);
    }
  });

  it('refuses what marks an entity', () => {
    refuses(() => assertInstanceId('@counter@1'), /marks an entity/);
  });
});

describe('assertName', () => {
  it('accepts up to 1,000 characters of any kind', () => {
    assertName('ü'.repeat(1000), 'name');
  });

  it('refuses nothing, blanks and more than 1,000 characters', () => {
    refuses(() => assertName('', 'name'), /name must not be empty/);
    refuses(() => assertName('  ', 'name'), /name must not be empty/);
    refuses(() => assertName('x'.repeat(1001), 'name'), /1001 characters; the limit is 1000/);
  });
});

describe('assertTags', () => {
  it('accepts up to 1,000 bytes of JSON and refuses one more', () => {
    const key = 'k';
    const rest = JSON.stringify({ [key]: '' }).length;
    assertTags({ [key]: 'x'.repeat(1000 - rest) });
    refuses(() => assertTags({ [key]: 'x'.repeat(1001 - rest) }), /1001 bytes as JSON/);
  });

  it('counts bytes, not characters', () => {
    refuses(() => assertTags({ k: 'ü'.repeat(600) }), /12\d\d bytes/);
  });
});

describe('payload limits', () => {
  const limits = { ...DEFAULT_PAYLOAD_LIMITS, eventData: 10 };

  it('let a payload of exactly the limit through and refuse one byte more', () => {
    assertPayload('x'.repeat(10), 'eventData', limits);
    assertPayload('üüüüü', 'eventData', limits);
    assertPayload(undefined, 'eventData', limits);
    refuses(() => assertPayload('x'.repeat(11), 'eventData', limits), /11 bytes.*limit of 10/);
    refuses(() => assertPayload('üüüüüx', 'eventData', limits), /11 bytes/);
  });

  it('name kind, size, limit and setting, never the payload', () => {
    for (const kind of Object.keys(limits) as PayloadKind[]) {
      const message = payloadProblem('secret', kind, { ...limits, [kind]: 1 }) ?? '';
      assert.ok(message.includes(`payloadLimits.${kind}`));
      assert.ok(!message.includes('secret'));
    }
  });
});

describe('textBytes', () => {
  it('is the length in UTF-8, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        assert.equal(textBytes(text), Buffer.byteLength(text));
      }),
    );
  });

  it('counts a lone half of a pair as the replacement character', () => {
    for (const text of ['\ud800', '\udc00', '\ud800x', 'x\ud83d', '\ud83d\ude00']) {
      assert.equal(textBytes(text), Buffer.byteLength(text));
    }
  });
});

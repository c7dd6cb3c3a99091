import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  entityIdProblem,
  entityIdText,
  normalEntityId,
  parseEntityId,
  readEntityId,
} from '../../src/core/entity-id.ts';

describe('an entity id', () => {
  it('is cut at the second @, its name in lower case', () => {
    assert.deepEqual(parseEntityId('@Counter@a@B'), { name: 'counter', key: 'a@B' });
    assert.deepEqual(parseEntityId('@counter@'), { name: 'counter', key: '' });
  });

  it('has a name', () => {
    for (const text of ['', 'counter@a', '@counter', '@@a', '@', '@@'])
      assert.equal(parseEntityId(text), undefined, text);
  });

  it('is the same when read twice', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
    const key = fc.stringMatching(/^[\x20-\x7e]{0,40}$/);
    fc.assert(
      fc.property(name, key, (first, second) => {
        const once = readEntityId(`@${first}@${second}`);
        assert.equal(readEntityId(once), once);
        assert.equal(entityIdText({ name: first.toLowerCase(), key: second }), once);
      }),
    );
  });

  it('is refused with the rule that it breaks', () => {
    assert.match(entityIdProblem(`@a@${'k'.repeat(98)}`) ?? '', /length of 101 characters/);
    assert.match(entityIdProblem('@a@ü') ?? '', /printable ASCII/);
    assert.match(entityIdProblem('@a') ?? '', /names no entity; write '@name@key'/);
    assert.match(entityIdProblem('a', 'target') ?? '', /^target/);
    assert.equal(entityIdProblem(`@a@${'k'.repeat(97)}`), undefined);
    assert.throws(() => readEntityId('order-7'), { code: 'INVALID_ARGUMENT' });
  });

  it('is left as it is where it names no entity', () => {
    assert.equal(normalEntityId('Order'), 'Order');
    assert.equal(normalEntityId('@A@B'), '@a@B');
  });
});

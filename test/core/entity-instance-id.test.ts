import assert from 'node:assert/strict';
import { EntityInstanceId } from '../../src/core/entity-instance-id.ts';

describe('EntityInstanceId', () => {
  it('writes its name in lower case and keeps the key as it is', () => {
    const id = new EntityInstanceId('Counter', 'User@1');

    assert.deepEqual([id.name, id.key, String(id)], ['counter', 'User@1', '@counter@User@1']);
    assert.equal(JSON.stringify({ id }), '{"id":"@counter@User@1"}');
  });

  it('reads its own text, the key from the second @ on', () => {
    for (const text of ['@a@b', '@a@', '@a@b@c', '@a@@']) {
      assert.equal(EntityInstanceId.fromString(text).toString(), text);
    }
  });

  it('equals another id with the same name and key', () => {
    const id = new EntityInstanceId('a', 'b');

    assert.deepEqual(
      [new EntityInstanceId('A', 'b'), new EntityInstanceId('a', 'B'), null, undefined].map(
        (other) => id.equals(other),
      ),
      [true, false, false, false],
    );
  });

  it('is made of whatever names an entity', () => {
    const id = new EntityInstanceId('a', 'b');

    assert.equal(EntityInstanceId.of(id), id);
    assert.equal(EntityInstanceId.of('@A@b').toString(), '@a@b');
    assert.equal(EntityInstanceId.of({ name: 'A', key: 'b' }).toString(), '@a@b');
  });

  it('refuses what is none, with the texts of durabletask-js', () => {
    const texts: readonly [() => unknown, string][] = [
      [() => new EntityInstanceId('', 'k'), 'Entity name must not be empty.'],
      [() => new EntityInstanceId('a@b', 'k'), "Entity names may not contain '@' characters."],
      [
        () => new EntityInstanceId('a', undefined as never),
        'Entity key must not be null or undefined.',
      ],
      [() => new EntityInstanceId('a', null as never), 'Entity key must not be null or undefined.'],
      [() => EntityInstanceId.fromString(''), 'Instance ID must not be empty.'],
      [
        () => EntityInstanceId.fromString('a@b'),
        "Instance ID 'a@b' is not a valid entity ID. Must start with '@'.",
      ],
      [
        () => EntityInstanceId.fromString('@ab'),
        "Instance ID '@ab' is not a valid entity ID. Expected format: @name@key",
      ],
      [
        () => EntityInstanceId.fromString('@@b'),
        "Instance ID '@@b' is not a valid entity ID. Entity name is empty.",
      ],
    ];

    for (const [make, message] of texts) assert.throws(make, { message });
  });
});

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type { EntityContext } from 'durable-functions';
import { EntityId } from '../../src/functions/value-classes.ts';
import { runEntity } from '../../src/testing/index.ts';

interface TheirState {
  readonly results: readonly { readonly isError: boolean; readonly result?: string }[];
  readonly signals: readonly { readonly input?: unknown }[];
}

const require = createRequire(import.meta.url);
const { Entity } = require('durable-functions/lib/src/entities/Entity.js') as {
  Entity: new (handler: (context: EntityContext<number>) => void) => {
    handle(trigger: object, context: object): Promise<TheirState>;
  };
};

/** What durable-functions itself makes of one operation. */
function runTheirs(entity: (context: EntityContext<number>) => void): Promise<TheirState> {
  const batch = [{ id: '1', name: 'look', signal: false, input: '1' }];
  const trigger = { self: { name: 'a', key: 'b' }, exists: true, state: '1', batch };
  return new Entity(entity).handle(trigger, {});
}

describe('bugs of durable-functions in entities', () => {
  it('are gone for failures: theirs become an empty object', async () => {
    const fails = (): void => {
      throw new RangeError('too far');
    };

    const theirs = await runTheirs(fails);
    const ours = await runEntity(fails, { operations: [{ name: 'look' }] });

    assert.equal(theirs.results[0]?.result, '{}');
    assert.deepEqual(ours.results, [
      { isFailed: true, errorType: 'RangeError', message: 'too far' },
    ]);
  });

  it('are gone for falsy inputs of signals: theirs are dropped', async () => {
    const inputs = [0, false, ''];
    const signals = ({ df }: EntityContext<number>): void => {
      for (const input of inputs) df.signalEntity(new EntityId('c', 'd'), 'add', input);
    };

    const theirs = await runTheirs(signals);
    const ours = await runEntity(signals, { operations: [{ name: 'look' }] });

    assert.deepEqual(
      theirs.signals.map(({ input }) => input),
      ['', '', ''],
    );
    assert.deepEqual(
      ours.effects.map(({ input }) => input),
      inputs,
    );
  });
});

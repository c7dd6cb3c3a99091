import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readOperation } from '../../../src/functions/management/operation.ts';

describe('readOperation', () => {
  it('reads the status of an instance', () => {
    assert.deepEqual(readOperation('GET', 'instances/abc'), {
      kind: 'instance',
      operation: 'status',
      instanceId: 'abc',
      eventName: '',
    });
  });

  it('reads the verbs of an instance in any case', () => {
    const operations = ['terminate', 'Suspend', 'RESUME', 'rewind', 'reStart'].map((verb) => {
      const operation = readOperation('POST', `instances/abc/${verb}`);
      return operation?.kind === 'instance' && operation.operation;
    });

    assert.deepEqual(operations, ['terminate', 'suspend', 'resume', 'rewind', 'restart']);
  });

  it('reads an event with its name', () => {
    const operation = readOperation('POST', 'instances/abc/raiseEvent/My%20Event');

    assert.deepEqual(operation?.kind === 'instance' && operation.eventName, 'My Event');
  });

  it('reads a start with and without an instance id', () => {
    assert.deepEqual(readOperation('POST', 'orchestrators/Hello'), {
      kind: 'start',
      functionName: 'Hello',
      instanceId: undefined,
    });
    assert.deepEqual(readOperation('POST', 'orchestrators/Hello/abc'), {
      kind: 'start',
      functionName: 'Hello',
      instanceId: 'abc',
    });
  });

  it('gives any instance id back as it was encoded', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (instanceId) => {
        const path = `instances/${encodeURIComponent(instanceId)}/terminate`;
        const operation = readOperation('POST', path);
        assert.equal(operation?.kind === 'instance' && operation.instanceId, instanceId);
      }),
    );
  });

  it('reads what concerns all instances', () => {
    assert.deepEqual(readOperation('GET', 'instances'), { kind: 'list' });
    assert.deepEqual(readOperation('GET', 'Instances/'), { kind: 'list' });
    assert.deepEqual(readOperation('DELETE', 'instances'), { kind: 'purgeMany' });
  });

  it('reads what concerns one entity, or all', () => {
    const one = { kind: 'entity', name: 'Counter', key: 'a/b' };

    assert.deepEqual(readOperation('GET', 'Entities/Counter/a%2Fb'), { ...one, operation: 'read' });
    assert.deepEqual(readOperation('POST', 'entities/Counter/a%2Fb'), {
      ...one,
      operation: 'signal',
    });
    assert.deepEqual(readOperation('DELETE', 'entities/Counter/a%2Fb'), {
      ...one,
      operation: 'delete',
    });
    assert.deepEqual(readOperation('GET', 'entities'), { kind: 'entities', name: undefined });
    assert.deepEqual(readOperation('GET', 'entities/Counter'), {
      kind: 'entities',
      name: 'Counter',
    });
  });

  it('knows no other verb and no other path', () => {
    const unknown = [
      ['POST', 'instances/abc'],
      ['GET', 'instances/abc/terminate'],
      ['POST', 'instances/abc/explode'],
      ['POST', 'instances/abc/terminate/more'],
      ['POST', 'instances/abc/raiseEvent'],
      ['GET', 'orchestrators/Hello'],
      ['POST', 'orchestrators'],
      ['POST', 'orchestrators/Hello/abc/more'],
      ['GET', ''],
      ['GET', 'instances//abc'],
      ['GET', 'instances/%'],
      ['GET', 'elsewhere/abc'],
    ].filter(([method = '', path = '']) => readOperation(method, path) !== undefined);

    assert.deepEqual(unknown, []);
  });
});

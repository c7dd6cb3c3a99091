import assert from 'node:assert/strict';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { ask } from '../support/management.ts';

const MODIFIED_AT = timestampFromDate(new Date('2026-01-02T03:04:05.678Z'));
const entity = (changes: object = {}) => ({
  instanceId: '@counter@User 1',
  lastModifiedTime: MODIFIED_AT,
  serializedState: '{"n":1}',
  ...changes,
});

describe('the entity endpoints', () => {
  it('give the state of an entity', async () => {
    const { response, scheduler } = await ask(
      { path: 'entities/Counter/User%201' },
      { GetEntity: () => ({ exists: true, entity: entity() }) },
    );

    assert.deepEqual(response, { status: 200, jsonBody: { n: 1 } });
    assert.deepEqual(scheduler.requestsTo('GetEntity'), [
      { instanceId: '@counter@User 1', includeState: true },
    ]);
  });

  it('answer 404 for an entity without state', async () => {
    const missing = await ask({ path: 'entities/Counter/a' }, { GetEntity: () => ({}) });
    const locked = await ask(
      { path: 'entities/Counter/a' },
      { GetEntity: () => ({ exists: true, entity: entity({ serializedState: undefined }) }) },
    );

    assert.deepEqual([missing.response.status, locked.response.status], [404, 404]);
  });

  it('mean the empty key with $', async () => {
    const { scheduler } = await ask({ path: 'entities/Counter/$' });

    assert.equal(scheduler.requestsTo('GetEntity')[0]?.['instanceId'], '@counter@');
  });

  it('list entities page by page, with the token of the next in a header', async () => {
    const path =
      'entities/Counter?fetchState=true&top=2&lastOperationTimeFrom=2026-01-01T00:00:00Z' +
      '&lastOperationTimeTo=2026-02-01T00:00:00Z';
    const { response, scheduler } = await ask(
      { path, headers: { 'x-ms-continuation-token': 't1' } },
      { QueryEntities: () => ({ entities: [entity()], continuationToken: 't2' }) },
    );

    assert.deepEqual(response, {
      status: 200,
      headers: { 'x-ms-continuation-token': 't2' },
      jsonBody: [
        {
          entityId: { name: 'counter', key: 'User 1' },
          lastOperationTime: '2026-01-02T03:04:05Z',
          state: { n: 1 },
        },
      ],
    });
    assert.deepEqual(scheduler.requestsTo('QueryEntities'), [
      {
        query: {
          instanceIdStartsWith: '@counter@',
          lastModifiedFrom: timestampFromDate(new Date('2026-01-01T00:00:00Z')),
          lastModifiedTo: timestampFromDate(new Date('2026-02-01T00:00:00Z')),
          includeState: true,
          includeTransient: false,
          pageSize: 2,
          continuationToken: 't1',
        },
      },
    ]);
  });

  it('list entities of every name, without their state unless asked', async () => {
    const { response, scheduler } = await ask(
      { path: 'entities' },
      { QueryEntities: () => ({ entities: [entity({ serializedState: undefined })] }) },
    );

    const [body] = response.jsonBody as object[];
    assert.deepEqual(Object.keys(body ?? {}), ['entityId', 'lastOperationTime']);
    const query = scheduler.requestsTo('QueryEntities')[0]?.['query'] as Record<string, unknown>;
    assert.deepEqual([query['instanceIdStartsWith'], query['includeState']], [undefined, false]);
  });

  it('signal an operation with JSON, with any other text as a string, or with nothing', async () => {
    const json = { 'content-type': 'application/json; charset=utf-8' };
    const asked = [
      { body: '{"n":0}', headers: json },
      { body: 'plain', headers: { 'content-type': 'text/plain' } },
      { body: '' },
    ];
    const inputs = await Promise.all(
      asked.map(async (init) => {
        const { response, scheduler } = await ask({
          method: 'POST',
          path: 'entities/Counter/a?op=add',
          ...init,
        });
        const [request] = scheduler.requestsTo('SignalEntity');
        return [response.status, request?.['instanceId'], request?.['name'], request?.['input']];
      }),
    );

    assert.deepEqual(inputs, [
      [202, '@counter@a', 'add', '{"n":0}'],
      [202, '@counter@a', 'add', '"plain"'],
      [202, '@counter@a', 'add', undefined],
    ]);
  });

  it('answer 400 to broken JSON, to no operation and to a name that none can have', async () => {
    const headers = { 'content-type': 'application/json' };
    const asked = [
      { path: 'entities/Counter/a?op=add', body: '{', headers },
      { path: 'entities/Counter/a' },
      { path: 'entities/a%40b/c?op=add' },
    ];
    const statuses = await Promise.all(
      asked.map(async (init) => (await ask({ method: 'POST', ...init })).response.status),
    );

    assert.deepEqual(statuses, [400, 400, 400]);
  });

  it('delete by signalling the operation delete', async () => {
    const { response, scheduler } = await ask({ method: 'DELETE', path: 'entities/Counter/a' });

    assert.equal(response.status, 202);
    assert.equal(scheduler.requestsTo('SignalEntity')[0]?.['name'], 'delete');
  });

  it('are not open to signed links, which are made for one instance', async () => {
    const { response } = await ask({ path: 'entities/Counter/a', isSigned: true });

    assert.equal(response.status, 401);
  });

  it('know no other verbs and paths', async () => {
    const asked = [
      { method: 'POST', path: 'entities/Counter' },
      { method: 'DELETE', path: 'entities' },
      { path: 'entities/Counter/a/b' },
      { method: 'PUT', path: 'entities/Counter/a' },
    ];
    const statuses = await Promise.all(
      asked.map(async (init) => (await ask(init)).response.status),
    );

    assert.deepEqual(statuses, [404, 404, 404, 404]);
  });
});

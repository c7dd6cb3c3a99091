import assert from 'node:assert/strict';
import {
  countSchema,
  facetsSchema,
  historySchema,
  hubsSchema,
  instanceSchema,
  namesSchema,
  problemSchema,
  rowPageSchema,
  summarySchema,
  waitingSchema,
  workersSchema,
} from '../../../../src/server/http/api/contract.ts';
import { ApiFixture, registerShop } from './api-fixture.ts';

const BASE = '/hubs/default/orchestrations';
const STRANGE_IDS = ['a:b+c', 'a/b', '..', '~', '100%', 'a%2Fb', 'a b', 'a?b#c', '[x]'];

describe('JSON API of orchestrations', () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open(registerShop);
  });
  after(() => api.close());

  const ended = (id: string) =>
    api.until(
      () => api.get(`${BASE}/~?id=${encodeURIComponent(id)}`, instanceSchema),
      ({ instance }) => instance.completedAt !== undefined,
    );

  it('starts one, shows it and lists it by every kind of filter', async () => {
    const id = await api.start({
      ...{ name: 'Order', id: 'order-1', version: '1.2' },
      ...{ input: '{"amount":5}', tags: { env: 'prod' } },
    });
    const { instance, sizes } = await ended(id);
    assert.equal(instance.status, 'Completed');
    assert.deepEqual(sizes, { input: 12, output: 11 });
    for (const query of [
      'id=order-*',
      'name=Order&version=1.2',
      'status=Completed,Failed',
      'tag=env%3Dprod&createdFrom=-1h',
      'sort=-completed&children=show',
    ]) {
      const page = await api.get(`${BASE}?${query}`, rowPageSchema);
      assert.ok(
        page.items.some((row) => row.id === id),
        query,
      );
    }
    const none = await api.get(`${BASE}?tag=env%3Dtest`, rowPageSchema);
    assert.deepEqual(none.items, []);
    assert.equal((await api.get(`${BASE}/count?tag=env`, countSchema)).count, 1);
    const { facets } = await api.get(`${BASE}/facets?id=order-1`, facetsSchema);
    assert.ok(facets.some(({ by, value }) => by === 'status' && value === 'Completed'));
  });

  it('pages in both directions and refuses a cursor of another list', async () => {
    for (let number = 0; number < 5; number += 1) {
      await ended(await api.start({ name: 'Order', id: `page-${number}`, input: '{"amount":1}' }));
    }
    const list = `${BASE}?id=page-*&sort=id&size=2`;
    const first = await api.get(list, rowPageSchema);
    const second = await api.get(`${list}&cursor=${first.next ?? ''}`, rowPageSchema);
    const back = await api.get(`${list}&cursor=${second.prev ?? ''}`, rowPageSchema);
    assert.deepEqual(
      [first, second, back].map(({ items }) => items.map(({ id }) => id)),
      [
        ['page-0', 'page-1'],
        ['page-2', 'page-3'],
        ['page-0', 'page-1'],
      ],
    );
    const other = await api.call('GET', `${BASE}?sort=created&cursor=${first.next ?? ''}`);
    assert.equal(other.status, 400);
    assert.match(other.text, /another filter/);
  });

  it('gives history page by page, payloads on demand, and all of it as a file', async () => {
    const id = await api.start({ name: 'Order', input: '{"amount":7}' });
    await ended(id);
    const all = await api.get(`${BASE}/${id}/history?payload=summary`, historySchema);
    assert.deepEqual(
      all.items.map(({ kind }) => kind),
      [
        ...['orchestratorStarted', 'executionStarted', 'taskScheduled'],
        ...['orchestratorStarted', 'taskCompleted', 'executionCompleted'],
      ],
    );
    const part = await api.get(`${BASE}/${id}/history?limit=4`, historySchema);
    const rest = await api.get(`${BASE}/${id}/history?after=${part.next ?? ''}`, historySchema);
    assert.deepEqual(
      [...part.items, ...rest.items].map(({ ref }) => ref),
      all.items.map(({ ref }) => ref),
    );
    const { ref, payloads } = all.items[1]!;
    assert.equal(payloads?.['input']?.preview, '{"amount":7}');
    const payload = await api.call('GET', `${BASE}/${id}/history/${ref}/payload/input`);
    assert.equal(payload.text, '{"amount":7}');
    assert.equal(payload.headers.get('content-type'), 'text/plain; charset=utf-8');
    const file = await api.call('GET', `${BASE}/${id}/history.json`);
    assert.equal((JSON.parse(file.text) as unknown[]).length, 6);
    const lines = await api.call('GET', `${BASE}/${id}/history.jsonl`);
    assert.deepEqual(
      lines.text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
      JSON.parse(file.text),
    );
    const output = await api.call('GET', `${BASE}/${id}/data/output?offset=1&length=7`);
    assert.equal(output.text, 'charged');
  });

  it('shows a failure with its type, and runs every action', async () => {
    const id = await api.start({ name: 'Order', id: 'failing', input: '{"amount":-1}' });
    assert.equal((await ended(id)).instance.status, 'Failed');
    const failure = await api.call('GET', `${BASE}/${id}/data/failure`);
    assert.match(failure.text, /cannot charge -1/);
    const { facets } = await api.get(`${BASE}/facets?status=Failed`, facetsSchema);
    assert.ok(facets.some(({ by }) => by === 'errorType'));

    const wait = await api.start({ name: 'Approval', id: 'wait' });
    const act = async (action: string, body: object = {}) =>
      (await api.call('POST', `${BASE}/${wait}/${action}`, body)).status;
    const until = (status: string) =>
      api.until(
        () => api.get(`${BASE}/${wait}`, instanceSchema),
        ({ instance }) => instance.status === status,
      );
    await until('Running');
    assert.equal(await act('suspend', { reason: 'looking' }), 202);
    await until('Suspended');
    assert.equal(await act('resume'), 202);
    await until('Running');
    assert.equal(await act('raise-event', { name: 'Approved', data: '"yes"' }), 202);
    await until('Completed');
    assert.equal(await act('rewind'), 409);
    assert.equal(await act('restart'), 202);
    await until('Running');
    assert.equal(await act('terminate', { reason: 'enough' }), 202);
    await until('Terminated');
    assert.equal(await act('force-terminate'), 409);
    assert.equal(await act('purge'), 202);
    assert.equal((await api.call('GET', `${BASE}/${wait}`)).status, 404);
  });

  it('says what an instance waits for, and who would take it', async () => {
    const other = '/hubs/other/orchestrations';
    assert.equal((await api.call('POST', other, { name: 'Order', id: 'lost' })).status, 201);
    const { items, otherHubs } = await api.get(`${other}/lost/waiting`, waitingSchema);
    assert.deepEqual(
      items.map(({ code, name }) => [code, name]),
      [['hub-has-no-worker', 'Order']],
    );
    assert.deepEqual(otherHubs, [{ hub: 'default', workers: 1 }]);
    const { counts, workers } = await api.get('/hubs/default/summary', summarySchema);
    assert.equal(workers, 1);
    assert.ok((counts.Completed?.count ?? 0) > 0);
    assert.equal((await api.get('/hubs/default/workers', workersSchema)).items.length, 1);
    const hubs = await api.get('/hubs', hubsSchema);
    assert.deepEqual(
      hubs.items.map(({ name }) => name),
      ['default', 'other'],
    );
    const names = await api.get('/hubs/default/names', namesSchema);
    assert.ok(names.items.some(({ name, isStored }) => name === 'Order' && isStored));
  });

  it('leads from a child to its parent, and folds children away in lists', async () => {
    const id = await api.start({ name: 'Parent', id: 'parent' });
    await ended(id);
    const { items } = await api.get(`${BASE}/${id}/children`, rowPageSchema);
    const [child] = items;
    assert.equal(child?.parentId, 'parent');
    const { ancestors } = await ended(child.id);
    assert.deepEqual(
      ancestors.map((row) => row.id),
      ['parent'],
    );
    const folded = await api.get(`${BASE}?name=Order&size=200`, rowPageSchema);
    assert.ok(!folded.items.some((row) => row.id === child.id));
    const shown = await api.get(`${BASE}?name=Order&size=200&children=only`, rowPageSchema);
    assert.deepEqual(
      shown.items.map((row) => row.id),
      [child.id],
    );
  });

  for (const strange of STRANGE_IDS) {
    it(`finds the instance '${strange}' by its id`, async () => {
      const id = await api.start({ name: 'Order', id: strange, input: '{"amount":1}' });
      assert.equal((await ended(id)).instance.id, strange);
      if (!/[/\\%]|^\.+$|^~$/.test(strange)) {
        const path = `${BASE}/${encodeURIComponent(strange)}`;
        assert.equal((await api.get(path, instanceSchema)).instance.id, strange);
      }
    });
  }

  it('answers what it refuses as a problem document', async () => {
    const problem = async (method: string, path: string, body?: unknown) => {
      const answer = await api.call(method, path, body);
      assert.equal(answer.headers.get('content-type'), 'application/problem+json');
      const { status, code } = problemSchema.parse(answer.json);
      assert.equal(status, answer.status);
      return [status, code];
    };
    assert.deepEqual(await problem('GET', '/hubs/none/summary'), [404, 'TASK_HUB_NOT_FOUND']);
    assert.deepEqual(await problem('GET', `${BASE}/none`), [404, 'INSTANCE_NOT_FOUND']);
    assert.deepEqual(await problem('GET', `${BASE}?stauts=Failed`), [400, 'INVALID_ARGUMENT']);
    assert.deepEqual(await problem('GET', `${BASE}?createdFrom=now`), [400, 'INVALID_ARGUMENT']);
    assert.deepEqual(await problem('POST', BASE, { nmae: 'x' }), [400, 'INVALID_ARGUMENT']);
  });
});

import assert from 'node:assert/strict';
import {
  cleanedSchema,
  entityPageSchema,
  entitySchema,
} from '../../../../src/server/http/api/entity-contract.ts';
import { ApiFixture, registerShop } from './api-fixture.ts';

const BASE = '/hubs/default/entities';

describe('JSON API of entities', () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open(registerShop);
    for (const key of ['a', 'b', 'c/d']) await signal(`@Counter@${key}`, 'add', '2');
    await api.start({ name: 'Locker', id: 'owner' });
  });
  after(() => api.close());

  const signal = async (id: string, operation: string, input?: string) => {
    const path = `${BASE}/~/signal?id=${encodeURIComponent(id)}`;
    const answer = await api.call('POST', path, { operation, input });
    assert.equal(answer.status, 202, answer.text);
  };
  const list = (query: string) => api.get(`${BASE}?${query}`, entityPageSchema);

  it('lists them by the beginning of their id, page by page', async () => {
    const whole = await api.until(
      () => list('prefix=@COUNTER@'),
      ({ items }) => items.length === 3,
    );
    assert.deepEqual(
      whole.items.map(({ id, name, key, statePreview }) => [id, name, key, statePreview]),
      [
        ['@counter@a', 'counter', 'a', '2'],
        ['@counter@b', 'counter', 'b', '2'],
        ['@counter@c/d', 'counter', 'c/d', '2'],
      ],
    );
    const first = await list('size=2');
    const second = await list(`size=2&cursor=${first.next ?? ''}`);
    assert.deepEqual([first.items.length, second.items.map(({ key }) => key)], [2, ['c/d']]);
    assert.deepEqual((await list('modifiedTo=-1h')).items, []);
    assert.equal((await api.call('GET', `${BASE}?cursor=x`)).status, 400);
  });

  it('shows the state, and who holds the lock', async () => {
    const one = await api.get(`${BASE}/${encodeURIComponent('@Counter@c/d')}`, entitySchema);
    assert.equal(one.entity.stateBytes, 1);
    const state = await api.call('GET', `${BASE}/~/state?id=@counter@a`);
    assert.deepEqual([state.status, state.text], [200, '2']);
    const locked = await api.until(
      () => api.call('GET', `${BASE}/@counter@locked`),
      ({ status }) => status === 200,
    );
    const { entity, owner } = entitySchema.parse(locked.json);
    assert.deepEqual([entity.lockedBy, owner?.status], ['owner', 'Running']);
    assert.equal((await api.call('GET', `${BASE}/@counter@locked/state`)).status, 404);
    assert.ok((await list('transient=true')).items.some(({ key }) => key === 'locked'));
  });

  it('forgets one whose state is deleted', async () => {
    await signal('@counter@gone', 'add');
    await api.until(
      () => api.call('GET', `${BASE}/@counter@gone`),
      ({ status }) => status === 200,
    );
    await signal('@counter@gone', 'delete');
    await api.until(
      () => api.call('GET', `${BASE}/@counter@gone`),
      ({ status }) => status === 404,
    );
  });

  it('leaves locks alone whose owner runs', async () => {
    const { json } = await api.call('POST', `${BASE}/clean`, {});
    assert.deepEqual(cleanedSchema.parse(json), { locksReleased: 0 });
  });

  it('refuses what names no entity, and a signal without operation', async () => {
    assert.equal((await api.call('GET', `${BASE}/plain`)).status, 400);
    assert.equal((await api.call('POST', `${BASE}/@a@b/signal`, {})).status, 400);
  });
});

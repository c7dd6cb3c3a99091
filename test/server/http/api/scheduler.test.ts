import assert from 'node:assert/strict';
import {
  bulkJobSchema,
  bulkResultsSchema,
  configSchema,
  instanceSchema,
  metricsSchema,
  retentionPreviewSchema,
  retentionSchema,
} from '../../../../src/server/http/api/contract.ts';
import { ApiFixture, registerShop } from './api-fixture.ts';

const BASE = '/hubs/default/orchestrations';

describe('JSON API of the scheduler', () => {
  let api: ApiFixture;
  before(async () => {
    api = await ApiFixture.open(registerShop);
  });
  after(() => api.close());

  const job = (id: string) =>
    api.until(
      () => api.get(`/hubs/default/bulk-jobs/${id}`, bulkJobSchema),
      ({ finishedAt }) => finishedAt !== undefined,
    );
  const startJob = async (body: object) => {
    const answer = await api.call('POST', '/hubs/default/bulk-jobs', body);
    assert.equal(answer.status, 202, answer.text);
    return bulkJobSchema.parse(answer.json).id;
  };

  it('acts on everything that matches, and says what it skipped', async () => {
    for (let number = 0; number < 5; number += 1) {
      await api.start({ name: 'Approval', id: `bulk-${number}`, tags: { batch: '7' } });
    }
    const id = await startJob({ action: 'terminate', filter: { tag: 'batch=7' } });
    const { state, done, total } = await job(id);
    assert.deepEqual([state, done, total], ['completed', 5, 5]);
    await api.until(
      () => api.get(`${BASE}/bulk-4`, instanceSchema),
      ({ instance }) => instance.status === 'Terminated',
    );
    const again = await startJob({ action: 'terminate', ids: ['bulk-0', 'bulk-1', 'none'] });
    const ended = await api.until(
      () => job(again),
      ({ skipped }) => skipped === 3,
    );
    assert.equal(ended.failed, 0);
    const path = `/hubs/default/bulk-jobs/${again}/results`;
    const { items } = await api.get(path, bulkResultsSchema);
    assert.deepEqual(items.map((item) => [item.id, item.code]).sort(), [
      ['bulk-0', 'WRONG_STATE'],
      ['bulk-1', 'WRONG_STATE'],
      ['none', 'INSTANCE_NOT_FOUND'],
    ]);
    const both = await api.call('POST', '/hubs/default/bulk-jobs', { action: 'purge' });
    assert.equal(both.status, 400);
  });

  it('leaves the rest of a cancelled job untouched', async () => {
    const ids = Array.from({ length: 5000 }, (_, number) => `missing-${number}`);
    const id = await startJob({ action: 'purge', ids });
    assert.equal((await api.call('POST', `/hubs/default/bulk-jobs/${id}/cancel`, {})).status, 200);
    const { state, skipped } = await job(id);
    assert.equal(state, 'cancelled');
    assert.ok(skipped < 5000);
  });

  it('shows and sets retention in the words of the product', async () => {
    const before = await api.get('/retention', retentionSchema);
    assert.deepEqual(before, { retentionPolicies: [{ retentionPeriodInDays: 30 }] });
    const policy = {
      retentionPolicies: [
        { retentionPeriodInDays: 7 },
        { retentionPeriodInDays: 90, orchestrationState: 'Failed' },
      ],
    };
    assert.equal((await api.call('PUT', '/retention', policy)).status, 200);
    assert.deepEqual(await api.get('/retention', retentionSchema), policy);
    const wrong = { retentionPolicies: [{ retentionPeriodInDays: 91 }] };
    assert.equal((await api.call('PUT', '/retention', wrong)).status, 400);
    assert.equal((await api.call('DELETE', '/retention')).status, 200);
    const after = await api.get('/retention', retentionSchema);
    assert.deepEqual(after.retentionPolicies, []);
  });

  it('tells what a policy would delete, and deletes nothing by that', async () => {
    for (const id of ['gone-1', 'gone-2']) {
      await api.start({ name: 'Order', id });
      await api.call('POST', `/hubs/default/orchestrations/${id}/force-terminate`, {});
    }
    const preview = async (...retentionPolicies: unknown[]) => {
      const { json } = await api.call('POST', '/retention/preview', { retentionPolicies });
      return retentionPreviewSchema
        .parse(json)
        .items.map(({ orchestrationState: state, count }) => [state, count]);
    };
    const terminated = (items: unknown[][]) => items.find(([state]) => state === 'Terminated')?.[1];
    const before = terminated(await preview({ retentionPeriodInDays: 0 }));
    assert.ok(Number(before) >= 2);
    assert.equal(terminated(await preview({ retentionPeriodInDays: 1 })), 0);
    const failedOnly = { retentionPeriodInDays: 0, orchestrationState: 'Failed' };
    assert.deepEqual(
      (await preview(failedOnly)).map(([state]) => state),
      ['Failed'],
    );
    assert.deepEqual(await preview(), []);
    const twice = { retentionPolicies: [failedOnly, failedOnly] };
    assert.equal((await api.call('POST', '/retention/preview', twice)).status, 400);
    assert.equal(terminated(await preview({ retentionPeriodInDays: 0 })), before);
  });

  it('shows the configuration in force and where it came from', async () => {
    const { items } = await api.get('/config', configSchema);
    const storage = items.find(({ key }) => key === 'storage');
    assert.equal(storage?.value, 'memory');
    assert.equal(storage.flag, '--storage');
  });

  it('gives numbers over time in columns', async () => {
    const { stepMs, at } = await api.get('/hubs/default/metrics', metricsSchema);
    assert.ok(stepMs > 0);
    assert.ok(Array.isArray(at));
  });

  it('streams what changes, and ends with the reader', async () => {
    const stop = new AbortController();
    const id = await api.start({ name: 'Approval', id: 'watched' });
    const url = `${api.scheduler.httpEndpoint}/api/v1/hubs/default/events?watch=${id}`;
    const answer = await fetch(url, { signal: stop.signal });
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    assert.ok(answer.body);
    let text = '';
    const decoder = new TextDecoder();
    await api.call('POST', `${BASE}/${id}/raise-event`, { name: 'Approved', data: '1' });
    for await (const chunk of answer.body) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      if (/event: instances\ndata: .*"Completed"/.test(text)) break;
    }
    stop.abort();
    assert.match(text, /^event: hello/);
    assert.match(text, /event: summary/);
  });

  it('leaves the level of a log alone that has none to set', async () => {
    for (const method of ['GET', 'PUT']) {
      const body = method === 'PUT' ? { level: 'debug' } : undefined;
      const { status, json } = await api.call(method, '/log-level', body);
      assert.deepEqual([status, (json as { code: string }).code], [409, 'WRONG_STATE']);
    }
  });
});

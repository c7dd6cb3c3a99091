import assert from 'node:assert/strict';
import { hrefOf, instanceHref, parseAddress } from '../../src/dashboard/model/routes.ts';

const IDS = [
  ...['a:b+c', 'a/b', '..', '.', '~', '100%', 'a%2Fb', 'a b', 'a?b#c', '@e@k', '👍🏽', 'عربي'],
  ...['x'.repeat(100), '2026-03-13T12:48:42.5+00:44', 'back\\slash'],
];

function open(href: string) {
  const url = new URL(href, 'http://localhost');
  return parseAddress(url.pathname, url.search);
}

describe('dashboard addresses', () => {
  for (const id of IDS) {
    it(`carry the id '${id.slice(0, 30)}' there and back`, () => {
      for (const tab of ['timeline', 'history'] as const) {
        const { route, search } = open(instanceHref('my-hub', id, tab));
        assert.deepEqual(route, { page: 'instance', hub: 'my-hub', id, tab });
        assert.equal(search, '');
      }
      const plain = `/taskhubs/h/orchestrations/${encodeURIComponent(id)}`;
      if (id === '.' || id === '..') return;
      assert.deepEqual(open(plain).route, { page: 'instance', hub: 'h', id, tab: 'timeline' });
    });
  }

  const forms: readonly (readonly [string, string])[] = [
    ['/?endpoint=http%3A%2F%2Flocalhost%3A8080&taskhub=h', '/taskhubs/h/orchestrations'],
    [
      '/subscriptions/s/schedulers/n/taskhubs/h?endpoint=x&tenantId=t',
      '/taskhubs/h/orchestrations',
    ],
    [
      '/subscriptions/local/schedulers/emulator/taskhubs/h/orchestrations',
      '/taskhubs/h/orchestrations',
    ],
    ['/subscriptions/default/schedulers/default/taskhubs/h', '/taskhubs/h/orchestrations'],
    [
      '/subscriptions/a/schedulers/b/taskhubs/h/orchestrations/i-1',
      '/taskhubs/h/orchestrations/i-1',
    ],
    ['/taskhubs/h/workers/metrics', '/taskhubs/h/workers/metrics'],
    ['/taskhubs/h/agents', '/taskhubs/h/agents'],
    ['/retention', '/retention'],
  ];
  for (const [given, canonical] of forms) {
    it(`read ${given}`, () => {
      assert.equal(hrefOf(open(given).route), canonical);
    });
  }

  it('say where a link was made for, and keep the filters of the page', () => {
    const { endpoint, search } = open(
      '/taskhubs/h?endpoint=https%3A%2F%2Fx&status=Failed&tag=a%3Db',
    );
    assert.equal(endpoint, 'https://x');
    assert.equal(search, '?status=Failed&tag=a%3Db');
  });
});

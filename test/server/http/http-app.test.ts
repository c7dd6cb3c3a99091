import assert from 'node:assert/strict';
import { systemClock } from '../../../src/base/clock.ts';
import { systemIds } from '../../../src/base/ids.ts';
import { BulkJobs } from '../../../src/server/http/api/bulk-jobs.ts';
import { completeServerConfig } from '../../../src/config/load-server-config.ts';
import { createHttpApp, HTTP_ROUTES } from '../../../src/server/http/http-app.ts';
import type { Guard } from '../../../src/server/auth/guard.ts';
import type { RequestRules } from '../../../src/server/http/request-rules.ts';
import { EngineDouble } from '../../support/engine-double.ts';
import { SignIn } from '../../../src/server/auth/sign-in.ts';
import { noRoleAssignments } from '../support/role-assignments.ts';
import { RecordedLog } from '../support/grpc-fixture.ts';

interface AppOptions {
  readonly rules?: Partial<RequestRules>;
  readonly isReady?: boolean;
  readonly engine?: EngineDouble;
  readonly guard?: Guard;
}

function openApp({ rules, isReady = true, engine = new EngineDouble(), guard }: AppOptions = {}) {
  const log = new RecordedLog();
  const app = createHttpApp({
    engine,
    guard,
    roles: noRoleAssignments(),
    signIn: new SignIn(completeServerConfig({}, []), systemClock),
    logger: log,
    rules: { allowedHosts: [], allowAddresses: false, scheme: 'http', ...rules },
    isReady: () => isReady,
    clock: systemClock,
    draining: new AbortController().signal,
    bulkJobs: new BulkJobs({ engine, clock: systemClock, ids: systemIds }),
    dashboardFiles: () => undefined,
    config: { config: completeServerConfig({}, []), sources: {} },
    grpcEndpoint: 'http://127.0.0.1:8080',
  });
  const request = (path: string, init: RequestInit & { host?: string } = {}) => {
    const headers = new Headers(init.headers);
    headers.set('host', init.host ?? 'localhost:8082');
    return app.request(path, { ...init, headers });
  };
  return { app, log, engine, request };
}

describe('HTTP route', () => {
  it('declares the permission it needs, each of them', () => {
    for (const { path, permission } of HTTP_ROUTES) {
      assert.ok(
        ['none', 'known', 'connect', 'read', 'write', 'work', 'inspect', 'manage'].includes(
          permission,
        ),
        path,
      );
    }
    assert.deepEqual(
      openApp()
        .app.routes.filter(({ method }) => method !== 'ALL')
        .map(({ path }) => path),
      HTTP_ROUTES.map(({ path }) => path),
    );
  });

  it('says whether the process lives and whether it takes work', async () => {
    assert.equal((await openApp().request('/health/live')).status, 200);
    assert.equal((await openApp().request('/health/ready')).status, 200);
    const draining = openApp({ isReady: false });
    assert.equal((await draining.request('/health/live')).status, 200);
    assert.equal((await draining.request('/health/ready')).status, 503);
  });

  it('answers a ping for a hub that exists, on both of its paths', async () => {
    const { request, engine } = openApp();
    engine.hubs.add('hub2');

    for (const path of ['/api/v1/taskhubs/ping', '/v1/taskhubs/ping']) {
      const answer = await request(path, { headers: { 'x-taskhub': 'hub2' } });
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { taskHub: 'hub2', status: 'ok' });
      assert.equal((await request(path)).status, 200);
    }
  });

  it('answers 404 to a ping for a hub that does not exist', async () => {
    const answer = await openApp().request('/api/v1/taskhubs/ping', {
      headers: { 'x-taskhub': 'nope' },
    });

    assert.equal(answer.status, 404);
    assert.deepEqual(await answer.json(), {
      error: { code: 'TASK_HUB_NOT_FOUND', message: 'Task hub not found: nope' },
    });
  });

  it('answers every path of a page with the dashboard, or how to build it', async () => {
    for (const path of ['/', '/taskhubs/default/orchestrations/a%2Fb', '/subscriptions/s/x']) {
      const { request } = openApp();
      const answer = await request(path);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'/);
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.match(await answer.text(), /npm run build/);
    }
  });

  it('answers what is not there in JSON', async () => {
    const answer = await openApp().request('/api/v1/nothing');

    assert.equal(answer.status, 404);
    assert.deepEqual(await answer.json(), {
      error: { code: 'NOT_FOUND', message: 'There is no GET /api/v1/nothing here.' },
    });
  });

  it('logs an unexpected failure and tells the caller nothing of it', async () => {
    const engine = new EngineDouble({
      assertTaskHub: () => {
        throw new RangeError('password is hunter2');
      },
    });
    const { request, log } = openApp({ engine });

    const answer = await request('/v1/taskhubs/ping');

    assert.equal(answer.status, 500);
    assert.doesNotMatch(await answer.text(), /hunter2/);
    assert.deepEqual(
      log.lines.map(({ level }) => level),
      ['error'],
    );
  });
});

describe('HTTP request rules', () => {
  for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:8082', '[::1]:8082', '[::1]']) {
    it(`let in the host ${host}`, async () => {
      assert.equal((await openApp().request('/health/live', { host })).status, 200);
    });
  }

  for (const host of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '10.0.0.1',
    'evil@localhost',
    '127.0.0.1:80:80',
    '::1',
  ]) {
    it(`refuse the host ${host}, whatever is asked for`, async () => {
      const answer = await openApp().request('/health/live', { host });

      assert.equal(answer.status, 403);
      assert.match(await answer.text(), /--allowed-hosts/);
    });
  }

  it('let in hosts that are configured', async () => {
    const { request } = openApp({ rules: { allowedHosts: ['scheduler.internal'] } });

    assert.equal((await request('/', { host: 'Scheduler.internal:8082' })).status, 200);
    assert.equal((await request('/', { host: 'other.internal' })).status, 403);
  });

  it('let in addresses beyond loopback, but no names', async () => {
    const { request } = openApp({ rules: { allowAddresses: true } });

    assert.equal((await request('/', { host: '10.1.2.3:8082' })).status, 200);
    assert.equal((await request('/', { host: '[fd00::1]:8082' })).status, 200);
    assert.equal((await request('/', { host: 'evil.example' })).status, 403);
  });

  const post = (headers: Record<string, string>) =>
    openApp().request('/api/v1/anything', { method: 'POST', headers, body: '{}' });
  const json = { 'content-type': 'application/json; charset=utf-8' };

  it('refuse a change from another origin', async () => {
    for (const origin of ['http://evil.example', 'null', 'http://localhost:3000']) {
      assert.equal((await post({ ...json, origin })).status, 403, origin);
    }
  });

  it('refuse a change that a form could send', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx']) {
      assert.equal((await post({ 'content-type': type })).status, 415, type);
    }
  });

  it('let a change through from the same origin or from no page at all', async () => {
    assert.equal((await post({ ...json, origin: 'http://localhost:8082' })).status, 404);
    assert.equal((await post(json)).status, 404);
  });
});

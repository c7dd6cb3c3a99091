import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openScheduler } from '../../src/server/index.ts';
import type { RunningScheduler } from '../../src/server/index.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { AppUnderTest, EXAMPLE_SECRET } from './support/app-under-test.ts';
import { HTTP_API_ROWS, HttpApi } from './support/http-api-rows.ts';

const ENDPOINTS = new Set(
  HTTP_API_ROWS.map(({ endpoint }) => endpoint).filter((endpoint) => endpoint.includes(' /')),
);
const DOCS = new URL('../../docs/HTTP-API.md', import.meta.url);

describe('the durable HTTP API', function () {
  this.timeout(30_000);
  const app = new AppUnderTest();
  let scheduler: RunningScheduler;
  let api: HttpApi;
  before(async () => {
    scheduler = await openScheduler({
      ...{ storage: 'memory', taskHubs: ['commonjs'], grpcPort: 0, httpPort: 0 },
      logger: silentLogger,
    });
    const env = { DURABLETASK_MANAGEMENT_SECRET: EXAMPLE_SECRET };
    await app.open('commonjs', scheduler, { env });
    // Where scripts written for the .NET extension look for it.
    api = new HttpApi(`${app.url}/runtime/webhooks/durabletask`);
  });
  after(async () => {
    await app.close();
    await scheduler.close();
  });

  for (const endpoint of ENDPOINTS) {
    it(`answers ${endpoint} with 401 below the signed route, without a signature for it`, async () => {
      const { statusQueryGetUri } = await app.start('orchestrators/helloCities');
      const [method = '', path = ''] = endpoint.replace(/\[.*\]/, '').split(' /');
      // Good for another operation on another instance.
      const { search } = new URL(statusQueryGetUri);
      assert.match(search, /&sig=./);

      const signed = new HttpApi(`${app.url}/api/durabletask-signed`);
      const answers = [await signed.ask(method, path), await signed.ask(method, path + search)];

      assert.deepEqual(
        answers.map(({ status, body }) => [status, body]),
        [
          [401, ''],
          [401, ''],
        ],
      );
    });
  }

  for (const { endpoint, code, when, ask, check } of HTTP_API_ROWS) {
    it(`answers ${endpoint} with ${code} when ${when}`, async () => {
      const answer = await ask(api);

      assert.equal(answer.status, code, JSON.stringify(answer.body));
      check?.(answer);
    });
  }

  it('is documented, answer by answer', () => {
    const documented = readFileSync(DOCS, 'utf8')
      .split('\n')
      .filter((line) => /^\| .* \| \d{3} /.test(line))
      .map((line) => line.replace(/\s*\|\s*/g, '|'));

    const rows = HTTP_API_ROWS.map(({ endpoint, code, when }) => {
      const cell = /^[A-Z]+ \//.test(endpoint) ? `\`${endpoint}\`` : endpoint;
      return `|${cell}|${code}|${when}|`;
    });
    assert.deepEqual(documented, rows);
  });
});

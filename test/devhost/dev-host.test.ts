import assert from 'node:assert/strict';
import { openTestApp } from './test-app.ts';

describe('dev host', function () {
  this.timeout(20_000);

  it('serves an unmodified CommonJS app', async () => {
    const { host } = await openTestApp('hello-cjs');
    try {
      const response = await fetch(`${host.url}/api/hello/Tokyo?city=yes`);
      assert.deepEqual(await response.json(), { hello: 'Tokyo', city: 'yes' });
    } finally {
      await host.close();
    }
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { API_ROUTES } from '../../../../src/server/http/api/api-routes.ts';
import { openApiDocument } from '../../../../src/server/http/api/openapi.ts';

describe('OpenAPI file', () => {
  it('says what the routes say', () => {
    const file = readFileSync(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8');
    const made = JSON.parse(JSON.stringify(openApiDocument(API_ROUTES))) as unknown;
    assert.deepEqual(JSON.parse(file), made, 'run node scripts/generate-openapi.ts');
  });

  it('describes every route of the API', () => {
    const missing = API_ROUTES.filter(({ docs }) => !docs?.summary).map(({ path }) => path);
    assert.deepEqual(missing, []);
  });
});

/** `node scripts/generate-openapi.ts` writes docs/openapi.json from the routes; a test compares. */
import { writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { API_ROUTES } from '../src/server/http/api/api-routes.ts';
import { openApiDocument } from '../src/server/http/api/openapi.ts';

const text = JSON.stringify(openApiDocument(API_ROUTES));
const file = new URL('../docs/openapi.json', import.meta.url);
writeFileSync(file, await format(text, { parser: 'json', printWidth: 100 }));

/** The OpenAPI 3.1 description, made from the routes themselves. */
import { z } from 'zod';
import type { HttpRoute } from '../http-app.ts';
import { problemSchema } from './contract.ts';

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): unknown {
  const made = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return { ...made, $schema: undefined };
}

/** `/hubs/:hub` → `/hubs/{hub}` */
function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function parametersOf({ path, docs }: HttpRoute): readonly object[] {
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string' } },
  }));
  const query = docs?.query;
  if (!query) return inPath;
  const described = jsonSchema(query, 'input') as { properties?: Record<string, object> };
  const inQuery = Object.entries(described.properties ?? {}).map(([name, schema]) => ({
    ...{ name, in: 'query', required: false, schema },
  }));
  return [...inPath, ...inQuery];
}

function operationOf(route: HttpRoute): object {
  const { docs, permission } = route;
  const answer = docs?.answer;
  const body = docs?.body;
  return {
    summary: docs?.summary ?? '',
    'x-permission': permission,
    parameters: parametersOf(route),
    ...(body && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(body, 'input') } },
      },
    }),
    responses: {
      [String(docs?.status ?? 200)]: {
        description: 'OK',
        ...(answer && {
          content: { 'application/json': { schema: jsonSchema(answer, 'output') } },
        }),
      },
      default: {
        description: 'Why not (RFC 9457)',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
    },
  };
}

/** Routes without documentation are not part of the API: pages, probes. */
export function openApiDocument(routes: readonly HttpRoute[]): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    if (!route.docs) continue;
    const path = templateOf(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Durable Task Scheduler',
      version: '1',
      description:
        'What the dashboard uses. Instance ids that a path segment does not carry unharmed are given as ?id= with ~ in the path.',
    },
    paths,
    components: { schemas: { Problem: jsonSchema(problemSchema, 'output') } },
  };
}

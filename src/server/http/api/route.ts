/** One route of the JSON API: what it takes is checked here, what it refuses is a problem document (RFC 9457). */
import type { Context } from 'hono';
import { z } from 'zod';
import { TaskHubError, type ErrorCode } from '../../../core/errors.ts';
import type { Permission } from '../../permissions.ts';
import type { HttpAppOptions, HttpRoute } from '../http-app.ts';
import { HTTP_STATUS } from '../status.ts';

export interface ApiCall<Q, B> {
  readonly context: Context;
  readonly options: HttpAppOptions;
  readonly engine: HttpAppOptions['engine'];
  /** Served by this scheduler; empty where the path names none. */
  readonly hub: string;
  /** Of the instance that the path names; empty where it names none. */
  readonly instanceId: string;
  readonly query: Q;
  readonly body: B;
}

/** What the OpenAPI file says of a route. */
export interface ApiDocs {
  readonly summary: string;
  readonly query: z.ZodObject | undefined;
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType | undefined;
  readonly status: number;
}

export interface ApiRoute<Q extends z.ZodObject, B extends z.ZodType> {
  readonly method: HttpRoute['method'];
  /** Below `/api/v1`. */
  readonly path: string;
  readonly permission: Permission;
  readonly summary: string;
  readonly query?: Q;
  readonly body?: B;
  readonly answer?: z.ZodType;
  /** Default 200. */
  readonly status?: number;
  readonly handle: (call: ApiCall<z.infer<Q>, z.infer<B>>) => Response | Promise<Response>;
}

const NOTHING = z.strictObject({});
/** The other way to name an instance, for ids that a path segment does not carry unharmed. */
const ID_QUERY = { id: z.string().optional().describe('The instance, when the path says ~') };

export function api<Q extends z.ZodObject = typeof NOTHING, B extends z.ZodType = typeof NOTHING>(
  route: ApiRoute<Q, B>,
): HttpRoute & { readonly docs: ApiDocs } {
  const namesInstance = route.path.includes('/:id');
  const base = route.query ?? NOTHING;
  const query = namesInstance ? base.extend(ID_QUERY) : base;
  return {
    method: route.method,
    path: `/api/v1${route.path}`,
    permission: route.permission,
    docs: {
      summary: route.summary,
      query: route.query || namesInstance ? query : undefined,
      body: route.body,
      answer: route.answer,
      status: route.status ?? 200,
    },
    refuse: problemOf,
    handle: async (context, options) => {
      try {
        const hub = context.req.param('hub') ?? '';
        if (hub !== '') options.engine.assertTaskHub(hub);
        const { id, ...rest } = parse(query, queryOf(context), '/query') as { id?: string };
        const parsed = namesInstance ? rest : { ...rest, ...(id !== undefined && { id }) };
        const body = route.body ? parse(route.body, await bodyOf(context), '') : {};
        const instanceId = namesInstance ? instanceIdOf(context, id) : '';
        const { engine } = options;
        const answer = await route.handle({
          ...{ context, options, engine, hub, instanceId },
          query: parsed as z.infer<Q>,
          body: body as z.infer<B>,
        });
        answer.headers.set('Cache-Control', 'no-store');
        return answer;
      } catch (error) {
        return problemOf(error, context);
      }
    },
  };
}

function instanceIdOf(context: Context, id: string | undefined): string {
  const named = context.req.param('id') ?? '';
  if (named !== '~') return named;
  if (id === undefined) throw new BadRequest([{ pointer: '/query/id', detail: 'is missing' }]);
  return id;
}

function queryOf(context: Context): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(context.req.queries()).map(([name, values]) => [
      name,
      values.length === 1 && values[0] !== undefined ? values[0] : values,
    ]),
  );
}

async function bodyOf(context: Context): Promise<unknown> {
  const text = await context.req.text();
  try {
    return text === '' ? {} : (JSON.parse(text) as unknown);
  } catch (error) {
    const detail = `is not JSON: ${error instanceof Error ? error.message : String(error)}`;
    throw new BadRequest([{ pointer: '', detail }]);
  }
}

interface InputError {
  readonly pointer: string;
  readonly detail: string;
}

/** Input that breaks the route's rules. */
class BadRequest extends Error {
  readonly errors: readonly InputError[];
  constructor(errors: readonly InputError[]) {
    super(errors.map(({ pointer, detail }) => `${pointer || 'the body'} ${detail}`).join('; '));
    this.errors = errors;
  }
}

function parse(schema: z.ZodType, value: unknown, base: string): unknown {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new BadRequest(
    result.error.issues.map(({ path, message }) => ({
      pointer: [base, ...path.map(String)].join('/'),
      detail: message,
    })),
  );
}

const TITLES: Readonly<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: 'Sign in first',
  PERMISSION_DENIED: 'A role is missing',
  INVALID_ARGUMENT: 'The request breaks a rule',
  INSTANCE_NOT_FOUND: 'No such instance',
  INSTANCE_ALREADY_EXISTS: 'The instance id is taken',
  TASK_HUB_NOT_FOUND: 'No such task hub',
  ROLE_ASSIGNMENT_NOT_FOUND: 'No such role assignment',
  LEASE_LOST: 'The work item is no longer held',
  WRONG_STATE: 'The instance is in a state that does not allow it',
  RESOURCE_EXHAUSTED: 'Too much at once',
  UNAVAILABLE: 'The scheduler is not available now',
  UNIMPLEMENTED: 'This scheduler does not offer that',
};

/** Anything that is no expected failure is left to the app, which logs it and tells nothing. */
function problemOf(error: unknown, context: Context): Response {
  if (error instanceof BadRequest) {
    return problem(context, {
      ...{ code: 'INVALID_ARGUMENT', title: TITLES.INVALID_ARGUMENT, status: 400 },
      ...{ detail: error.message, errors: error.errors },
    });
  }
  if (!(error instanceof TaskHubError)) throw error;
  const { code, message: detail } = error;
  return problem(context, { code, title: TITLES[code], status: HTTP_STATUS[code], detail });
}

interface Problem {
  readonly code: string;
  readonly title: string;
  readonly status: 400 | (typeof HTTP_STATUS)[ErrorCode];
  readonly detail: string;
  readonly errors?: readonly InputError[];
}

function problem(context: Context, body: Problem): Response {
  const type = `/problems/${body.code.toLowerCase().replaceAll('_', '-')}`;
  const headers = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' };
  return context.body(JSON.stringify({ type, ...body }), body.status, headers);
}

export function notFound(instanceId: string): TaskHubError {
  return new TaskHubError('INSTANCE_NOT_FOUND', `No instance with ID '${instanceId}' found.`);
}

/** RFC 3339 of epoch ms. */
export function iso(at: number): string {
  return new Date(at).toISOString();
}

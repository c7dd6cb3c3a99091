import { Hono, type Context } from 'hono';
import type { Clock } from '../../base/clock.ts';
import { TaskHubError } from '../../core/errors.ts';
import { logEvent } from '../../telemetry/log-events.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Guard } from '../auth/guard.ts';
import type { RoleAssignments } from '../auth/role-assignments.ts';
import type { SignIn } from '../auth/sign-in.ts';
import type { Engine } from '../engine.ts';
import type { Permission } from '../permissions.ts';
import { admit, namedTaskHub } from './admission.ts';
import { API_ROUTES } from './api/api-routes.ts';
import { answerMetrics } from '../scale/metrics.ts';
import type { ApiDocs } from './api/route.ts';
import type { BulkJobs } from './api/bulk-jobs.ts';
import type { ConfigWithSources } from '../../config/shown-config.ts';
import type { DashboardFiles } from './dashboard-files.ts';
import { refuseRequest, type RequestRules } from './request-rules.ts';
import { START_PAGE, START_PAGE_HEADERS } from './start-page.ts';
import { HTTP_STATUS } from './status.ts';

export interface HttpAppOptions {
  readonly engine: Pick<Engine, HttpEngineMethod>;
  readonly clock: Clock;
  /** `undefined`: everybody may do everything. */
  readonly guard: Guard | undefined;
  readonly roles: RoleAssignments;
  readonly signIn: SignIn;
  readonly logger: Logger;
  readonly rules: RequestRules;
  /** False while the scheduler starts or drains. */
  readonly isReady: () => boolean;
  /** Aborts when the scheduler begins to drain. */
  readonly draining: AbortSignal;
  readonly bulkJobs: BulkJobs;
  readonly config: ConfigWithSources;
  /** `undefined`: it has not been built. */
  readonly dashboardFiles: () => DashboardFiles | undefined;
  /** What goes into a connection string. */
  readonly grpcEndpoint: string;
}

/** What the routes ask of the engine. */
type HttpEngineMethod =
  | 'taskHubs'
  | 'assertTaskHub'
  | 'createTaskHub'
  | 'deleteTaskHub'
  | 'workers'
  | 'drainWorker'
  | 'inspector'
  | 'metrics'
  | 'retention'
  | 'parkedItems'
  | 'retryParked'
  | 'startInstance'
  | 'getInstance'
  | 'raiseEvent'
  | 'terminate'
  | 'suspend'
  | 'resume'
  | 'purgeInstances'
  | 'restartInstance'
  | 'rewindInstance'
  | 'forceEnd'
  | 'entities';

export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly permission: Permission;
  readonly handle: (context: Context, options: HttpAppOptions) => Response | Promise<Response>;
  /** What the OpenAPI file says of it; left out of it without. */
  readonly docs?: ApiDocs;
  /** How the route says that a caller is not let in; as the app says it when left out. */
  readonly refuse?: (error: unknown, context: Context) => Response;
}

/** Every route there is, each with the permission that it asks of its caller. */
export const HTTP_ROUTES: readonly HttpRoute[] = [
  { method: 'GET', path: '/health/live', permission: 'none', handle: live },
  { method: 'GET', path: '/health/ready', permission: 'none', handle: ready },
  // The product's tools ask both paths whether a hub is there.
  { method: 'GET', path: '/api/v1/taskhubs/ping', permission: 'connect', handle: pingTaskHub },
  { method: 'GET', path: '/v1/taskhubs/ping', permission: 'connect', handle: pingTaskHub },
  { method: 'GET', path: '/api/v1/taskhubs/parked', permission: 'read', handle: listParked },
  {
    method: 'POST',
    path: '/api/v1/taskhubs/parked/retry',
    permission: 'write',
    handle: retryParked,
  },
  { method: 'GET', path: '/api/v1/taskhubs/workers', permission: 'read', handle: listWorkers },
  { method: 'GET', path: '/health', permission: 'none', handle: ready },
  // What is shown is up to the caller's roles.
  { method: 'GET', path: '/metrics', permission: 'known', handle: answerMetrics },
  ...API_ROUTES,
  // Pages have addresses of their own: every other path is the dashboard, which reads it.
  { method: 'GET', path: '/*', permission: 'none', handle: dashboard },
];

/** The HTTP door: a web-standard app, callable without a socket. */
export function createHttpApp(options: HttpAppOptions): Hono {
  const app = new Hono();
  app.use(async (context, next) => {
    const header = (name: string): string | undefined => context.req.header(name);
    const refused = refuseRequest(
      {
        method: context.req.method,
        host: header('host'),
        origin: header('origin'),
        contentType: header('content-type'),
      },
      options.rules,
    );
    if (refused) return failed(context, refused.status, 'REFUSED', refused.message);
    await next();
    context.header('X-Content-Type-Options', 'nosniff');
    return undefined;
  });
  for (const route of HTTP_ROUTES) {
    app.on(route.method, route.path, async (context) => {
      try {
        await admit(context, route.permission, options.guard);
      } catch (error) {
        if (isUnknownCaller(error)) context.header('WWW-Authenticate', 'Bearer');
        if (route.refuse) return route.refuse(error, context);
        throw error;
      }
      return route.handle(context, options);
    });
  }
  app.notFound(notFound);
  app.onError((error, context) => onError(error, context, options.logger));
  return app;
}

async function dashboard(
  context: Context,
  { dashboardFiles, signIn }: HttpAppOptions,
): Promise<Response> {
  const { path } = context.req;
  if (/^\/(?:api|v1|health|metrics)(?:\/|$)/.test(path)) return notFound(context);
  const files = dashboardFiles();
  if (!files) return context.html(START_PAGE, 200, START_PAGE_HEADERS);
  const acceptEncoding = context.req.header('accept-encoding') ?? '';
  return files.answer(path, { acceptEncoding, connectTo: await signIn.tokenOrigin() });
}

function notFound(context: Context): Response {
  const message = `There is no ${context.req.method} ${context.req.path} here.`;
  return failed(context, 404, 'NOT_FOUND', message);
}

function live(context: Context): Response {
  return context.json({ status: 'live' });
}

function ready(context: Context, { isReady }: HttpAppOptions): Response {
  return isReady()
    ? context.json({ status: 'ready' })
    : context.json({ status: 'draining' }, 503, { 'Retry-After': '1' });
}

/** The hub that `x-taskhub` names, if there is one of that name. */
function taskHubOf(context: Context, engine: HttpAppOptions['engine']): string {
  const taskHub = namedTaskHub(context);
  engine.assertTaskHub(taskHub);
  return taskHub;
}

/** The workers of the hub that `x-taskhub` names. */
function listWorkers(context: Context, { engine }: HttpAppOptions): Response {
  const workers = engine.inspector.workers(taskHubOf(context, engine));
  return context.json({
    workers: workers.map(({ workerId, userAgent, connectedAt, inFlight }) => ({
      ...{ workerId, userAgent, inFlight },
      connectedAt: new Date(connectedAt).toISOString(),
    })),
  });
}

/** Work items set aside after too many lost workers: `{ "items": [{ kind, instanceId, name, attempts }] }`. */
async function listParked(context: Context, { engine }: HttpAppOptions): Promise<Response> {
  return context.json({ items: await engine.parkedItems(taskHubOf(context, engine)) });
}

/** `?instanceId=` names one instance; without it all of the hub are tried again. */
async function retryParked(context: Context, { engine }: HttpAppOptions): Promise<Response> {
  const instanceId = context.req.query('instanceId');
  return context.json({
    retried: await engine.retryParked(taskHubOf(context, engine), instanceId),
  });
}

function pingTaskHub(context: Context, { engine }: HttpAppOptions): Response {
  const taskHub = taskHubOf(context, engine);
  return context.json({ taskHub, status: 'ok' });
}

type FailureStatus = 403 | 404 | 415 | 500 | (typeof HTTP_STATUS)[keyof typeof HTTP_STATUS];

function failed(context: Context, status: FailureStatus, code: string, message: string): Response {
  return context.json({ error: { code, message } }, status);
}

function isUnknownCaller(error: unknown): boolean {
  return error instanceof TaskHubError && error.code === 'UNAUTHENTICATED';
}

function onError(error: Error, context: Context, logger: Logger): Response {
  if (error instanceof TaskHubError) {
    return failed(context, HTTP_STATUS[error.code], error.code, error.message);
  }
  const { method, path } = context.req;
  logEvent(logger, 'requestFailed', { method, path, error });
  const message = 'The scheduler failed to handle the request; its log says why.';
  return failed(context, 500, 'INTERNAL', message);
}

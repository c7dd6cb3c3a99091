import azureFunctions from '@azure/functions';
import type { HttpRequestInit, HttpResponseInit } from '@azure/functions';
import { TaskHubClient } from '../../../src/client/task-hub-client.ts';
import { answerManagement } from '../../../src/functions/management/handler.ts';
import { createLinks } from '../../../src/functions/management/links.ts';
import { ScaleMonitor } from '../../../src/functions/scale/monitor.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import { FakeScheduler } from './fake-scheduler.ts';

/** The key of signed links. */
export const SECRET = 'a secret of thirty-two characters';
/** Epoch ms, for the handler and its links. */
export const NOW = 1_000_000;

/** A request below the management route. */
export interface Asked {
  readonly method?: string;
  /** Path below the route, with its query. */
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly isSigned?: boolean;
}

type Replies = ConstructorParameters<typeof FakeScheduler>[0];

/** What the management endpoints answer, and what they asked of the scheduler. */
export async function ask(
  { method = 'GET', path, body, headers = {}, isSigned = false }: Asked,
  replies: Replies = {},
): Promise<{ response: HttpResponseInit; scheduler: FakeScheduler }> {
  const scheduler = new FakeScheduler(replies);
  const url = new URL(`https://app.net/api/durabletask/${path}`);
  const init: HttpRequestInit = {
    method,
    url: url.href,
    headers,
    query: Object.fromEntries(url.searchParams),
    ...(body !== undefined && { body: { bytes: Buffer.from(body) } }),
  };
  const linkOptions = {
    http: { routePrefix: 'api', usesForwardedHost: false, ownOrigin: 'http://localhost:7071' },
    taskHub: 'hub',
    connectionName: 'CONN',
    secrets: { secret: SECRET, ttlMs: 60_000 },
    now: NOW,
  };
  const client = TaskHubClient.open({ connection: scheduler });
  const clock = { now: () => NOW, sleepUntil: () => Promise.resolve() };
  const response = await answerManagement(
    {
      request: new azureFunctions.HttpRequest(init),
      path: url.pathname.slice('/api/durabletask/'.length),
      isSigned,
    },
    {
      client,
      scale: new ScaleMonitor({
        ...{ clock, client: () => client, taskHub: () => 'hub' },
        perWorker: () => ({ orchestrations: 10, activities: 5, entities: 10 }),
        worker: () => undefined,
      }),
      taskHub: 'hub',
      linksFor: (id, request) => createLinks(id, { ...linkOptions, request }),
      hasOrchestrator: (name) => name === 'Hello',
      secret: SECRET,
      clock,
      logger: silentLogger,
    },
  );
  return { response, scheduler };
}

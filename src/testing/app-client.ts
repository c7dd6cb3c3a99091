import type { ActivityHandler } from 'durable-functions';
import type { Clock } from '../base/clock.ts';
import type { TaskHubClient } from '../client/task-hub-client.ts';
import { DurableClient } from '../functions/durable-client.ts';
import { createLinks } from '../functions/management/links.ts';
import { withStandInClient } from '../functions/stand-in-client.ts';

export interface CreateDurableClientOptions {
  readonly client: TaskHubClient;
  readonly taskHub: string;
  readonly clock: Clock;
}

/** Where links lead: nobody listens, but they read as those of a local host. */
const HTTP = { routePrefix: 'api', usesForwardedHost: false, ownOrigin: 'http://localhost:7071' };

/** The durable client of a test hub. It knows that hub only, whatever its options name. */
export function createDurableClient(options: CreateDurableClientOptions): DurableClient {
  const { client, taskHub, clock } = options;
  return new DurableClient({
    taskHubName: taskHub,
    client,
    linksFor: (instanceId, request) =>
      createLinks(instanceId, {
        ...{ http: HTTP, taskHub, connectionName: 'test', request },
        secrets: { secret: undefined, ttlMs: 0 },
        now: clock.now(),
      }),
    openOther: () => client,
    mayReplaceRunning: false,
  });
}

/** An activity for which `getClient()` is the client of its hub, also when several hubs are open. */
export function givenClient(handler: ActivityHandler, client: DurableClient): ActivityHandler {
  return (...args) => withStandInClient(client, (): unknown => handler(...args));
}

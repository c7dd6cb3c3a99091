import type { HttpRequest } from '@azure/functions';
import type { Clock } from '../../base/clock.ts';
import type { TaskHubClient } from '../../client/task-hub-client.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { ScaleMonitor } from '../scale/monitor.ts';
import type { ManagementLinks } from './links.ts';

/** What the management endpoints work with. */
export interface ManagementOptions {
  readonly client: TaskHubClient;
  readonly scale: Pick<ScaleMonitor, 'answer'>;
  readonly taskHub: string;
  readonly linksFor: (instanceId: string, request: HttpRequest | undefined) => ManagementLinks;
  /** Whether this app has an orchestrator of that name. */
  readonly hasOrchestrator: (name: string) => boolean;
  /** Key of signed links; only the signed routes need it. */
  readonly secret: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

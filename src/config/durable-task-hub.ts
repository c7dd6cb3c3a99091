import { invalidArgument } from '../core/errors.ts';
import type { HostJson } from './host-json.ts';

/** Where host.json speaks of durable functions. */
export const DURABLE_SECTION = 'extensions.durableTask';
const CONNECTION_NAME_DEFAULT = 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING';

/** Name of the app setting with the scheduler's connection string: host.json's, or the product's own. */
export function readConnectionName(host: HostJson): string {
  return (
    host.text(`${DURABLE_SECTION}.storageProvider.connectionStringName`) ??
    host.text(`${DURABLE_SECTION}.storageProvider.connectionName`) ??
    CONNECTION_NAME_DEFAULT
  );
}

/**
 * The task hub that host.json names: it wins over that of the connection string. Throws
 * INVALID_ARGUMENT when it stands for an app setting that is not there.
 */
export function readHubName(host: HostJson): string | undefined {
  const path = `${DURABLE_SECTION}.hubName`;
  const hubName = host.text(path);
  if (hubName === undefined || !/^%.*%$/.test(hubName)) return hubName;
  throw invalidArgument(
    `${host.file}: ${path} is "${hubName}", but there is no such app setting. Add it, or ` +
      'write the name of the task hub.',
  );
}

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseConnectionString } from '../config/connection-string.ts';
import { readHostJson, type AppSettings } from '../config/host-json.ts';
import { mergeLocalSettings, readLocalSettings } from '../config/local-settings.ts';
import { ConfigError } from '../config/load-server-config.ts';
import { TaskHubError } from '../core/errors.ts';

/** What `dev` must know of a function app to point it at a scheduler. */
export interface DevApp {
  /** Name of the app setting that holds the connection string. */
  readonly connectionName: string;
  readonly taskHub: string;
  /** Without slashes at its ends; empty when functions are served at the root. */
  readonly routePrefix: string;
}

export const CONNECTION_NAME_DEFAULT = 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING';
const TASK_HUB_DEFAULT = 'default';

/**
 * Reads host.json and local.settings.json of the app. The hub is the one that the app's own
 * connection string names, else host.json's `hubName`, else `default`, which is how the extension
 * finds it too.
 *
 * @throws ConfigError when there is no app in `appDir`; TaskHubError INVALID_ARGUMENT, naming file
 *   and remedy, when one of its files is wrong.
 */
export function readDevApp(appDir: string, env: AppSettings): DevApp {
  if (!existsSync(appDir) || !statSync(appDir).isDirectory()) {
    throw new ConfigError([
      `${appDir} is not a folder; name the folder of a function app, the one with host.json.`,
    ]);
  }
  if (!existsSync(join(appDir, 'host.json'))) {
    throw new ConfigError([
      `${appDir} has no host.json, so it is no function app; name the folder that has it.`,
    ]);
  }
  const local = readLocalSettings(appDir);
  const added = local === undefined ? {} : mergeLocalSettings(local, env).added;
  const settings = { ...env, ...added };
  const host = readHostJson({ appDir, env: settings });
  const durable = 'extensions.durableTask';
  const connectionName =
    host.text(`${durable}.storageProvider.connectionStringName`) ?? CONNECTION_NAME_DEFAULT;
  const prefix = host.text('extensions.http.routePrefix') ?? 'api';
  return {
    connectionName,
    taskHub:
      hubOfConnection(settings[connectionName]) ??
      host.text(`${durable}.hubName`) ??
      TASK_HUB_DEFAULT,
    routePrefix: prefix.replace(/^\/+|\/+$/g, ''),
  };
}

/** A connection string that cannot be read says nothing about the hub: `dev` replaces it anyway. */
function hubOfConnection(connection: string | undefined): string | undefined {
  if (connection === undefined) return undefined;
  try {
    const { taskHub } = parseConnectionString(connection, { defaultTaskHub: '' });
    return taskHub === '' ? undefined : taskHub;
  } catch (error) {
    if (error instanceof TaskHubError) return undefined;
    throw error;
  }
}

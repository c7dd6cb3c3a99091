import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseConnectionString } from '../config/connection-string.ts';
import { readConnectionName, readHubName } from '../config/durable-task-hub.ts';
import { readHostJson, type AppSettings } from '../config/host-json.ts';
import { mergeLocalSettings, readLocalSettings } from '../config/local-settings.ts';
import { ConfigError } from '../config/load-server-config.ts';
import { TaskHubError } from '../core/errors.ts';

/** What `dev` must know of a function app to point it at a scheduler. */
export interface DevApp {
  /** Name of the app setting that holds the connection string. */
  readonly connectionName: string;
  /** From host.json: the app works in this task hub, whatever a connection string names. */
  readonly hubName: string | undefined;
  /** `hubName`, else what the app's own connection string names, else `default`. */
  readonly taskHub: string;
  /** Without slashes at its ends; empty when functions are served at the root. */
  readonly routePrefix: string;
}

const TASK_HUB_DEFAULT = 'default';

/**
 * Reads host.json and local.settings.json of the app. The hub is that which the
 * extension will find: host.json's `hubName`, else that of the app's own connection string.
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
  const connectionName = readConnectionName(host);
  const hubName = readHubName(host);
  const prefix = host.text('extensions.http.routePrefix') ?? 'api';
  return {
    connectionName,
    hubName,
    taskHub: hubName ?? hubOfConnection(settings[connectionName]) ?? TASK_HUB_DEFAULT,
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

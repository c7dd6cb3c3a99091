import type { AppSettings } from '../config/host-json.ts';

/**
 * The app settings of this process. The extension is its own composition root inside somebody
 * else's process, and Azure replaces the whole environment shortly before an app loads: it is read
 * when it is needed, never when this package loads.
 */
export function appSettings(): AppSettings {
  // eslint-disable-next-line no-restricted-properties -- the extension's one reader of the environment
  return process.env;
}

import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { openDevHost } from '../../src/devhost/dev-host.ts';
import type { DevHost, DevHostOptions } from '../../src/devhost/dev-host.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

export interface TestApp {
  readonly host: DevHost;
  /** Everything the app printed and the function list, so far. */
  readonly lines: string[];
}

/** The folder of a fixture app. */
export function appDirOf(name: string): string {
  return fileURLToPath(new URL(`../fixtures/apps/${name}`, import.meta.url));
}

/** Opens the dev host on a fixture app, on a free port. */
export async function openTestApp(
  name: string,
  options: Partial<DevHostOptions> = {},
): Promise<TestApp> {
  const lines: string[] = [];
  const host = await openDevHost({
    appDir: appDirOf(name),
    port: 0,
    host: '127.0.0.1',
    env: {},
    preloads: [],
    pathAliases: {},
    watch: false,
    inspect: undefined,
    logger: silentLogger,
    clock: systemClock,
    output: (line) => lines.push(line),
    ...options,
  });
  return { host, lines };
}

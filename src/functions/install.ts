import { createRequire } from 'node:module';
import azureFunctions from '@azure/functions';
import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { logEvent } from '../telemetry/log-events.ts';
import { describeError } from '../telemetry/logger.ts';
import { loadCoreModule } from './core-module.ts';
import type { CoreModule } from './core-module.ts';
import { appSettings } from './environment.ts';
import { isShownInHost, showInHost } from './host-visibility.ts';
import { wrapRegisterHook } from './invocation-hooks.ts';
import { answerManagement } from './management/handler.ts';
import { KEY_ROUTE, SIGNED_ROUTE } from './management/links.ts';
import { wrapRegisterFunction } from './registration-wrap.ts';
import { durableRegistry, processWide } from './registry.ts';
import { extensionRuntime } from './runtime.ts';
import { EntityId } from './value-classes.ts';

const require = createRequire(import.meta.url);
const ORIGINAL_ENTRY = /[/\\]durable-functions[/\\]lib[/\\]src[/\\]index\.js$/;

/**
 * Ties the extension to the Functions worker that loads this package: takes durable registrations
 * over, registers the management endpoints, and starts and stops with the app. Does nothing outside
 * a host, and once only however many copies of this package an app loads.
 */
export function installExtension(): void {
  const core = loadCoreModule();
  if (core === undefined) return;
  processWide('installed', () => {
    wrapRegisterFunction(core);
    wrapRegisterHook(core);
    warnOfEarlierRegistrations();
    registerLifecycle(core);
    showFunctions();
    registerManagement();
    return true;
  });
}

/**
 * Durable functions that the original package registered before we were loaded have gone to the host
 * already. Nobody can list them, but that package must have been loaded to do it.
 */
function warnOfEarlierRegistrations(): void {
  const isLoaded = Object.keys(require.cache).some((file) => ORIGINAL_ENTRY.test(file));
  if (!isLoaded) return;
  logEvent(extensionRuntime().logger, 'loadedTooLate');
}

function showFunctions(): void {
  if (!isShownInHost(appSettings())) return;
  const { logger } = extensionRuntime();
  durableRegistry().listeners.add((registered) => {
    showInHost(registered, {
      start: (name, input) => extensionRuntime().durableClient().startNew(name, { input }),
      signal: (name, { key, operation, input }) =>
        extensionRuntime().durableClient().signalEntity(new EntityId(name, key), operation, input),
      logger,
    });
  });
}

function registerLifecycle(core: CoreModule): void {
  // The library's own hook leaves out where the app is.
  core.registerHook('appStart', async ({ functionAppDirectory }) => {
    const appDir = typeof functionAppDirectory === 'string' ? functionAppDirectory : undefined;
    await extensionRuntime().start(appDir);
  });
  core.registerHook('appTerminate', () => extensionRuntime().stop());
}

/**
 * Two functions with catch-all routes rather than one for each verb: the app's list stays short, and
 * an unknown path is answered here. Registered while the app loads, the only time every worker allows.
 */
function registerManagement(): void {
  const { access, logger } = extensionRuntime();
  if (access.hasKeyRoutes) registerRoute('durabletask-management', KEY_ROUTE, false);
  if (access.secret !== undefined) {
    registerRoute('durabletask-management-signed', SIGNED_ROUTE, true);
  }
  if (!access.hasKeyRoutes && access.secret === undefined) logEvent(logger, 'managementOff');
}

function registerRoute(name: string, route: string, isSigned: boolean): void {
  azureFunctions.app.http(name, {
    route: `${route}/{*path}`,
    methods: ['GET', 'POST', 'DELETE'],
    // The host lets signed links in without a key: the handler checks them before anything else.
    authLevel: isSigned ? 'anonymous' : 'function',
    handler: (request) => answer(request, route, isSigned),
  });
}

async function answer(
  request: HttpRequest,
  route: string,
  isSigned: boolean,
): Promise<HttpResponseInit> {
  const runtime = extensionRuntime();
  try {
    const path = pathBelow(route, request.url);
    return await answerManagement({ request, path, isSigned }, runtime.management);
  } catch (error) {
    // Wrong settings; the reason belongs into the log, not to whoever asks.
    logEvent(runtime.logger, 'managementUnavailable', { error: describeError(error) });
    return { status: 500 };
  }
}

/** What follows the route in a URL, still encoded: the host's own parameter is decoded too early. */
function pathBelow(route: string, url: string): string {
  const { pathname } = new URL(url);
  const prefix = `/${extensionRuntime().settings.http.routePrefix}/`;
  const isPrefixed = pathname.toLowerCase().startsWith(prefix.toLowerCase());
  const path = isPrefixed ? pathname.slice(prefix.length - 1) : pathname;
  const marker = `/${route}/`;
  const at = path.toLowerCase().indexOf(marker);
  return at === -1 ? '' : path.slice(at + marker.length);
}

import azureFunctions from '@azure/functions';
import type { InvocationContext } from '@azure/functions';
import type { AppSettings } from '../config/host-json.ts';
import { invalidArgument } from '../core/errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import { durableRegistry } from './registry.ts';
import type { RegisteredFunction } from './registry.ts';

/** What a function that is fired by hand works with. */
export interface HostVisibilityOptions {
  readonly start: (name: string, input: unknown) => Promise<string>;
  readonly logger: Logger;
}

/** What a host takes as the name of a function; durable functions may have others. */
const HOST_NAME = /^[a-z][a-z0-9_-]{0,127}$/i;

/**
 * Whether durable functions are listed by the host (app setting `DURABLETASK_SHOW_FUNCTIONS`, on unless
 * it says off). Throws INVALID_ARGUMENT for another text.
 */
export function isShownInHost(env: AppSettings): boolean {
  const text = (env['DURABLETASK_SHOW_FUNCTIONS'] ?? '').toLowerCase();
  if (['', 'on', 'off'].includes(text)) return text !== 'off';
  throw invalidArgument('DURABLETASK_SHOW_FUNCTIONS must be "on" or "off".');
}

/**
 * Lists a durable function in the host as one with a `manualTrigger`, which every host knows without an
 * extension: the portal and `GET /admin/functions` show it, and firing it by hand starts the
 * orchestration, or runs the activity, with the input given there.
 */
export function showInHost(
  { kind, name }: RegisteredFunction,
  options: HostVisibilityOptions,
): void {
  if (!HOST_NAME.test(name)) return;
  const handler =
    kind === 'orchestration'
      ? async (input: unknown, context: InvocationContext) => {
          const id = await options.start(name, valueOf(input));
          context.log(`Started orchestration '${name}' with the id '${id}'`);
          return id;
        }
      : (input: unknown, context: InvocationContext) => runActivity(name, valueOf(input), context);
  try {
    azureFunctions.app.generic(name, {
      trigger: azureFunctions.trigger.generic({ type: 'manualTrigger' }),
      handler,
    });
  } catch (error) {
    // The app has a function of that name in the host: it was there first, and both can work.
    options.logger.debug('a durable function is not listed by the host', { name, error });
  }
}

/** The host runs its hooks around this call by itself. */
function runActivity(name: string, input: unknown, context: InvocationContext): unknown {
  return durableRegistry().activities.get(name)?.(input, context);
}

/** A request without a body gives an empty text. */
function valueOf(input: unknown): unknown {
  return input === '' ? undefined : input;
}

import azureFunctions from '@azure/functions';
import type { InvocationContext } from '@azure/functions';
import type { AppSettings } from '../config/host-json.ts';
import { invalidArgument } from '../core/errors.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import { durableRegistry } from './registry.ts';
import type { RegisteredFunction } from './registry.ts';

/** What a function that is fired by hand works with. */
export interface HostVisibilityOptions {
  readonly start: (name: string, input: unknown) => Promise<string>;
  readonly signal: (name: string, signal: EntitySignal) => Promise<void>;
  readonly logger: Logger;
}

/** The input that an entity wants when it is fired by hand. */
export interface EntitySignal {
  readonly key: string;
  readonly operation: string;
  readonly input?: unknown;
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
 * orchestration, runs the activity or signals the entity, with the input given there.
 */
export function showInHost(
  { kind, name }: RegisteredFunction,
  options: HostVisibilityOptions,
): void {
  if (!HOST_NAME.test(name)) return;
  const handlers = {
    orchestration: async (input: unknown, context: InvocationContext) => {
      const id = await options.start(name, input);
      context.log(`Started orchestration '${name}' with the id '${id}'`);
      return id;
    },
    // The host runs its hooks around this call by itself.
    activity: (input: unknown, context: InvocationContext): unknown =>
      durableRegistry().activities.get(name)?.(input, context),
    entity: (input: unknown) => options.signal(name, signalOf(name, input)),
  };
  // A request without a body gives an empty text.
  const handler = (input: unknown, context: InvocationContext): unknown =>
    handlers[kind](input === '' ? undefined : input, context);
  try {
    azureFunctions.app.generic(name, {
      trigger: azureFunctions.trigger.generic({ type: 'manualTrigger' }),
      handler,
    });
  } catch (error) {
    // The app has a function of that name in the host: it was there first, and both can work.
    logEvent(options.logger, 'functionNotListed', { name, error });
  }
}

function signalOf(name: string, input: unknown): EntitySignal {
  const { key, operation } = (input ?? {}) as Partial<EntitySignal>;
  if (typeof key === 'string' && typeof operation === 'string') return input as EntitySignal;
  throw invalidArgument(
    `Entity "${name}" was fired by hand with no operation. Send ` +
      '{"key": "…", "operation": "…", "input": …} as the input.',
  );
}

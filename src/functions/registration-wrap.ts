import type { ActivityHandler } from 'durable-functions';
import { invalidArgument } from '../core/errors.ts';
import type { CoreBinding, CoreCallback, CoreFunctionMetadata, CoreModule } from './core-module.ts';
import type { EntityFunction } from './entity-invocation.ts';
import { assertNoHostRequests, isDurableClientInput } from './host-only-bindings.ts';
import { registerActivity, registerEntity, registerOrchestrator } from './registry.ts';
import type { OrchestratorFunction } from './registry.ts';

const WRAPPED = Symbol.for('durabletask-scheduler.functions.wrapped');
const GENERATOR_KINDS = ['GeneratorFunction', 'AsyncGeneratorFunction', 'AsyncFunction'];

type RegisterFunction = CoreModule['registerFunction'] & { [WRAPPED]?: true };

/**
 * Puts us between the libraries and the host, for the life of the worker: durable triggers go to our
 * registry (a host without the .NET extension would put them in error), and `durableClient` inputs
 * are taken out of what the host sees (one would put an otherwise valid HTTP function in error).
 * Everything else passes unchanged. Wrapping twice, from two copies of this package, is harmless.
 */
export function wrapRegisterFunction(core: CoreModule): void {
  const original: RegisterFunction = core.registerFunction;
  if (original[WRAPPED]) return;
  const wrapped: RegisterFunction = (metadata, callback) =>
    routeDurableTrigger(metadata, callback) ??
    original.call(core, withoutClientInputs(metadata), callback);
  wrapped[WRAPPED] = true;
  core.registerFunction = wrapped;
}

function routeDurableTrigger(
  metadata: CoreFunctionMetadata,
  callback: CoreCallback,
): object | undefined {
  const bindings = Object.values(metadata.bindings);
  const trigger = bindings.find((binding) => durableKind(binding) !== undefined);
  if (trigger === undefined) return undefined;
  const { name } = metadata;
  const kind = durableKind(trigger);
  assertNoHostRequests({
    kind: kind ?? 'orchestration',
    name,
    inputs: bindings.filter((binding) => binding !== trigger && binding['direction'] !== 'out'),
    outputs: bindings.filter((binding) => binding['direction'] === 'out'),
    hasRetry: metadata.retryOptions !== undefined,
  });
  if (kind === 'activity') {
    registerActivity(name, callback as ActivityHandler, { isHosted: true });
  } else if (kind === 'entity') {
    registerEntity(name, asEntity(name, callback), { isHosted: true });
  } else {
    registerOrchestrator(name, asOrchestrator(name, callback), { isHosted: true });
  }
  return { dispose: () => undefined };
}

function durableKind(binding: CoreBinding): 'orchestration' | 'activity' | 'entity' | undefined {
  switch (binding.type.toLowerCase()) {
    case 'orchestrationtrigger':
      return 'orchestration';
    case 'activitytrigger':
      return 'activity';
    case 'entitytrigger':
      return 'entity';
    default:
      return undefined;
  }
}

/**
 * `app.generic` with our trigger passes the user's own function. The published `durable-functions`
 * passes a plain function that expects the .NET extension's JSON: running it could only fail, later
 * and less clearly.
 */
function asOrchestrator(name: string, callback: CoreCallback): OrchestratorFunction {
  if (GENERATOR_KINDS.includes(callback.constructor.name)) return callback;
  throw invalidArgument(
    `Orchestration "${name}" was registered by another copy of durable-functions, or by app.generic ` +
      'with a plain function. Register it with app.orchestration of durabletask-scheduler, or preload ' +
      'durabletask-scheduler/register (node --import) so that durable-functions resolves to it.',
  );
}

/** The published package's wrapper takes the .NET extension's JSON and a context; an entity one thing. */
function asEntity(name: string, callback: CoreCallback): EntityFunction<never> {
  if (callback.length <= 1) return callback as EntityFunction<never>;
  throw invalidArgument(
    `Entity "${name}" was registered by another copy of durable-functions. Register it with app.entity ` +
      'of durabletask-scheduler, or preload durabletask-scheduler/register (node --import) so that ' +
      'durable-functions resolves to it.',
  );
}

function withoutClientInputs(metadata: CoreFunctionMetadata): CoreFunctionMetadata {
  const bindings = Object.entries(metadata.bindings);
  if (!bindings.some(([, binding]) => isDurableClientInput(binding))) return metadata;
  const kept = bindings.filter(([, binding]) => !isDurableClientInput(binding));
  return { ...metadata, bindings: Object.fromEntries(kept) };
}

import azureFunctions from '@azure/functions';
import type { InvocationContextInit, LogHandler } from '@azure/functions';
import { ClassicOrchestrationContext } from '../replay/classic-context.ts';
import { CoreOrchestrationContext } from '../replay/core-context.ts';
import type { OrchestrationEngine } from '../replay/engine.ts';
import type { TaskFailureInfo } from '../replay/failure.ts';
import type { OrchestratorStyle } from '../worker/registry.ts';
import { createUserLogHandler } from './host-log.ts';
import type { OrchestratorFunction } from './registry.ts';
import { TaskFailedError } from './value-classes.ts';

/** What the style of an orchestrator depends on, besides its code. */
export interface OrchestratorStyleOptions {
  readonly name: string;
  /** Version of sub-orchestrations that name none. */
  readonly defaultVersion: string | undefined;
}

const ASYNC_KINDS: readonly string[] = ['AsyncGeneratorFunction', 'AsyncFunction'];

/**
 * How an orchestrator meets the engine, by the shape of its code. Generators, and plain functions
 * (which may return one: down-levelled TypeScript, wrappers), are classic: nothing is scheduled
 * before it is yielded. Async ones are core style: what they call is on its way at once, and their
 * context has the members of durabletask-js too. Every shape gets `context.df` and, as a second
 * argument, its input.
 */
export function orchestratorStyle(
  orchestrator: OrchestratorFunction,
  options: OrchestratorStyleOptions,
): OrchestratorStyle {
  const isAsync = ASYNC_KINDS.includes(orchestrator.constructor.name);
  return {
    scheduling: isAsync ? 'eager' : 'lazy',
    createContext: (engine) => {
      const context = new OrchestrationInvocation(engine, options);
      return isAsync ? withCoreMembers(context, engine) : context;
    },
    createFailure: createTaskFailure,
  };
}

/** The context of an orchestrator: an invocation context whose log is silent while it replays. */
class OrchestrationInvocation extends azureFunctions.InvocationContext {
  readonly df: ClassicOrchestrationContext;

  constructor(engine: OrchestrationEngine, { name, defaultVersion }: OrchestratorStyleOptions) {
    super(invocationInit(engine, name));
    this.df = new ClassicOrchestrationContext(engine, { defaultVersion });
  }
}

function invocationInit(engine: OrchestrationEngine, name: string): InvocationContextInit {
  const write = createUserLogHandler(name);
  return {
    invocationId: engine.executionId,
    functionName: name,
    triggerMetadata: { instanceId: engine.instanceId },
    options: { trigger: { type: 'orchestrationTrigger', name: 'context' } },
    ...(write !== undefined && { logHandler: replaySafe(engine, write) }),
  };
}

function replaySafe(engine: OrchestrationEngine, write: LogHandler): LogHandler {
  return (level, ...args) => {
    if (!engine.isReplaying) write(level, ...args);
  };
}

/** Adds what durabletask-js has on its context, where the invocation context has no such member. */
function withCoreMembers(
  context: OrchestrationInvocation,
  engine: OrchestrationEngine,
): OrchestrationInvocation {
  const core = new CoreOrchestrationContext(engine);
  for (const name of Object.getOwnPropertyNames(CoreOrchestrationContext.prototype)) {
    if (name in context) continue;
    Object.defineProperty(context, name, { get: () => memberOf(core, name), enumerable: true });
  }
  return context;
}

function memberOf(core: CoreOrchestrationContext, name: string): unknown {
  const member: unknown = Reflect.get(core, name);
  return typeof member === 'function' ? (member.bind(core) as unknown) : member;
}

/** The error that user code catches: `TaskFailedError` of durable-functions. */
function createTaskFailure({ taskName, taskId, details }: TaskFailureInfo): Error {
  // Its declaration leaves out the two arguments that its code takes.
  const Declared = TaskFailedError as new (
    failure: typeof details,
    taskName: string,
    taskId: number,
  ) => Error;
  return new Declared(details, taskName, taskId);
}

import azureFunctions from '@azure/functions';
import type { InvocationContextInit, LogHandler } from '@azure/functions';
import { ClassicOrchestrationContext } from '../replay/classic-context.ts';
import { CoreOrchestrationContext } from '../replay/core-context.ts';
import type { OrchestrationEngine } from '../replay/engine.ts';
import type { TaskFailureInfo } from '../replay/failure.ts';
import type { ExecutionIds } from '../replay/options.ts';
import type { TurnResult } from '../replay/session.ts';
import type { AroundTurn, OrchestratorStyle } from '../worker/registry.ts';
import { createUserLogHandler } from './host-log.ts';
import { callWithHooks, hasInvocationHooks } from './invocation-hooks.ts';
import { LOCKING } from './locking-values.ts';
import { trackedTurns } from './tracking/track-turn.ts';
import type { Tracker } from './tracking/tracker.ts';
import { TaskFailedError } from './value-classes.ts';

const ORCHESTRATION_TRIGGER = { type: 'orchestrationTrigger', name: 'context' };

/** What the style of an orchestrator depends on, besides its code. */
export interface OrchestratorStyleOptions {
  readonly name: string;
  /** Version of sub-orchestrations that name none. */
  readonly defaultVersion: string | undefined;
  /** Between the polls of `callHttp` where the server does not say. */
  readonly httpSleepMs?: number | undefined;
  /** Whether `context.log` writes while the code replays, too. Default false. */
  readonly logsReplays?: boolean | undefined;
  readonly tracker?: Tracker | undefined;
}

/**
 * How an orchestrator meets the engine. Generators, and functions that return one (down-levelled
 * TypeScript, wrappers), are classic: nothing is scheduled before it is yielded. Async ones are core
 * style: what they call is on its way at once. Every shape gets one context, with `context.df` and
 * the members of durabletask-js, and its input as a second argument.
 */
export function orchestratorStyle(options: OrchestratorStyleOptions): OrchestratorStyle {
  const { name, tracker } = options;
  const around = turnWithHooks(name);
  return {
    scheduling: 'byHandler',
    createContext: (engine) => new OrchestrationInvocation(engine, options),
    createFailure: createTaskFailure,
    aroundTurn: tracker === undefined ? around : trackedTurns(name, around, tracker),
  };
}

/**
 * Every turn is an invocation to the app's hooks. They see it and may bind it to a context of theirs,
 * and that is all: a turn that depended on them would not be the same in a replay.
 */
function turnWithHooks(name: string): AroundTurn {
  return (turn, run) => (hasInvocationHooks() ? hookedTurn(name, turn, run) : run());
}

async function hookedTurn(
  name: string,
  { instanceId, executionId }: ExecutionIds,
  run: () => TurnResult | Promise<TurnResult>,
): Promise<TurnResult> {
  let turn: Promise<TurnResult> | undefined;
  const callback = async (): Promise<void> => {
    turn ??= (async () => run())();
    // What goes wrong in a turn is for the worker, not for hooks.
    await turn.catch(() => undefined);
  };
  const context = new azureFunctions.InvocationContext({
    invocationId: executionId === '' ? instanceId : executionId,
    functionName: name,
    triggerMetadata: { instanceId },
    options: { trigger: ORCHESTRATION_TRIGGER },
    logHandler: createUserLogHandler(name),
  });
  try {
    await callWithHooks({ context, inputs: [], callback });
  } catch (error) {
    context.warn('A hook around an orchestrator failed and is ignored:', error);
  }
  return turn ?? run();
}

/** The context of an orchestrator: an invocation context whose log, as a rule, is silent in replays. */
class OrchestrationInvocation extends azureFunctions.InvocationContext {
  readonly df: ClassicOrchestrationContext;
  readonly #core: CoreOrchestrationContext;

  constructor(engine: OrchestrationEngine, options: OrchestratorStyleOptions) {
    super(invocationInit(engine, options));
    this.df = new ClassicOrchestrationContext(engine, { ...options, locking: LOCKING });
    this.#core = new CoreOrchestrationContext(engine, options);
  }

  // What durabletask-js has on its context goes onto the class once, not onto each context.
  static {
    for (const name of Object.getOwnPropertyNames(CoreOrchestrationContext.prototype)) {
      if (name in this.prototype) continue;
      const get = function (this: OrchestrationInvocation): unknown {
        return memberOf(this.#core, name);
      };
      Object.defineProperty(this.prototype, name, { get });
    }
  }
}

function invocationInit(
  engine: OrchestrationEngine,
  { name, logsReplays = false }: OrchestratorStyleOptions,
): InvocationContextInit {
  const write = createUserLogHandler(name);
  return {
    invocationId: engine.executionId,
    functionName: name,
    triggerMetadata: { instanceId: engine.instanceId },
    options: { trigger: ORCHESTRATION_TRIGGER },
    logHandler: logsReplays ? write : replaySafe(engine, write),
  };
}

function replaySafe(engine: OrchestrationEngine, write: LogHandler): LogHandler {
  return (level, ...args) => {
    if (!engine.isReplaying) write(level, ...args);
  };
}

function memberOf(core: CoreOrchestrationContext, name: string): unknown {
  const member: unknown = Reflect.get(core, name);
  return typeof member === 'function' ? (member.bind(core) as unknown) : member;
}

/** The error that user code catches: `TaskFailedError` of durable-functions. */
export function createTaskFailure({ taskName, taskId, details }: TaskFailureInfo): Error {
  // Its declaration leaves out the two arguments that its code takes.
  const Declared = TaskFailedError as new (
    failure: typeof details,
    taskName: string,
    taskId: number,
  ) => Error;
  return new Declared(details, taskName, taskId);
}

import assert from 'node:assert/strict';
import type { HistoryEvent, OrchestratorAction } from '../proto/orchestrator_service_pb.ts';
import type { Completion } from './actions.ts';
import { completeAction, createTimerAction, sendEventAction } from './actions.ts';
import { assertConfirms } from './confirmation.ts';
import { EntityMessages } from './entity-messages.ts';
import { OrchestratorConstraintError, TooManyActionsError } from './errors.ts';
import { ExternalEvents } from './external-events.ts';
import { failureFromError } from './failure.ts';
import { classicGuid, coreGuid } from './guid.ts';
import { decodePayload, encodePayload } from './json.ts';
import type { ExecutionIds, OrchestratorOptions, Scheduling } from './options.ts';
import { RemoteCall } from './remote-call.ts';
import { AtomicTask, CompoundTask, TimerTask } from './tasks.ts';
import type { ActivityWork, SubOrchestrationWork, Task } from './tasks.ts';

/** The orchestration that started this one. */
export interface ParentInstance {
  readonly name: string;
  readonly instanceId: string;
  readonly taskScheduledId: number;
}

/** Something with an action id that the scheduler will answer. */
export type OpenItem =
  | { readonly kind: 'call'; readonly call: RemoteCall }
  | { readonly kind: 'timer'; readonly task: TimerTask }
  | { readonly kind: 'retryTimer'; readonly call: RemoteCall };

interface ContinueAsNew {
  readonly input: string | undefined;
  readonly shouldSaveEvents: boolean;
}

/**
 * The state of one execution: what the code asked for, what is still open, and the values that contexts
 * show to user code. Contexts call the upper half; the lower half is for the session.
 *
 * An action lives in `#pending` from the moment the code asks for it until history confirms it or a turn
 * hands it out. `#open` holds only what has no answer yet, so nothing here grows with the history.
 */
export class OrchestrationEngine {
  readonly options: OrchestratorOptions;
  readonly instanceId: string;
  readonly executionId: string;
  readonly entities: EntityMessages;
  /** From executionStarted; the registered name until then. */
  name: string;
  version: string | undefined;
  parent: ParentInstance | undefined;
  input: unknown;
  isReplaying = true;
  /** True from the executionStarted event on. */
  hasStarted = false;
  /** Epoch ms of the newest orchestratorStarted. */
  currentTimeAt = 0;
  /** What the handler was given; retry handlers are shown it. */
  context: unknown;
  customStatus: unknown;

  readonly #pending = new Map<number, OrchestratorAction>();
  readonly #open = new Map<number, OpenItem>();
  readonly #events = new ExternalEvents();
  #scheduling: Scheduling = 'eager';
  #lastId = 0;
  /** Ids up to here were handed out by a turn of this session and need no confirmation. */
  #handedOutId = 0;
  #guidCount = 0;
  #customStatusText: string | undefined;
  #continueAsNew: ContinueAsNew | undefined;
  #completion: Completion | undefined;
  #isClosed = false;

  constructor(options: OrchestratorOptions, ids: ExecutionIds) {
    this.options = options;
    this.instanceId = ids.instanceId;
    this.executionId = ids.executionId;
    this.name = options.name;
    this.entities = new EntityMessages(this);
    if (options.scheduling !== 'byHandler') this.useScheduling(options.scheduling);
  }

  /** Settles the mode before the code's first step, which for generators is after the handler returned. */
  useScheduling(scheduling: Scheduling): void {
    this.#scheduling = scheduling;
    this.#events.waiterOrder = scheduling === 'lazy' ? 'lastIn' : 'firstIn';
  }

  /** A new task: scheduled now (eager) or when it is yielded (lazy). Returns the task. */
  offer<T extends Task>(task: T): T {
    if (this.#scheduling === 'eager') this.schedule(task);
    return task;
  }

  /** Sends an event to another instance; scheduled at once in both styles. */
  sendEvent(instanceId: string, name: string, value: unknown): void {
    const data = encodePayload(value, `The data of event '${name}'`);
    const id = this.nextId();
    this.request(sendEventAction(id, { instanceId, name, data }));
  }

  /** Ends this execution at the next yield or the end of the code, and starts the next with `input`. */
  continueAsNew(input: unknown, options: { readonly shouldSaveEvents: boolean }): void {
    this.#assertUsable();
    this.#continueAsNew = {
      input: encodePayload(input, 'The input of continueAsNew'),
      shouldSaveEvents: options.shouldSaveEvents,
    };
  }

  /** Publishes a value with the end of the turn; `undefined` and null clear it. */
  setCustomStatus(value: unknown): void {
    this.#customStatusText =
      value === null ? undefined : encodePayload(value, 'The custom status value');
    this.customStatus = value;
  }

  /** The id that durable-functions gives for this argument at this point of the execution. */
  newClassicGuid(seedText: string): string {
    const seed = `${seedText}_${String(this.currentTimeAt)}_${String(this.#guidCount)}`;
    this.#guidCount += 1;
    return classicGuid(seed, this.options.sha1);
  }

  /** The id that durabletask-js gives at this point of the execution. */
  newCoreGuid(): string {
    const time = new Date(this.currentTimeAt).toISOString();
    const seed = `${this.instanceId}_${time}_${String(this.#guidCount)}`;
    this.#guidCount += 1;
    return coreGuid(seed, this.options.sha1);
  }

  // For the session, the program and the tasks' own machinery.

  /** Set once the code has asked to continue as new: what it asks for afterwards is dropped. */
  get isContinuingAsNew(): boolean {
    return this.#continueAsNew !== undefined;
  }

  get isComplete(): boolean {
    return this.#completion !== undefined;
  }

  get customStatusText(): string | undefined {
    return this.#customStatusText;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Schedules a task and, depth first, what it is made of. Scheduling again changes nothing. */
  schedule(task: Task): void {
    this.#assertUsable();
    if (task.owner !== undefined && task.owner !== this) {
      throw new OrchestratorConstraintError(
        'A task that belongs to another orchestration was used here. Create tasks inside the ' +
          'orchestrator that yields them, once for each use.',
      );
    }
    const isNew = task.owner === undefined;
    task.adopt(this);
    if (task instanceof CompoundTask) this.#scheduleChildren(task);
    else if (task instanceof AtomicTask) this.#scheduleAtomic(task, isNew);
  }

  /** Records an action and counts it against the limit. */
  request(action: OrchestratorAction): void {
    this.#assertUsable();
    // Core code may still send events after continueAsNew; classic code may not (as in 3.x), except
    // that it lets go of its locks: nobody else would.
    if (this.isContinuingAsNew && this.#scheduling === 'lazy' && !isUnlock(action)) return;
    const { actionsMax } = this.options.limits;
    if (this.#pending.size >= actionsMax) {
      throw new TooManyActionsError(
        `Orchestrator '${this.name}' asked for more than ${String(actionsMax)} actions in one turn. ` +
          'Split the work into sub-orchestrations, or raise the limit.',
      );
    }
    this.#pending.set(action.id, action);
  }

  open(id: number, item: OpenItem): void {
    this.#open.set(id, item);
  }

  /** Takes what was open under that id: every id is answered once, repeats find nothing. */
  takeOpen(id: number): OpenItem | undefined {
    const item = this.#open.get(id);
    this.#open.delete(id);
    return item;
  }

  /** A retry's wait: a timer whose end schedules the call's next attempt. */
  startRetryTimer(call: RemoteCall, delayMs: number): void {
    const id = this.nextId();
    this.request(createTimerAction(id, this.currentTimeAt + delayMs));
    this.open(id, { kind: 'retryTimer', call });
  }

  /** History says that an action was recorded. Throws `NonDeterminismError` if it is not ours. */
  confirm(event: HistoryEvent): void {
    const action = this.#pending.get(event.eventId);
    if (action === undefined && event.eventId <= this.#handedOutId) return;
    assertConfirms(event, action);
    if (action !== undefined) this.entities.confirm(event, action);
    this.#pending.delete(event.eventId);
  }

  /** An external event has arrived. */
  raise(name: string, event: HistoryEvent): void {
    if (this.isComplete) {
      this.#events.keep(name, event);
      return;
    }
    const waiter = this.#events.deliver(name, event);
    if (waiter !== undefined) settleWithEvent(waiter, event);
  }

  /** The code returned: its value is the result, unless it asked to continue as new. */
  finish(value: unknown): void {
    if (this.#continueAsNew === undefined) {
      this.#completion = { kind: 'completed', result: this.#encodeResult(value) };
    } else {
      // What is carried over is known only at the end of the turn: see `handOut`.
      this.#completion = {
        kind: 'continuedAsNew',
        result: this.#continueAsNew.input,
        carryover: [],
      };
    }
  }

  /** The code, or the engine on its behalf, threw: the execution fails. */
  failWith(error: unknown): void {
    this.#completion = { kind: 'failed', failure: failureFromError(error) };
  }

  /** History and code disagree: nothing that the code asked for can be trusted. */
  failReplay(error: unknown): void {
    this.#pending.clear();
    this.failWith(error);
  }

  /** Wins over every other ending; work that was only just asked for is not started any more. */
  terminate(result: string | undefined): void {
    for (const [id, action] of this.#pending) if (isWork(action)) this.#pending.delete(id);
    this.#completion = { kind: 'terminated', result };
  }

  /** The actions of this turn, in the order of the code; none while suspended. */
  handOut(options: { readonly isSuspended: boolean }): OrchestratorAction[] {
    if (this.#completion === undefined && options.isSuspended) return [];
    const ending = this.#completion === undefined ? [] : this.#end(this.#completion);
    const actions = [...this.#pending.values(), ...ending];
    this.#pending.clear();
    this.#handedOutId = this.#lastId;
    return actions;
  }

  close(): void {
    this.#isClosed = true;
  }

  #scheduleChildren(task: CompoundTask): void {
    for (const child of task.children) if (!child.isComplete) this.schedule(child);
    task.evaluate();
  }

  #scheduleAtomic(task: AtomicTask, isNew: boolean): void {
    const { work } = task;
    if (!isNew) {
      if (work.kind === 'externalEvent') this.#events.renew(work.name, task);
    } else if (work.kind === 'externalEvent') {
      const event = this.#events.take(work.name, task);
      if (event !== undefined) settleWithEvent(task, event);
    } else if (task instanceof TimerTask) {
      this.#scheduleTimer(task);
    } else if (work.kind === 'entityCall' || work.kind === 'entityLock') {
      this.entities.schedule(task, work);
    } else {
      new RemoteCall(this, task, work as ActivityWork | SubOrchestrationWork).start();
    }
  }

  #scheduleTimer(task: TimerTask): void {
    const id = this.nextId();
    if (task.isCanceled) return;
    this.request(createTimerAction(id, task.fireAt));
    this.open(id, { kind: 'timer', task });
    task.whenCanceled(() => {
      this.#pending.delete(id);
      this.#open.delete(id);
    });
  }

  /** What the end of the execution adds: locks that it still holds go before it does. */
  #end(completion: Completion): OrchestratorAction[] {
    const { unlocks, withdrawn } = this.entities.end();
    if (withdrawn !== undefined) this.#pending.delete(withdrawn);
    return [...unlocks, completeAction(this.nextId(), this.#withCarryover(completion))];
  }

  #encodeResult(value: unknown): string | undefined {
    return encodePayload(value, `The result of orchestrator '${this.name}'`);
  }

  #withCarryover(completion: Completion): Completion {
    if (completion.kind !== 'continuedAsNew' || this.#continueAsNew?.shouldSaveEvents !== true) {
      return completion;
    }
    return { ...completion, carryover: this.#events.unconsumed() };
  }

  #assertUsable(): void {
    if (!this.#isClosed && !this.isComplete) return;
    throw new OrchestratorConstraintError(
      `The context of orchestrator '${this.name}' was used after the orchestration had ended.`,
    );
  }
}

/** True for actions that ask for something to be done and answered. */
function isWork({ orchestratorActionType: type }: OrchestratorAction): boolean {
  if (type.case === 'sendEvent') return false;
  if (type.case !== 'sendEntityMessage') return true;
  const message = type.value.EntityMessageType.case;
  return message === 'entityOperationCalled' || message === 'entityLockRequested';
}

function isUnlock({ orchestratorActionType: type }: OrchestratorAction): boolean {
  const message = type.case === 'sendEntityMessage' ? type.value.EntityMessageType.case : undefined;
  return message === 'entityUnlockSent';
}

function settleWithEvent(task: Task, event: HistoryEvent): void {
  assert(event.eventType.case === 'eventRaised', 'only external events are kept and waited for');
  const { name, input } = event.eventType.value;
  try {
    task.succeed(decodePayload(input, `The data of event '${name}'`));
  } catch (error) {
    task.fail(error as Error);
  }
}

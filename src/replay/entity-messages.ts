import type {
  HistoryEvent,
  OrchestratorAction,
  SendEntityMessageAction,
  TaskFailureDetails,
} from '../proto/orchestrator_service_pb.ts';
import { CriticalSection } from './critical-section.ts';
import type { EntityInstanceId, EntityTarget } from '../core/entity-instance-id.ts';
import type { OrchestrationEngine } from './engine.ts';
import {
  callEntityAction,
  lockEntitiesAction,
  signalEntityAction,
  unlockEntityAction,
} from './entity-actions.ts';
import { EntityOperationFailedException } from './errors.ts';
import { rememberFailure, toFailureDetails } from './failure.ts';
import { coreGuid } from './guid.ts';
import { decodePayload, encodePayload } from './json.ts';
import type { AtomicTask, EntityCallWork, EntityLockWork } from './tasks.ts';

/** A message to an entity that will be answered. */
type OpenRequest =
  | { readonly kind: 'call'; readonly task: AtomicTask; readonly work: EntityCallWork }
  | { readonly kind: 'lock'; readonly task: AtomicTask; readonly work: EntityLockWork };

/** One signal, as a context gives it. */
export interface Signal {
  readonly entityId: EntityInstanceId;
  readonly operation: string;
  readonly input: unknown;
  readonly signalTime: Date | undefined;
  /** Made when not given. */
  readonly requestId?: string | undefined;
}

/**
 * What one execution says to entities: calls and lock requests that wait for their answers, and the
 * critical section that it is in. Answers are found by request id; the ids in the history count, whoever
 * made them, so that an orchestration may move between workers of different make.
 */
export class EntityMessages {
  readonly #engine: OrchestrationEngine;
  readonly #open = new Map<string, OpenRequest>();
  #section: CriticalSection | undefined;

  constructor(engine: OrchestrationEngine) {
    this.#engine = engine;
  }

  /** The critical section that the code is in, from the moment it asked for it. */
  get section(): CriticalSection | undefined {
    return this.#section;
  }

  /** Enters a section; its locks are requested when its task is scheduled. */
  enter(id: string, targets: readonly EntityTarget[]): CriticalSection {
    this.#section = new CriticalSection(id, targets);
    return this.#section;
  }

  /** Leaves a section and lets go of its locks. Leaving again changes nothing. */
  leave(section: CriticalSection): void {
    if (this.#section !== section) return;
    this.#section = undefined;
    for (const unlock of this.#unlocksOf(section)) this.#engine.request(unlock);
  }

  /** Sends a signal, at once in both styles. */
  signal({ entityId, operation, input, signalTime, requestId }: Signal): void {
    const text = encodePayload(input, inputOf(operation, entityId));
    const id = this.#engine.nextId();
    const signaled = {
      requestId: requestId ?? this.#newId(id),
      entityId,
      operation,
      input: text,
    };
    this.#engine.request(signalEntityAction(id, signaled, signalTime));
  }

  /** Schedules a call or a lock request. */
  schedule(task: AtomicTask, work: EntityCallWork | EntityLockWork): void {
    if (work.kind === 'entityCall') this.#call(task, work);
    else this.#lock(task, work);
  }

  /** History has recorded a request, perhaps under an id that another worker has made. */
  confirm({ eventType }: HistoryEvent, action: OrchestratorAction): void {
    if (action.orchestratorActionType.case !== 'sendEntityMessage') return;
    const own = idOf(action.orchestratorActionType.value.EntityMessageType);
    const recorded = idOf(eventType as SendEntityMessageAction['EntityMessageType']);
    const request = this.#open.get(own);
    if (request === undefined || recorded === own) return;
    this.#open.delete(own);
    this.#open.set(recorded, request);
    if (request.kind === 'lock') request.work.section.id = recorded;
  }

  /** A call succeeded. Answers that nothing waits for are ignored. */
  complete(requestId: string, output: string | undefined): void {
    const call = this.#takeCall(requestId);
    if (call === undefined) return;
    const { entityId, operation } = call.work;
    try {
      const what = `The result of operation '${operation}' of entity '${entityId.toString()}'`;
      call.task.succeed(decodePayload(output, what));
    } catch (error) {
      call.task.fail(error as Error);
    }
  }

  /** A call failed. */
  fail(requestId: string, source: TaskFailureDetails | undefined): void {
    const call = this.#takeCall(requestId);
    if (call === undefined) return;
    const { entityId, operation } = call.work;
    const error = new EntityOperationFailedException(entityId, operation, toFailureDetails(source));
    if (source !== undefined) rememberFailure(error, source);
    call.task.fail(error);
  }

  /** All locks of a section are ours. */
  grant(criticalSectionId: string): void {
    const request = this.#open.get(criticalSectionId);
    if (request?.kind !== 'lock') return;
    this.#open.delete(criticalSectionId);
    request.work.section.isGranted = true;
    request.task.succeed(request.work.handle);
  }

  /**
   * The execution ends: what the section it is in still needs to let go. A request that was not answered
   * is the scheduler's to forget; one that was not even sent is returned to be withdrawn.
   */
  end(): {
    readonly unlocks: readonly OrchestratorAction[];
    readonly withdrawn: number | undefined;
  } {
    const section = this.#section;
    this.#section = undefined;
    if (section?.isGranted === true)
      return { unlocks: this.#unlocksOf(section), withdrawn: undefined };
    return { unlocks: [], withdrawn: section?.actionId };
  }

  #call(task: AtomicTask, work: EntityCallWork): void {
    const { entityId, operation } = work;
    const input = encodeInput(work);
    const id = this.#engine.nextId();
    const requestId = work.requestId ?? this.#newId(id);
    const called = { requestId, entityId, operation, input };
    this.#engine.request(callEntityAction(id, called, this.#engine));
    this.#open.set(requestId, { kind: 'call', task, work });
  }

  #lock(task: AtomicTask, work: EntityLockWork): void {
    const { section } = work;
    section.actionId = this.#engine.nextId();
    this.#engine.request(lockEntitiesAction(section.actionId, section, this.#engine));
    this.#open.set(section.id, { kind: 'lock', task, work });
  }

  #takeCall(requestId: string): Extract<OpenRequest, { kind: 'call' }> | undefined {
    const request = this.#open.get(requestId);
    if (request?.kind !== 'call') return undefined;
    this.#open.delete(requestId);
    request.work.section?.endCall(request.work.entityId);
    return request;
  }

  #unlocksOf(section: CriticalSection): OrchestratorAction[] {
    return section.entities.map((entityId) => {
      const lock = { criticalSectionId: section.id, entityId };
      return unlockEntityAction(this.#engine.nextId(), lock, this.#engine);
    });
  }

  /** The same in every replay, and never again in another execution. */
  #newId(actionId: number): string {
    const { instanceId, executionId, options } = this.#engine;
    return coreGuid(`${instanceId}_${executionId}_${String(actionId)}`, options.sha1);
  }
}

function idOf({ case: kind, value }: SendEntityMessageAction['EntityMessageType']): string {
  if (kind === 'entityLockRequested') return value.criticalSectionId;
  return kind === 'entityOperationCalled' ? value.requestId : '';
}

/** What cannot be sent is not on its way: the section may call that entity again. */
function encodeInput({ entityId, operation, input, section }: EntityCallWork): string | undefined {
  try {
    return encodePayload(input, inputOf(operation, entityId));
  } catch (error) {
    section?.endCall(entityId);
    throw error;
  }
}

function inputOf(operation: string, entityId: EntityInstanceId): string {
  return `The input of operation '${operation}' of entity '${entityId.toString()}'`;
}

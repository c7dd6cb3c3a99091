import { timestampMs } from '@bufbuild/protobuf/wkt';
import type {
  EntityOperationCalledEvent,
  EntityOperationFailedEvent,
  HistoryEvent,
  OrchestratorAction,
  SendEntityMessageAction,
  TaskFailureDetails,
} from '../../src/proto/orchestrator_service_pb.ts';
import { actionKey } from './action-key.ts';
import { askOracle, flatActions, oracleEvent } from './oracle.ts';
import type { OracleState } from './oracle.ts';
import type { Handler } from './orchestrator.ts';

const EVENT_SENT = 14;

interface RetriedCall {
  readonly call: number;
  readonly attemptsMax: number;
}

/**
 * The same history in the words of the .NET extension, grown turn by turn. Ids are translated: the
 * package counts from 0, and for each call with retries that fails for good it counts a timer that we do
 * not have (allowed-differences.ts, last-retry-wait).
 */
export class OracleHistory {
  readonly events: object[] = [];
  readonly #handler: Handler;
  /** The package's ids of timers that only the package waits for, ascending. */
  readonly #extraIds: number[] = [];
  readonly #retried = new Map<number, RetriedCall>();
  readonly #failures = new Map<number, number>();
  readonly #timerKeys = new Map<number, string>();
  readonly #calls = new Map<string, EntityOperationCalledEvent>();

  constructor(handler: Handler) {
    this.#handler = handler;
  }

  /** What the package makes of everything so far. */
  ask(handler = this.#handler): Promise<OracleState> {
    return askOracle(handler, this.events);
  }

  /** Our actions of a turn, whose ids later events name. */
  note(actions: readonly OrchestratorAction[]): void {
    for (const action of actions) {
      const { id, orchestratorActionType: type } = action;
      if (type.case === 'createTimer') this.#timerKeys.set(id, actionKey(action) ?? '');
      if (type.case === 'sendEntityMessage') this.#noteMessage(id, type.value);
      if (type.case !== 'scheduleTask' && type.case !== 'createSubOrchestration') continue;
      const { call, attempts = 1 } = JSON.parse(type.value.input ?? '{}') as {
        readonly call: number;
        readonly attempts?: number;
      };
      if (attempts > 1) this.#retried.set(id, { call, attemptsMax: attempts });
    }
  }

  /** The package finds answers by the request ids that its host writes into the history. */
  #noteMessage(id: number, { EntityMessageType: message }: SendEntityMessageAction): void {
    const { case: kind, value } = message;
    if (kind !== 'entityOperationCalled' && kind !== 'entityLockRequested') return;
    const requestId = kind === 'entityOperationCalled' ? value.requestId : value.criticalSectionId;
    if (kind === 'entityOperationCalled') this.#calls.set(requestId, value);
    const fields = { Input: JSON.stringify({ id: requestId }), EventId: this.#idOf(id) };
    this.events.push(oracleEvent(EVENT_SENT, fields));
  }

  async add(event: HistoryEvent): Promise<void> {
    const { eventType, timestamp } = event;
    switch (eventType.case) {
      case 'orchestratorStarted':
        this.events.push(oracleEvent(12, {}, timestamp && timestampMs(timestamp)));
        return;
      case 'executionStarted':
        this.events.push(oracleEvent(0, { Name: 'Test', Input: eventType.value.input }));
        return;
      case 'taskCompleted':
      case 'subOrchestrationInstanceCompleted': {
        const { taskScheduledId, result } = eventType.value;
        const type = eventType.case === 'taskCompleted' ? 5 : 8;
        const TaskScheduledId = this.#idOf(taskScheduledId);
        this.events.push(oracleEvent(type, { TaskScheduledId, Result: result ?? 'null' }));
        return;
      }
      case 'taskFailed':
        await this.#addFailure(6, eventType.value);
        return;
      case 'subOrchestrationInstanceFailed':
        await this.#addFailure(9, eventType.value);
        return;
      case 'timerFired':
        await this.#addTimerFired(eventType.value.timerId);
        return;
      case 'eventRaised': {
        const { name, input } = eventType.value;
        this.events.push(oracleEvent(15, { Name: name, Input: input }));
        return;
      }
      case 'entityLockGranted':
        this.#addAnswer(eventType.value.criticalSectionId, {});
        return;
      case 'entityOperationCompleted': {
        const { requestId, output } = eventType.value;
        this.#addAnswer(requestId, { result: output });
        return;
      }
      case 'entityOperationFailed':
        this.#addOperationFailure(eventType.value);
        return;
      default:
        throw new Error(`the world made ${String(eventType.case)}, which has no translation`);
    }
  }

  async #addFailure(
    type: number,
    failed: {
      readonly taskScheduledId: number;
      readonly failureDetails?: TaskFailureDetails | undefined;
    },
  ): Promise<void> {
    const { taskScheduledId, failureDetails } = failed;
    const FailureDetails = {
      ErrorType: failureDetails?.errorType,
      ErrorMessage: failureDetails?.errorMessage,
    };
    const TaskScheduledId = this.#idOf(taskScheduledId);
    this.events.push(oracleEvent(type, { TaskScheduledId, FailureDetails }));
    if (!this.#isLastAttempt(taskScheduledId)) return;
    const TimerId = (await this.ask()).nextId - 1;
    this.#extraIds.push(TimerId);
    this.events.push(oracleEvent(11, { TimerId }));
  }

  #addAnswer(requestId: string, answer: object): void {
    this.events.push(oracleEvent(15, { Name: requestId, Input: JSON.stringify(answer) }));
  }

  /** With the text that we give (allowed-differences.ts, entity-failures). */
  #addOperationFailure({ requestId, failureDetails }: EntityOperationFailedEvent): void {
    const { targetInstanceId = '', operation = '' } = this.#calls.get(requestId) ?? {};
    const reason = failureDetails?.errorMessage ?? '';
    const text = `Operation '${operation}' of entity '${targetInstanceId}' failed: ${reason}`;
    this.#addAnswer(requestId, { result: JSON.stringify(text), exceptionType: 'Error' });
  }

  #isLastAttempt(id: number): boolean {
    const retried = this.#retried.get(id);
    if (retried === undefined) return false;
    const failures = (this.#failures.get(retried.call) ?? 0) + 1;
    this.#failures.set(retried.call, failures);
    return failures === retried.attemptsMax;
  }

  /** The extension fires no timer that was cancelled; the scheduler does, and our engine ignores it. */
  async #addTimerFired(timerId: number): Promise<void> {
    const key = this.#timerKeys.get(timerId);
    const known = flatActions(await this.ask()).find((action) => actionKey(action) === key);
    if (known?.isCanceled === true) return;
    this.events.push(oracleEvent(11, { TimerId: this.#idOf(timerId) }));
  }

  #idOf(ours: number): number {
    return this.#extraIds.reduce((id, extra) => (id >= extra ? id + 1 : id), ours - 1);
  }
}

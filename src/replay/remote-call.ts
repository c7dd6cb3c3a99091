import type { TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';
import { createSubOrchestrationAction, scheduleTaskAction } from './actions.ts';
import type { OrchestrationEngine } from './engine.ts';
import type { FailureDetails } from './failure.ts';
import { rememberFailure, toFailureDetails } from './failure.ts';
import { decodePayload, encodePayload } from './json.ts';
import { delayFromAnswer, nextDelayMs } from './retry.ts';
import type { RetryHandlerSpec } from './retry.ts';
import { settleWithin } from './settle-within.ts';
import type { ActivityWork, AtomicTask, SubOrchestrationWork } from './tasks.ts';

/** A call of an activity or a sub-orchestration with all its attempts; each attempt has its own id. */
export class RemoteCall {
  readonly #engine: OrchestrationEngine;
  readonly #task: AtomicTask;
  readonly #work: ActivityWork | SubOrchestrationWork;
  readonly #input: string | undefined;
  readonly #startedAt: number;
  #attempts = 0;
  #childId: string | undefined;

  constructor(
    engine: OrchestrationEngine,
    task: AtomicTask,
    work: ActivityWork | SubOrchestrationWork,
  ) {
    this.#engine = engine;
    this.#task = task;
    this.#work = work;
    this.#input = encodePayload(work.input, `The input of ${this.#label}`);
    this.#startedAt = engine.currentTimeAt;
    this.#childId = work.kind === 'subOrchestration' ? work.instanceId : undefined;
  }

  /** Asks for the next attempt, under a new action id; a child keeps its instance id. */
  start(): void {
    const id = this.#engine.nextId();
    const work = this.#work;
    this.#attempts += 1;
    if (work.kind === 'activity') {
      this.#engine.request(scheduleTaskAction(id, work, this.#input));
    } else {
      this.#childId ??= `${this.#engine.executionId}:${id.toString(16).padStart(4, '0')}`;
      const child = { ...work, instanceId: this.#childId };
      this.#engine.request(createSubOrchestrationAction(id, child, this.#input));
    }
    this.#engine.open(id, { kind: 'call', call: this });
  }

  /** The attempt succeeded: settles the task, or goes on with the call that takes this one's place. */
  complete(result: string | undefined): void {
    try {
      const value = decodePayload(result, `The result of ${this.#label}`);
      const outcome = this.#work.settle?.(value, this.#engine.currentTimeAt) ?? { value };
      if ('next' in outcome) new RemoteCall(this.#engine, this.#task, outcome.next).start();
      else this.#task.succeed(outcome.value);
    } catch (error) {
      this.#task.fail(error as Error);
    }
  }

  /** The attempt failed: tries again or fails the task. A promise only for async retry handlers. */
  failAttempt(taskId: number, source: TaskFailureDetails | undefined): undefined | Promise<void> {
    const failed: FailedCall = { taskId, source, details: toFailureDetails(source) };
    const { retry } = this.#work;
    if (retry?.kind === 'handler') return this.#askHandler(retry, failed);
    const delayMs =
      retry &&
      nextDelayMs(retry, {
        failure: failed.details,
        attempts: this.#attempts,
        elapsedMs: this.#elapsedMs,
      });
    this.#continueAfter(delayMs, failed);
    return undefined;
  }

  get #label(): string {
    const kind = this.#work.kind === 'activity' ? 'activity' : 'sub-orchestrator';
    return `${kind} '${this.#work.name}'`;
  }

  get #elapsedMs(): number {
    return this.#engine.currentTimeAt - this.#startedAt;
  }

  #continueAfter(delayMs: number | undefined, failed: FailedCall): void {
    if (delayMs === undefined) this.#giveUp(failed);
    else if (delayMs > 0) this.#engine.startRetryTimer(this, delayMs);
    else this.start();
  }

  #giveUp({ taskId, details, source }: FailedCall): void {
    const { kind, name } = this.#work;
    const error = this.#engine.options.createFailure({ kind, taskName: name, taskId, details });
    if (source !== undefined) rememberFailure(error, source);
    this.#task.fail(error);
  }

  #askHandler(retry: RetryHandlerSpec, failed: FailedCall): undefined | Promise<void> {
    const answer = failed.details.isNonRetriable ? false : this.#callHandler(retry, failed.details);
    if (answer instanceof Promise) return this.#continueLater(answer, failed);
    this.#continueAfter(delayFromAnswer(answer), failed);
    return undefined;
  }

  #callHandler(
    retry: RetryHandlerSpec,
    { errorType, errorMessage, stackTrace }: FailureDetails,
  ): ReturnType<RetryHandlerSpec['handler']> {
    try {
      return retry.handler({
        orchestrationContext: this.#engine.context,
        lastAttemptNumber: this.#attempts,
        lastFailure: { errorType, message: errorMessage, stackTrace },
        totalRetryTimeInMilliseconds: this.#elapsedMs,
      });
    } catch {
      // A broken handler must not hide the task's own failure.
      return false;
    }
  }

  async #continueLater(answer: Promise<unknown>, failed: FailedCall): Promise<void> {
    let settled: unknown;
    try {
      settled = await settleWithin(answer, this.#engine.options);
    } catch {
      // As in `#callHandler`: no answer, or none in time, is "no more attempts".
      settled = false;
    }
    this.#continueAfter(delayFromAnswer(settled), failed);
  }
}

interface FailedCall {
  readonly taskId: number;
  readonly source: TaskFailureDetails | undefined;
  readonly details: FailureDetails;
}

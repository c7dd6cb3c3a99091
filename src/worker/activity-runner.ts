import type { ActivityRequest, TaskFailureDetails } from '../proto/orchestrator_service_pb.ts';
import { TaskHubSidecarService } from '../proto/orchestrator_service_pb.ts';
import { logEvent } from '../telemetry/log-events.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { LiveSpan } from '../telemetry/spans.ts';
import { toTraceContext } from '../telemetry/trace-context.ts';
import { AbortGroup } from './abort-group.ts';
import { encodeFailure, permanentFailure } from './failure-details.ts';
import type { ActivityInvoker, Registry } from './registry.ts';
import { startActivitySpan } from './activity-span.ts';
import { failureOf } from './span-outcome.ts';
import type { LeasedWorkItem, WorkItemCompleter } from './work-item-completer.ts';
import type { WorkReport } from './work-report.ts';

const rpc = TaskHubSidecarService.method;

export interface ActivityRunnerOptions {
  readonly registry: Registry;
  readonly completer: WorkItemCompleter;
  /** Aborts when the worker stops waiting for activities. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** What an activity ended with: JSON text, or why it failed. */
type ActivityResult = {
  readonly result?: string;
  readonly failureDetails?: TaskFailureDetails;
};

/** Runs activities and hands their results back. */
export class ActivityRunner {
  readonly #options: ActivityRunnerOptions;

  readonly #signals: AbortGroup;

  constructor(options: ActivityRunnerOptions) {
    this.#options = options;
    this.#signals = new AbortGroup(options.signal);
  }

  /** Runs one activity to its end. Returns without a completion once the signal has aborted. */
  async run(request: ActivityRequest, item: LeasedWorkItem): Promise<WorkReport> {
    const { completer, signal } = this.#options;
    const { name } = request;
    const result = await this.#invoke(request);
    if (signal.aborted) return { name, outcome: 'gaveBack' };
    const { instanceId, completionToken } = item;
    const identity = { instanceId, taskId: request.taskId, completionToken };
    const isAccepted = await completer.complete(item, {
      method: rpc.completeActivityTask,
      message: { ...identity, ...result },
      smaller: () => ({ ...identity, ...tooLarge(name, result) }),
    });
    if (!isAccepted) return { name, outcome: 'refused' };
    return { name, outcome: result.failureDetails === undefined ? 'completed' : 'failed' };
  }

  async #invoke(request: ActivityRequest): Promise<ActivityResult> {
    const { registry, logger } = this.#options;
    const activity = registry.findActivity(request.name, request.version);
    if (activity === undefined) {
      logEvent(logger, 'activityNotRegistered', { name: request.name });
      return {
        failureDetails: permanentFailure(
          'ActivityNotRegisteredError',
          registry.unknownText('activity', request.name),
        ),
      };
    }
    const span = startActivitySpan(request);
    const ended = await this.#call(activity.invoke, request, span);
    span?.end(failureOf(ended.failureDetails));
    return ended;
  }

  async #call(
    invoke: ActivityInvoker,
    request: ActivityRequest,
    span: LiveSpan | undefined,
  ): Promise<ActivityResult> {
    const member = this.#signals.join();
    const { traceParent, traceState } =
      span === undefined ? (request.parentTraceContext ?? {}) : toTraceContext(span.remote);
    const invocation = {
      name: request.name,
      version: request.version,
      instanceId: request.orchestrationInstance?.instanceId ?? '',
      taskId: request.taskId,
      serializedInput: request.input,
      tags: request.tags,
      traceParent,
      traceState,
      get signal() {
        return member.signal;
      },
    };
    try {
      const result = await (span === undefined
        ? invoke(invocation)
        : span.run(() => invoke(invocation)));
      return result === undefined ? {} : { result };
    } catch (error) {
      return { failureDetails: encodeFailure(error) };
    } finally {
      member.release();
    }
  }
}

function tooLarge(name: string, { result = '' }: ActivityResult): ActivityResult {
  return {
    failureDetails: permanentFailure(
      'ResultTooLargeError',
      `The scheduler does not take the result of activity '${name}' (${result.length} ` +
        'characters). Return less, or a reference to data that is stored elsewhere.',
    ),
  };
}

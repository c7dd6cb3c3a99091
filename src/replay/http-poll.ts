import type { ClassicOrchestrationContext } from './classic-context.ts';
import { OrchestratorConstraintError } from './errors.ts';
import { HTTP_POLL_ORCHESTRATOR, httpRequestWork, pollRequest } from './http-call.ts';
import type { DurableHttpResponse, HttpPollInput } from './http-call.ts';
import { AtomicTask } from './tasks.ts';
import type { Task } from './tasks.ts';

/** Polls in one execution; the next one begins with an empty history. */
const POLLS_MAX = 100;

/** Polls until the answer is no longer a 202 with an address, and returns that answer. */
export function* pollHttp(
  context: ClassicOrchestrationContext,
): Generator<Task, DurableHttpResponse | undefined, unknown> {
  if (context.parentInstanceId === undefined) {
    throw new OrchestratorConstraintError(
      `${HTTP_POLL_ORCHESTRATOR} is a part of context.df.callHttp and cannot be started by itself.`,
    );
  }
  let input = context.getInput<HttpPollInput>();
  for (let polls = 0; polls < POLLS_MAX; polls += 1) {
    const { origin, url, waitMs, sleepMs } = input;
    const nextAt = context.currentUtcDateTime.getTime() + waitMs;
    // Past the deadline the request fails by itself, and says so.
    yield context.createTimer(new Date(Math.min(nextAt, origin.deadlineAt ?? Infinity)));
    const request = httpRequestWork(pollRequest(origin, url));
    const response = (yield new AtomicTask('classic', request)) as DurableHttpResponse;
    const nextUrl = response.pollUrl();
    if (nextUrl === undefined) return response;
    const now = context.currentUtcDateTime.getTime();
    input = { ...input, url: nextUrl, waitMs: response.waitMs({ now, sleepMs }) };
  }
  context.continueAsNew(input);
  return undefined;
}

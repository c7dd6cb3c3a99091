import type { OrchestrationHandler, Task } from 'durable-functions';
import * as df from 'durable-functions';

/** Input of `Approval`. */
interface ApprovalInput {
  readonly request: string;
  readonly timeoutSeconds: number;
}

/** A human decides: waits for the external event `Approval`, but not longer than the timeout. */
const approval: OrchestrationHandler = function* (context) {
  const { request, timeoutSeconds } = context.df.getInput<ApprovalInput>();
  const deadline = new Date(context.df.currentUtcDateTime.getTime() + timeoutSeconds * 1000);
  const timeout = context.df.createTimer(deadline);
  const decision = context.df.waitForExternalEvent('Approval');
  context.df.setCustomStatus(`Waiting for a decision on ${request}`);

  const first: Task = yield context.df.Task.any([decision, timeout]);
  if (first === timeout) return { request, outcome: 'timed out' };
  // A timer that nobody waits for any more is cancelled, or the instance would wait for it.
  timeout.cancel();
  return { request, outcome: decision.result === true ? 'approved' : 'rejected' };
};
df.app.orchestration('Approval', approval);

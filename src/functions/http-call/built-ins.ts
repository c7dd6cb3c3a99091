import type { Clock } from '../../base/clock.ts';
import { ClassicOrchestrationContext } from '../../replay/classic-context.ts';
import { HTTP_ACTIVITY, HTTP_POLL_ORCHESTRATOR } from '../../replay/http-call.ts';
import type { HttpRequestSpec } from '../../replay/http-call.ts';
import { pollHttp } from '../../replay/http-poll.ts';
import type { TaskHubWorker } from '../../worker/task-hub-worker.ts';
import { LOCKING } from '../locking-values.ts';
import { createTaskFailure } from '../orchestrator-style.ts';
import { sendRequest } from './send-request.ts';
import { createTokenSource } from './token-source.ts';

export interface HttpCallsOptions {
  readonly clock: Clock;
  /** False where somebody else serves the activity that sends the requests. */
  readonly isSending: boolean;
}

/** Gives a worker the activity and the orchestrator that `context.df.callHttp` is made of. */
export function addHttpCalls(worker: TaskHubWorker, options: HttpCallsOptions): void {
  if (options.isSending) addSending(worker, options.clock);
  worker.addNamedOrchestrator(HTTP_POLL_ORCHESTRATOR, pollHttp, {
    scheduling: 'lazy',
    createContext: (engine) =>
      new ClassicOrchestrationContext(engine, { defaultVersion: undefined, locking: LOCKING }),
    createFailure: createTaskFailure,
  });
}

function addSending(worker: TaskHubWorker, clock: Clock): void {
  const tokens = createTokenSource();
  worker.addActivityInvoker(HTTP_ACTIVITY, async ({ serializedInput = '', signal }) => {
    const spec = JSON.parse(serializedInput) as HttpRequestSpec;
    return JSON.stringify(await sendRequest(spec, { clock, tokens, signal }));
  });
}

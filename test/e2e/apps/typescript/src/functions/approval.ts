import { app } from '@azure/functions';
import type { HttpHandler, HttpRequest, HttpResponse, InvocationContext } from '@azure/functions';
import * as df from 'durable-functions';
import type {
  ActivityHandler,
  OrchestrationContext,
  OrchestrationHandler,
  Task,
  TimerTask,
} from 'durable-functions';

const approval: OrchestrationHandler = function* (context: OrchestrationContext) {
  context.df.setCustomStatus('waiting');
  const deadline = new Date(context.df.currentUtcDateTime.getTime() + 60 * 1000);
  const timeout: TimerTask = context.df.createTimer(deadline);
  const decision: Task = context.df.waitForExternalEvent('Approval');
  const winner: Task = (yield context.df.Task.any([decision, timeout])) as Task;
  if (winner !== decision) return 'timed out';
  timeout.cancel();
  return { approved: decision.result };
};
df.app.orchestration('waitsForApproval', approval);

const seen = new Set<unknown>();
const failsOnce: ActivityHandler = (_input: undefined, context: InvocationContext): string => {
  const { instanceId } = context.triggerMetadata ?? {};
  if (seen.has(instanceId)) return 'second time lucky';
  seen.add(instanceId);
  throw new Error('first time unlucky');
};
df.app.activity('failsOnce', { handler: failsOnce });
df.app.orchestration('worksTheSecondTime', function* (context: OrchestrationContext) {
  const result = (yield context.df.callActivity('failsOnce')) as string;
  return result;
});

const httpStart: HttpHandler = async (
  request: HttpRequest,
  context: InvocationContext,
): Promise<HttpResponse> => {
  const client = df.getClient(context);
  const body: unknown = await request.text();
  const instanceId: string = await client.startNew(request.params['name'] ?? '', { input: body });
  context.log(`Started orchestration with ID = '${instanceId}'.`);
  return client.createCheckStatusResponse(request, instanceId);
};

app.http('httpStart', {
  route: 'orchestrators/{name}',
  extraInputs: [df.input.durableClient()],
  handler: httpStart,
});

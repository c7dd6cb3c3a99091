import type { HttpHandler } from '@azure/functions';
import { app } from '@azure/functions';
import * as df from 'durable-functions';

/** Starts any orchestration by name; the request's JSON body, if it has one, is the input. */
const startOrchestration: HttpHandler = async (request, context) => {
  const client = df.getClient(context);
  const body = await request.text();
  const input: unknown = body === '' ? undefined : JSON.parse(body);
  const instanceId = await client.startNew(request.params.orchestratorName, { input });

  context.log(`Started orchestration with ID = '${instanceId}'.`);
  return client.createCheckStatusResponse(request, instanceId);
};

app.http('HttpStart', {
  route: 'orchestrators/{orchestratorName}',
  methods: ['POST'],
  extraInputs: [df.input.durableClient()],
  handler: startOrchestration,
});

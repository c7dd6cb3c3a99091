const { app } = require('@azure/functions');
const df = require('durable-functions');

const activityName = 'sayHello';

df.app.orchestration('helloCities', function* (context) {
  const outputs = [];
  outputs.push(yield context.df.callActivity(activityName, 'Tokyo'));
  outputs.push(yield context.df.callActivity(activityName, 'Seattle'));
  outputs.push(yield context.df.callActivity(activityName, 'London'));
  return outputs;
});

df.app.activity(activityName, { handler: (input) => `Hello ${input}!` });

df.app.activity('boom', {
  handler: () => {
    throw new RangeError('too far');
  },
});

df.app.orchestration('fails', function* (context) {
  yield context.df.callActivity('boom');
});

df.app.orchestration('waitsForApproval', function* (context) {
  context.df.setCustomStatus('waiting');
  const deadline = new Date(context.df.currentUtcDateTime.getTime() + 60 * 1000);
  const timeout = context.df.createTimer(deadline);
  const approval = context.df.waitForExternalEvent('Approval');
  const winner = yield context.df.Task.any([approval, timeout]);
  if (winner !== approval) return 'timed out';
  timeout.cancel();
  return { approved: approval.result };
});

app.http('httpStart', {
  route: 'orchestrators/{name}',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const body = await request.text();
    const input = body === '' ? undefined : JSON.parse(body);
    const instanceId = request.query.get('id') ?? undefined;
    const id = await client.startNew(request.params.name, { input, instanceId });
    context.log(`Started ${id}`);
    return client.createCheckStatusResponse(request, id);
  },
});

df.app.client.http('startAndWait', {
  route: 'wait/{name}',
  handler: async (request, client) => {
    const id = await client.startNew(request.params.name);
    return client.waitForCompletionOrCreateCheckStatusResponse(request, id);
  },
});

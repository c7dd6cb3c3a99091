const { app, trigger } = require('@azure/functions');
const df = require('durable-functions');

df.app.orchestration('echo', function* (context) {
  return context.df.getInput();
});

df.app.orchestration('waitsForApproval', function* (context) {
  context.df.setCustomStatus('waiting');
  return { approved: yield context.df.waitForExternalEvent('Approval') };
});

// Each function starts an orchestration under its own name, with what triggered it.
const starter = (id) => async (input, client, context) => {
  const text = Buffer.isBuffer(input) ? input.toString() : input;
  await client.startNew('echo', { instanceId: id, input: text });
  context.log(`${id} started one in ${client.taskHubName}`);
};

df.app.client.http('httpStart', {
  route: 'orchestrators/{name}',
  handler: async (request, client) => {
    const id = await client.startNew(request.params.name, { input: await request.text() });
    return client.createCheckStatusResponse(request, id);
  },
});
df.app.client.timer('onTimer', {
  schedule: '0 0 0 1 1 *',
  handler: (timer, client, context) => starter('onTimer')(Object.keys(timer), client, context),
});
df.app.client.storageBlob('onBlob', {
  path: 'in/{name}',
  connection: 'AzureWebJobsStorage',
  handler: starter('onBlob'),
});
df.app.client.storageQueue('onQueue', {
  queueName: 'in',
  connection: 'AzureWebJobsStorage',
  handler: starter('onQueue'),
});
df.app.client.serviceBusQueue('onServiceBusQueue', {
  queueName: 'in',
  connection: 'ServiceBus',
  handler: starter('onServiceBusQueue'),
});
df.app.client.serviceBusTopic('onServiceBusTopic', {
  topicName: 'in',
  subscriptionName: 'all',
  connection: 'ServiceBus',
  handler: starter('onServiceBusTopic'),
});
df.app.client.eventHub('onEventHub', {
  eventHubName: 'in',
  connection: 'EventHub',
  cardinality: 'one',
  handler: starter('onEventHub'),
});
df.app.client.eventGrid('onEventGrid', { handler: starter('onEventGrid') });
df.app.client.cosmosDB('onCosmosDB', {
  databaseName: 'db',
  containerName: 'in',
  connection: 'Cosmos',
  handler: starter('onCosmosDB'),
});
df.app.client.generic('onGeneric', {
  trigger: trigger.generic({ type: 'manualTrigger' }),
  handler: starter('onGeneric'),
});
app.warmup('onWarmup', {
  extraInputs: [df.input.durableClient()],
  handler: (input, context) => starter('onWarmup')(input, df.getClient(context), context),
});

const { app } = require('@azure/functions');
const df = require('durable-functions');

const extraInputs = [df.input.durableClient()];

app.http('SignalCounter', {
  route: 'counters/{key}/{operation}',
  methods: ['POST'],
  extraInputs,
  handler: async (request, context) => {
    const { key, operation } = request.params;
    const body = await request.text();
    const input = body === '' ? undefined : JSON.parse(body);
    await df.getClient(context).signalEntity(new df.EntityId('Counter', key), operation, input);
    return { status: 202 };
  },
});

app.http('ReadCounter', {
  route: 'counters/{key}',
  methods: ['GET'],
  extraInputs,
  handler: async (request, context) => {
    const counter = new df.EntityId('Counter', request.params.key);
    const state = await df.getClient(context).readEntityState(counter);
    return state.entityExists ? { jsonBody: state.entityState } : { status: 404 };
  },
});

app.http('AddAndGetStart', {
  route: 'orchestrators/AddAndGet',
  methods: ['POST'],
  extraInputs,
  handler: async (request, context) => {
    const client = df.getClient(context);
    const instanceId = await client.startNew('AddAndGet', { input: await request.json() });
    return client.createCheckStatusResponse(request, instanceId);
  },
});

const { app } = require('@azure/functions');
const df = require('durable-functions');

app.http('OrderHttpStart', {
  route: 'orders',
  methods: ['POST'],
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const instanceId = await client.startNew('ProcessOrder', { input: await request.json() });
    return client.createCheckStatusResponse(request, instanceId);
  },
});

const df = require('durable-functions');
const { app } = require('@azure/functions');

app.setup({ enableHttpStream: true });

// What hooks saw, in order: `before name`, `after name`.
const seen = [];

app.hook.preInvocation((context) => {
  const { functionName } = context.invocationContext;
  context.hookData.name = functionName;
  if (functionName === 'greet') {
    context.inputs = [`${context.inputs[0]}!`];
    const { functionHandler } = context;
    context.functionHandler = async (...args) => `<${await functionHandler(...args)}>`;
  }
  seen.push(`before ${functionName}`);
});

app.hook.postInvocation((context) => {
  seen.push(`after ${context.hookData.name}`);
  if (context.hookData.name === 'fails') {
    context.result = `made good: ${context.error.message}`;
    context.error = null;
  }
});

app.hook.appStart(() => {
  df.app.orchestration('registeredAtStart', function* (context) {
    const greeting = yield context.df.callActivity('greet', 'Hello');
    const repaired = yield context.df.callActivity('fails');
    return [greeting, repaired];
  });
  df.app.activity('fails', {
    handler: () => {
      throw new Error('no');
    },
  });
});

df.app.activity('greet', { handler: (input) => `${input} you` });

df.app.client.http('httpStart', {
  route: 'orchestrators/{name}',
  handler: async (request, client) => {
    const id = await client.startNew(request.params.name);
    return client.createCheckStatusResponse(request, id);
  },
});

app.http('seen', {
  handler: () => ({ jsonBody: seen.filter((each) => !/http|seen|management/.test(each)) }),
});

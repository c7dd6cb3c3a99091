const df = require('durable-functions');
const { app } = require('@azure/functions');
const { seen } = require('./hooks.js');

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

// Class style: what hooks see is the same.
class Counter {
  run(operation) {
    const count = (operation.state.getState() ?? 0) + operation.getInput();
    operation.state.setState(count);
    return count;
  }
}
df.app.entity('counter', Counter);
df.app.entity('made', () => new Counter());
df.app.orchestration('counts', function* (context) {
  const counts = [];
  for (const name of ['counter', 'made']) {
    counts.push(yield context.df.callEntity(new df.EntityId(name, 'a'), 'add', 2));
  }
  return counts;
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

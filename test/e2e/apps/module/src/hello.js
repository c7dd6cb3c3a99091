import { app } from '@azure/functions';
import * as df from 'durable-functions';

const sayHello = df.app.activity('sayHello', { handler: async (city) => `Hello ${city}!` });

let isFlaky = true;
const flaky = df.app.activity('flaky', {
  handler: () => {
    if (!isFlaky) return 'at last';
    isFlaky = false;
    throw new Error('not yet');
  },
});

const child = df.app.orchestration('child', function* (context) {
  return yield sayHello(context.df.getInput());
});

df.app.orchestration('helloCities', function* (context) {
  const cities = ['Tokyo', 'Seattle', 'London'];
  const direct = yield context.df.Task.all(cities.map((city) => sayHello(city)));
  const viaChild = yield child('Paris');
  const retried = yield flaky().withRetry(new df.RetryOptions(10, 3));
  return [...direct, viaChild, retried];
});

df.app.orchestration('asyncHello', async function* (context, input) {
  return yield context.df.callActivity('sayHello', input);
});

app.http('start', {
  route: 'start/{name}',
  methods: ['POST'],
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    const client = df.getClient(context);
    const id = await client.startNew(request.params.name, { input: await request.json() });
    return client.createCheckStatusResponse(request, id);
  },
});

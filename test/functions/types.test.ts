/* eslint-disable @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-argument --
   that a yield gives any is what the samples rely on */
import assert from 'node:assert/strict';
import { app as azureApp } from '@azure/functions';
import type { HttpHandler } from '@azure/functions';
import * as df from '../../src/index.ts';
import type {
  ActivityHandler,
  OrchestrationContext,
  OrchestrationHandler,
} from '../../src/index.ts';
import { durableRegistry } from '../../src/functions/registry.ts';

/** Code as in Microsoft's TypeScript samples: this file is a test because it compiles. */
const hello: OrchestrationHandler = function* (context: OrchestrationContext) {
  const outputs: string[] = [];
  outputs.push(yield context.df.callActivity('sayHello', 'Tokyo'));
  context.log(outputs.length);
  return outputs;
};
const sayHello: ActivityHandler = (input: string): string => `Hello ${input}`;
const httpStart: HttpHandler = async (request, context) => {
  const client = df.getClient(context);
  const body: unknown = await request.text();
  const instanceId: string = await client.startNew('x', { input: body });
  const status: df.DurableOrchestrationStatus = await client.getStatus(instanceId);
  context.log(status.runtimeStatus === df.OrchestrationRuntimeStatus.Running);
  return client.createCheckStatusResponse(request, instanceId);
};
const clientStart: df.HttpDurableClientHandler = async (request, client, context) => {
  const id: string = await client.startNew('x');
  context.log(id);
  return client.waitForCompletionOrCreateCheckStatusResponse(request, id);
};

describe('the types', () => {
  afterEach(() => {
    durableRegistry().orchestrators.clear();
    durableRegistry().activities.clear();
  });

  it('take what the TypeScript samples of durable-functions write', () => {
    df.app.orchestration('hello', hello);
    const sayHelloTo = df.app.activity('sayHello', { handler: sayHello });
    df.app.orchestration('inline', function* (context) {
      const tasks: df.Task[] = [
        sayHelloTo('a'),
        sayHelloTo('b').withRetry(new df.RetryOptions(1, 2)),
      ];
      const timer: df.TimerTask = context.df.createTimer(new Date());
      const winner: df.Task = yield context.df.Task.any([...tasks, timer]);
      if (winner !== timer) timer.cancel();
      const results: string[] = yield context.df.Task.all(tasks);
      return results;
    });
    // Outside a host the library registers nothing, and says so once.
    const register = (): void => {
      azureApp.http('start', { extraInputs: [df.input.durableClient()], handler: httpStart });
      df.app.client.http('clientStart', { handler: clientStart });
      df.app.client.timer('clientTimer', {
        schedule: '0 * * * * *',
        handler: async (timer, client, context) => {
          context.log(timer.isPastDue, client.taskHubName);
        },
      });
    };

    assert.equal(durableRegistry().orchestrators.size, 2);
    assert.equal(typeof register, 'function');
  });

  it('take every shape of orchestrator, with its input', () => {
    df.app.orchestration('generator', function* (context, input: { n: number }) {
      const result: string = yield context.df.callActivity('a', input.n);
      return result;
    });
    df.app.orchestration('async generator', async function* (context, input: { n: number }) {
      const result: string = yield context.callActivity('a', input.n);
      return result;
    });
    df.app.orchestration('async', async (context) => context.df.instanceId);
    df.app.orchestration('plain', (_context, input: number) => input + 1);
    df.app.orchestration('options', {
      handler: function* (context) {
        const result: string = yield context.df.waitForExternalEvent('e');
        return result;
      },
    });

    assert.equal(durableRegistry().orchestrators.size, 5);
  });

  it('take the options of callHttp, with retries and a time-out', () => {
    df.app.orchestration('calls', function* (context) {
      const tokenSource = new df.ManagedIdentityTokenSource('https://vault.azure.net');
      const options: df.CallHttpOptions = { method: 'GET', url: 'https://a.test', tokenSource };
      const retryOptions: df.HttpRetryOptions = {
        firstRetryIntervalInMilliseconds: 1000,
        maxNumberOfAttempts: 3,
        statusCodesToRetry: [503],
      };
      const more = { retryOptions, timeoutInMilliseconds: 60_000 };
      const response: df.DurableHttpResponse = yield context.df.callHttp({ ...options, ...more });
      return [response.statusCode, response.content, response.getHeader('etag')];
    });

    assert.equal(durableRegistry().orchestrators.size, 1);
  });

  it('refuse an orchestrator that yields what is no task', () => {
    // @ts-expect-error -- only tasks can be yielded
    df.app.orchestration('wrong', function* () {
      yield 5;
    });

    assert.equal(durableRegistry().orchestrators.size, 1);
  });
});

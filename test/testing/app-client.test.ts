import assert from 'node:assert/strict';
import azureFunctions from '@azure/functions';
import type { HttpRequest, HttpResponse, InvocationContext } from '@azure/functions';
import type { OrchestrationContext, Task } from 'durable-functions';
import * as df from '../../src/index.ts';
import { TestHub } from '../../src/testing/index.ts';

/** Functions as an app has them in its files. */
async function starts(request: HttpRequest, context: InvocationContext): Promise<HttpResponse> {
  const client = df.getClient(context);
  const id = await client.startNew('greets', { input: request.query.get('name') });
  return client.createCheckStatusResponse(request, id);
}

function* greets(context: OrchestrationContext): Generator<Task, unknown, string> {
  const id = yield context.df.callActivity('startsAnother', context.df.getInput());
  return `${id} by ${context.df.instanceId}`;
}

async function startsAnother(name: string, context: InvocationContext): Promise<string> {
  const client = df.getClient(context);
  return `${client.taskHubName}: ${await client.startNew('ends', { instanceId: name })}`;
}

const FUNCTIONS = { orchestrators: { greets, ends: () => 'done' }, activities: { startsAnother } };

describe('the durable client of an app under test', () => {
  const open: TestHub[] = [];
  async function openHub(): Promise<TestHub> {
    const hub = await TestHub.open(FUNCTIONS);
    open.push(hub);
    return hub;
  }
  afterEach(async () => {
    await Promise.all(open.splice(0).map((hub) => hub.close()));
  });

  const context = new azureFunctions.InvocationContext();
  const request = (name: string): HttpRequest =>
    new azureFunctions.HttpRequest({ method: 'POST', url: `https://x.net/api/start?name=${name}` });

  it('is that of the hub in functions that a test calls', async () => {
    const hub = await openHub();

    const response = await starts(request('Ana'), context);
    const { id } = (await response.json()) as { readonly id: string };
    const { output } = await hub.complete(id);
    const { output: other } = await hub.complete('Ana');

    assert.deepEqual([response.status, output, other], [202, `test: Ana by ${id}`, 'done']);
  });

  it('is the one that a client function is passed', async () => {
    const hub = await openHub();
    const handler = async (_request: HttpRequest, client: df.DurableClient): Promise<string> =>
      client.startNew('ends');

    const id = await handler(request('Ana'), hub.durableClient);

    assert.equal((await hub.complete(id)).output, 'done');
  });

  it('is that of the hub whose activity asks, when several are open', async () => {
    const [first, second] = [await openHub(), await openHub()];

    await Promise.all([first.run('greets', 'one'), second.run('greets', 'two')]);

    const known = await Promise.all(
      [first, second].map(async ({ client }) => [
        (await client.getOrchestrationState('one')) !== undefined,
        (await client.getOrchestrationState('two')) !== undefined,
      ]),
    );
    assert.deepEqual(known, [
      [true, false],
      [false, true],
    ]);
  });

  it('is that of the newest hub in other code, until it is closed', async () => {
    const [first, second] = [await openHub(), await openHub()];

    const newest = df.getClient(context);
    await second.close();
    const left = df.getClient();

    assert.deepEqual(
      [newest, left].map((client) => [first, second].map((hub) => hub.durableClient === client)),
      [
        [false, true],
        [true, false],
      ],
    );
  });
});
